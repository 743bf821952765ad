/* The firmware gives up what it will never need again: starting programs and
 * making memory executable. Nothing that comes over the network can get it
 * back. The board has confined the process before (no files, no processes);
 * this takes away what the bootloader still needed for the hand-over. */
#ifndef WIPY_FIRMWARE_CONFINE_H
#define WIPY_FIRMWARE_CONFINE_H

/* Call first thing, before any thread exists. Returns 0 or WIPY_EIO. */
int confine_no_exec(void);

#endif
