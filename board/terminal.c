#define _GNU_SOURCE
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PREFIX = 0x1d, REDRAW_MS = 15 };

static const char help[] =
    "Ctrl-] then: q end  r reset  p power  h hold or release GP28 (safe "
    "boot)  Ctrl-] send it  ? this";

/* ---- to the terminal ---- */

static void flush(struct terminal *t)
{
    const uint8_t *at;
    size_t len;
    while ((len = ring_peek(&t->ring, &at))) {
        ssize_t n = write(t->out, at, len);
        if (n <= 0)
            break;
        ring_drop(&t->ring, (size_t)n);
    }
    watch_set(t->out_watch, ring_used(&t->ring) ? UV_WRITABLE : 0);
}

static void send_text(struct terminal *t, const char *text, size_t len)
{
    ring_put(&t->ring, (const uint8_t *)text, len);
    flush(t);
}

static void draw(struct terminal *t)
{
    char bytes[SCREEN_DRAW_MAX];
    struct screen_status status = {0};
    if (!screen_is_between(&t->screen))
        return; /* drawn when the text has gone on */
    t->ev.status(t->ev.ctx, &status);
    send_text(t, bytes, screen_draw(&t->screen, &status, bytes));
}

static void on_redraw(uv_timer_t *timer)
{
    draw(timer->data);
}

void terminal_refresh(struct terminal *t)
{
    if (t->open && !uv_is_active((uv_handle_t *)&t->redraw))
        uv_timer_start(&t->redraw, on_redraw, REDRAW_MS, 0);
}

static size_t put(void *ctx, const uint8_t *data, size_t len)
{
    struct terminal *t = ctx;
    if (!t->open)
        return len;
    bool waited = !screen_is_between(&t->screen);
    ring_put(&t->ring, data, len);
    screen_text(&t->screen, data, len);
    flush(t);
    if (waited)
        terminal_refresh(t);
    return len;
}

void terminal_say(struct terminal *t, const char *text)
{
    if (!t->open)
        return;
    send_text(t, "\r\n", 2);
    send_text(t, text, strlen(text));
    send_text(t, "\r\n", 2);
}

/* ---- from the keys ---- */

static void offer(struct terminal *t)
{
    size_t taken = serial_line_feed(t->line, t->carrier, t->keys, t->key_count);
    t->key_count -= taken;
    memmove(t->keys, t->keys + taken, t->key_count);
    watch_set(t->in_watch, t->key_count ? 0 : UV_READABLE);
}

static void resume(void *ctx)
{
    struct terminal *t = ctx;
    if (t->open && t->key_count)
        offer(t);
}

static void command_key(struct terminal *t, char key)
{
    if (key == '?')
        terminal_say(t, help);
    else
        t->ev.key(t->ev.ctx, key);
}

/* Sorts keys into those for the board and those for the line. */
static void take_keys(struct terminal *t, const uint8_t *keys, size_t len)
{
    for (size_t i = 0; i < len && t->open; i++) {
        if (t->prefixed && keys[i] != PREFIX)
            command_key(t, (char)keys[i]);
        else if (t->prefixed || keys[i] != PREFIX)
            t->keys[t->key_count++] = keys[i];
        t->prefixed = !t->prefixed && keys[i] == PREFIX;
    }
    if (t->open && t->key_count)
        offer(t);
}

static void on_input(void *ctx, int events)
{
    (void)events;
    struct terminal *t = ctx;
    uint8_t keys[sizeof t->keys];
    ssize_t n = read(t->in, keys, sizeof keys - t->key_count);
    if (n > 0)
        take_keys(t, keys, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        t->ev.key(t->ev.ctx, 'q'); /* the terminal is gone */
}

static void on_output(void *ctx, int events)
{
    (void)events;
    flush(ctx);
}

/* ---- size ---- */

static void measure(struct terminal *t)
{
    struct winsize size;
    t->screen.rows = t->screen.columns = 0;
    if (ioctl(t->out, TIOCGWINSZ, &size) == 0) {
        t->screen.rows = size.ws_row;
        t->screen.columns = size.ws_col;
    }
}

static void begin_screen(struct terminal *t)
{
    char bytes[SCREEN_DRAW_MAX];
    measure(t);
    send_text(t, bytes, screen_begin(&t->screen, bytes));
    terminal_refresh(t);
}

static void on_resized(uv_signal_t *handle, int sig)
{
    (void)sig;
    struct terminal *t = handle->data;
    char bytes[SCREEN_DRAW_MAX];
    send_text(t, bytes, screen_end(&t->screen, bytes));
    begin_screen(t);
}

/* ---- life ---- */

/* A description of our own, so that not blocking on it does not change the
 * shell's. */
static int open_again(int fd, int flags)
{
    char name[64];
    if (!isatty(fd) || ttyname_r(fd, name, sizeof name) != 0)
        return -1;
    return open(name, flags | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
}

static bool make_raw(struct terminal *t)
{
    if (tcgetattr(t->in, &t->before) != 0)
        return false;
    struct termios raw = t->before;
    cfmakeraw(&raw);
    return tcsetattr(t->in, TCSADRAIN, &raw) == 0;
}

void terminal_open(struct terminal *t, uv_loop_t *loop,
                   struct serial_line *line, struct terminal_events ev)
{
    t->open = false;
    t->in = open_again(STDIN_FILENO, O_RDONLY);
    t->out = open_again(STDOUT_FILENO, O_WRONLY);
    if (t->in < 0 || t->out < 0 || !make_raw(t)) {
        terminal_close(t);
        return;
    }
    t->open = true;
    t->loop = loop;
    t->line = line;
    t->ev = ev;
    setlocale(LC_CTYPE, "");
    t->screen.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    ring_init(&t->ring, t->ring_memory, sizeof t->ring_memory);
    t->carrier =
        serial_line_attach(line, (struct carrier){t, put, resume, true});
    t->in_watch = watch_open(loop, t->in, UV_READABLE, on_input, t);
    t->out_watch = watch_open(loop, t->out, 0, on_output, t);
    uv_timer_init(loop, &t->redraw);
    t->redraw.data = t;
    uv_signal_init(loop, &t->resized);
    t->resized.data = t;
    uv_signal_start(&t->resized, on_resized, SIGWINCH);
    begin_screen(t);
    terminal_say(t, help);
}

/* The last bytes go out blocking: nobody will come back for them. */
static void finish(struct terminal *t)
{
    char bytes[SCREEN_DRAW_MAX];
    fcntl(t->out, F_SETFL, 0);
    send_text(t, bytes, screen_end(&t->screen, bytes));
    send_text(t, "\r\n", 2);
    tcsetattr(t->in, TCSADRAIN, &t->before);
}

void terminal_close(struct terminal *t)
{
    if (t->open)
        finish(t);
    t->open = false;
    watch_close(t->in_watch);
    watch_close(t->out_watch);
    t->in_watch = t->out_watch = NULL;
    if (t->in >= 0)
        close(t->in);
    if (t->out >= 0)
        close(t->out);
    t->in = t->out = -1;
}

bool terminal_is_open(const struct terminal *t)
{
    return t->open;
}
