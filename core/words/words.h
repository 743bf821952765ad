/* What the board calls things, for banner, prompt, diary and tool. */
#ifndef WIPY_WORDS_WORDS_H
#define WIPY_WORDS_WORDS_H

#include "boot/diary.h"

/* Of enum slot_state: "on trial"; of enum boot_reason: "confirmed by the
 * user"; of enum boot_why: "safe boot, previous". Never NULL. */
const char *slot_state_text(unsigned state);
const char *boot_reason_text(unsigned reason);
const char *boot_why_text(unsigned why);

enum { DIARY_TEXT_LEN = 120 };

/* One line for the user, without time: "start of ota_1 1.2.0, reset switch,
 * on trial; ran 12 s before". Returns its length (cut to size - 1). */
int diary_text(const struct diary_entry *e, char *to, size_t size);

#endif
