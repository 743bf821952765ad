/* Numbers of the image format that only this room needs. */
#ifndef WIPY_IMAGE_LAYOUT_H
#define WIPY_IMAGE_LAYOUT_H

enum {
    /* The application descriptor as public tools read it. */
    DESC_VERSION_OFF = 16,
    DESC_PROJECT_OFF = 48,
    DESC_TIME_OFF = 80,
    DESC_DATE_OFF = 96,
    DESC_SDK_OFF = 112,
    DESC_ELF_DIGEST_OFF = 144,
    /* 176..183 are block revisions and page size in newer tools: zero. */
    DESC_OURS_OFF = 184,
    DESC_OURS_VERSION = 1,
    DESC_GIT_OFF = 192,
};

#define DESC_MAGIC      0xabcd5432u
#define DESC_OURS_MAGIC 0x59504957u /* "WIPY" */
#define SIGN_MAGIC      0x47495357u /* "WSIG" */

#endif
