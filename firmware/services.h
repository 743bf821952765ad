/* Between the two halves of what Python is offered: services.c and
 * services_update.c. */
#ifndef WIPY_FIRMWARE_SERVICES_H
#define WIPY_FIRMWARE_SERVICES_H

#include "firmware/python/vm.h"

struct firmware;

/* Runs `function(fw, arg)` on the storage thread and gives its result. */
int services_on_storage(struct firmware *fw,
                        int (*function)(struct firmware *fw, void *arg),
                        void *arg);

void services_update_init(struct vm_services *s);

#endif
