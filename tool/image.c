#include "commands.h"

int cmd_image(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_USAGE;
}
