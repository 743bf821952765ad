#define _GNU_SOURCE
#include "storage.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"

/* `done` of a job somebody waits for: marks the kind, is never called. */
static void waited_for(struct storage_job *job)
{
    (void)job;
}

static struct storage_job *next_job(struct storage *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->first)
        pthread_cond_wait(&s->work, &s->lock);
    struct storage_job *job = s->first;
    s->first = job->next;
    if (!s->first)
        s->last = &s->first;
    pthread_mutex_unlock(&s->lock);
    return job;
}

/* Whoever is woken finds the lock free, here and in storage_post: otherwise
 * each hand-over costs two more switches between threads. */
static void finish(struct storage *s, struct storage_job *job)
{
    bool posted = job->done != waited_for;
    pthread_mutex_lock(&s->lock);
    if (posted) {
        job->next = NULL;
        *s->ended_last = job;
        s->ended_last = &job->next;
    } else {
        job->finished = true;
        pthread_cond_broadcast(&s->idle);
    }
    pthread_mutex_unlock(&s->lock);
    if (posted) {
        uint64_t one = 1;
        ssize_t n = write(s->bell, &one, sizeof one);
        (void)n; /* a full counter has rung already */
    }
}

static void *serve(void *arg)
{
    struct storage *s = arg;
    for (;;) {
        struct storage_job *job = next_job(s);
        job->run(job);
        finish(s, job);
    }
    return NULL;
}

int storage_start(struct storage *s)
{
    *s = (struct storage){.bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    s->last = &s->first;
    s->ended_last = &s->ended;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->idle, NULL);

    /* Signals belong to the vm thread. */
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = s->bell < 0 || pthread_create(&s->thread, NULL, serve, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? WIPY_EIO : 0;
}

static void enqueue(struct storage *s, struct storage_job *job)
{
    job->next = NULL;
    job->finished = false;
    *s->last = job;
    s->last = &job->next;
}

void storage_post(struct storage *s, struct storage_job *job)
{
    pthread_mutex_lock(&s->lock);
    enqueue(s, job);
    pthread_mutex_unlock(&s->lock);
    pthread_cond_signal(&s->work);
}

void storage_reap(struct storage *s)
{
    uint64_t count;
    ssize_t n = read(s->bell, &count, sizeof count);
    (void)n; /* empty when another reap took it */

    pthread_mutex_lock(&s->lock);
    struct storage_job *job = s->ended;
    s->ended = NULL;
    s->ended_last = &s->ended;
    pthread_mutex_unlock(&s->lock);

    while (job) {
        struct storage_job *next = job->next; /* done may free the job */
        if (job->done)
            job->done(job);
        job = next;
    }
}

void storage_call(struct storage *s, struct storage_job *job)
{
    job->done = waited_for;
    pthread_mutex_lock(&s->lock);
    enqueue(s, job);
    pthread_cond_signal(&s->work);
    while (!job->finished)
        pthread_cond_wait(&s->idle, &s->lock);
    pthread_mutex_unlock(&s->lock);
}
