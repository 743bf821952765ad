/* `wipy image` alone, so that the build can make the images before the whole
 * tool is there. */
#include "tool/commands.h"

int main(int argc, char **argv)
{
    return cmd_image(argc, argv);
}
