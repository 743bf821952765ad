/* Shared by the files that make up `wipy image`, keys, slots and ota. */
#ifndef WIPY_TOOL_IMAGE_PARTS_H
#define WIPY_TOOL_IMAGE_PARTS_H

#include <jansson.h>

#include "args.h"
#include "file.h"
#include "image/image.h"

int image_table_command(struct args *a);  /* image_table.c */
int image_csv_command(struct args *a);    /* image_table.c */
int image_sign_command(struct args *a);   /* image_sign.c */
int image_keygen_command(struct args *a); /* image_sign.c */

/* Adds the public key in the file (65 bytes as hex digits, or a PEM made by
 * keygen). Returns an enum exit_code, after a message. */
int key_read_public(const char *path, struct image_keys *keys);

const char *with_commas(uint64_t v, char to[32]);
const char *machine_name(unsigned machine);
json_t *image_json(const struct image *im, enum image_fault fault);

/* Says on stderr why the file is no good image and what to do about it. */
void image_refuse(const char *path, const struct file_data *file,
                  enum image_fault fault);

#endif
