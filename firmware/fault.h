/* The last thing the firmware does when it goes wrong.
 *
 * A signal such as SIGSEGV that nobody else claims is a hard fault: where and
 * why is written to the registers and the serial line, the LED goes solid and
 * the CPU stops until the reset switch is pressed or an armed watchdog bites
 * (manual: "If the heart beat LED stays on, then there was a hard fault"). */
#ifndef WIPY_FIRMWARE_FAULT_H
#define WIPY_FIRMWARE_FAULT_H

#include "bus/cpu.h"

/* Installs the handlers for the whole process. A later handler (the Python
 * sandbox) chains to them. */
void fault_install(struct bus_cpu *bus);

/* Gives the calling thread the stack the handlers run on: its own may be what
 * overflowed. Each thread calls it once, first thing. 0 or WIPY_ENOMEM. */
int fault_thread(void);

#endif
