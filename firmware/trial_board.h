/* The trial's hands: what trial.c does on a real board. Loop thread. */
#ifndef WIPY_FIRMWARE_TRIAL_BOARD_H
#define WIPY_FIRMWARE_TRIAL_BOARD_H

#include "firmware/python/vm.h"
#include "firmware/storage/storage.h"
#include "firmware/trial.h"

struct firmware;

struct trial_wires {
    struct firmware *fw;
    struct trial trial;
    struct trial_board board;
    struct vm_health health;
    struct storage_job look, confirm, refused, waits, ping;
    int err; /* of the job that runs */
};

void trial_wires_init(struct trial_wires *w, struct firmware *fw);

#endif
