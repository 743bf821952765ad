/* The storage thread: the only one that calls the volumes, the translation
 * layer, nvs and the updater. Others hand it jobs.
 *
 * A job is embedded in whatever the caller needs; `run` is called on the
 * storage thread and may call volume_*, update_* and nvs_* directly. Jobs run
 * in the order they came, one at a time. */
#ifndef WIPY_FIRMWARE_STORAGE_H
#define WIPY_FIRMWARE_STORAGE_H

#include <pthread.h>
#include <stdbool.h>

struct storage_job {
    void (*run)(struct storage_job *job);  /* on the storage thread */
    void (*done)(struct storage_job *job); /* on the loop, for storage_post;
                                            * NULL: nothing */
    struct storage_job *next;              /* while queued; ours */
    bool finished;                         /* for storage_call; ours */
};

struct storage {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work; /* the queue is not empty */
    pthread_cond_t idle; /* a waited-for job finished */
    struct storage_job *first, **last;
    struct storage_job *ended, **ended_last;
    int bell; /* eventfd the loop polls; readable when a job ended */
};

/* Starts the thread; 0 or WIPY_EIO. */
int storage_start(struct storage *s);

/* From the loop thread: queues `job` and returns. When it has run, `bell`
 * becomes readable and storage_reap() calls its `done`. The job must stay
 * valid until then. */
void storage_post(struct storage *s, struct storage_job *job);
void storage_reap(struct storage *s);

/* From the vm thread (or before the loop runs): queues `job` and waits until
 * it has run. Repeats the wait on signals; holds no lock when it returns, so
 * a Python exception may unwind afterwards. `done` is not used. */
void storage_call(struct storage *s, struct storage_job *job);

#endif
