/* The prompt's two rings; see firmware/console.h. */
#include "firmware/console.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/ring.h"

enum {
    CTRL_C = 3,
    INPUT_SIZE = 4096,
    OUTPUT_SIZE = 8192,
    /* The loop gives a stuck client 500 ms before it loses output, so a
     * writer that waited this long waits for a loop that is gone. */
    WRITE_PATIENCE_MS = 3000,
};

struct console {
    pthread_mutex_t lock;
    pthread_cond_t arrived; /* input, or a wake */
    pthread_cond_t drained; /* room in the output ring */
    struct ring in, out;
    int interrupt;
    bool woken;
    bool has_ctrl_c; /* maybe, in the input */
    bool rung;       /* the bell has been rung since the last take */
    int bell;
    void (*hook)(void *ctx);
    void *ctx;
    uint8_t in_data[INPUT_SIZE];
    uint8_t out_data[OUTPUT_SIZE];
};

struct console *console_new(void)
{
    struct console *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (c->bell < 0) {
        free(c);
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->arrived, &monotonic);
    pthread_cond_init(&c->drained, &monotonic);
    pthread_condattr_destroy(&monotonic);
    ring_init(&c->in, c->in_data, sizeof c->in_data);
    ring_init(&c->out, c->out_data, sizeof c->out_data);
    c->interrupt = CTRL_C;
    return c;
}

void console_free(struct console *c)
{
    pthread_cond_destroy(&c->arrived);
    pthread_cond_destroy(&c->drained);
    pthread_mutex_destroy(&c->lock);
    close(c->bell);
    free(c);
}

void console_on_interrupt(struct console *c, void (*hook)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&c->lock);
    c->hook = hook;
    c->ctx = ctx;
    pthread_mutex_unlock(&c->lock);
}

static struct timespec deadline(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

/* One wait; false when the time is over. A signal does not end a condition's
 * wait, which is why there is console_wake(). */
static bool wait_on(struct console *c, pthread_cond_t *cond, bool forever,
                    const struct timespec *until)
{
    return forever ? pthread_cond_wait(cond, &c->lock) == 0
                   : pthread_cond_timedwait(cond, &c->lock, until) == 0;
}

int console_read(struct console *c, uint8_t *to, size_t len, int timeout_ms)
{
    struct timespec until = deadline(timeout_ms < 0 ? 0 : timeout_ms);
    pthread_mutex_lock(&c->lock);
    bool more = true;
    while (!ring_used(&c->in) && !c->woken && more)
        more = wait_on(c, &c->arrived, timeout_ms < 0, &until);
    int got = (int)ring_get(&c->in, to, len);
    if (!got && c->woken)
        got = -EINTR;
    c->woken = false;
    pthread_mutex_unlock(&c->lock);
    return got;
}

bool console_has_input(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    bool has = ring_used(&c->in) > 0;
    pthread_mutex_unlock(&c->lock);
    return has;
}

/* Called with the lock held. One ring per take is enough. */
static void ring_the_bell(struct console *c)
{
    if (c->rung)
        return;
    c->rung = true;
    uint64_t one = 1;
    ssize_t n = write(c->bell, &one, sizeof one);
    (void)n; /* a full counter has rung already */
}

void console_write(struct console *c, const void *from, size_t len)
{
    const uint8_t *p = from;
    struct timespec until = deadline(WRITE_PATIENCE_MS);
    pthread_mutex_lock(&c->lock);
    while (len) {
        size_t n = ring_put(&c->out, p, len);
        p += n;
        len -= n;
        if (n) {
            ring_the_bell(c);
            until = deadline(WRITE_PATIENCE_MS);
        }
        if (len && !wait_on(c, &c->drained, false, &until))
            break;
    }
    pthread_mutex_unlock(&c->lock);
}

/* Where the last interrupt character is, plus one; 0 when there is none. */
static size_t after_interrupt(const uint8_t *from, size_t len, int character)
{
    if (character < 0)
        return 0;
    while (len && from[len - 1] != (uint8_t)character)
        len--;
    return len;
}

void console_feed(struct console *c, const uint8_t *from, size_t len)
{
    pthread_mutex_lock(&c->lock);
    size_t skip = after_interrupt(from, len, c->interrupt);
    void (*hook)(void *ctx) = NULL;
    void *ctx = c->ctx;
    if (skip) {
        ring_clear(&c->in);
        hook = c->hook;
    }
    /* What does not fit is lost, as on a serial line nobody reads; the loop
     * asks console_room() first and lets the client wait instead. */
    ring_put(&c->in, from + skip, len - skip);
    c->has_ctrl_c = c->has_ctrl_c || memchr(from + skip, CTRL_C, len - skip);
    pthread_cond_signal(&c->arrived);
    pthread_mutex_unlock(&c->lock);
    if (hook)
        hook(ctx);
}

size_t console_room(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    size_t room = ring_room(&c->in);
    pthread_mutex_unlock(&c->lock);
    return room;
}

size_t console_take(struct console *c, uint8_t *to, size_t len)
{
    pthread_mutex_lock(&c->lock);
    size_t got = ring_get(&c->out, to, len);
    if (!ring_used(&c->out) && c->rung) {
        c->rung = false;
        uint64_t count;
        ssize_t n = read(c->bell, &count, sizeof count);
        (void)n;
    }
    if (got)
        pthread_cond_broadcast(&c->drained);
    pthread_mutex_unlock(&c->lock);
    return got;
}

/* Called with the lock held; true when the input holds the character: it and
 * all before it are dropped. */
static bool drop_typed_ahead(struct console *c)
{
    uint8_t all[INPUT_SIZE];
    size_t len = ring_get(&c->in, all, sizeof all);
    size_t skip = after_interrupt(all, len, c->interrupt);
    ring_put(&c->in, all + skip, len - skip);
    c->has_ctrl_c = false;
    return skip > 0;
}

void console_set_interrupt(struct console *c, int character)
{
    pthread_mutex_lock(&c->lock);
    c->interrupt = character;
    void (*hook)(void *ctx) = NULL;
    void *ctx = c->ctx;
    if (character >= 0 && c->has_ctrl_c && drop_typed_ahead(c))
        hook = c->hook;
    pthread_mutex_unlock(&c->lock);
    if (hook)
        hook(ctx);
}

int console_interrupt(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    int character = c->interrupt;
    pthread_mutex_unlock(&c->lock);
    return character;
}

int console_bell(const struct console *c)
{
    return c->bell;
}

void console_wake(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    c->woken = true;
    pthread_cond_broadcast(&c->arrived);
    pthread_mutex_unlock(&c->lock);
}
