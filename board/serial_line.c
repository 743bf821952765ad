#include "serial_line.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 4096 };

static void set_events(struct serial_line *line)
{
    int events = UV_READABLE | (ring_used(&line->in) ? UV_WRITABLE : 0);
    watch_set(line->watch, events);
}

/* A slow line may carry more now. */
static void on_pace(void *ctx)
{
    struct serial_line *line = ctx;
    set_events(line);
    if (line->loading)
        line->loader.room(line->loader.ctx);
    serial_line_resume(line);
}

void serial_line_init(struct serial_line *line, uv_loop_t *loop,
                      struct serial_line_loader loader)
{
    *line = (struct serial_line){.loop = loop, .socket = -1, .loader = loader};
    pace_init(&line->pace, loop, on_pace, line);
    ring_init(&line->in, line->in_memory, sizeof line->in_memory);
}

const struct carrier *serial_line_attach(struct serial_line *line,
                                         struct carrier carrier)
{
    struct carrier *place = &line->carriers[line->carrier_count++];
    *place = carrier;
    return place;
}

void serial_line_put(struct serial_line *line, const uint8_t *data, size_t len)
{
    for (unsigned i = 0; i < line->carrier_count; i++)
        line->carriers[i].put(line->carriers[i].ctx, data, len);
}

void serial_line_print(struct serial_line *line, const char *text)
{
    serial_line_put(line, (const uint8_t *)text, strlen(text));
}

size_t serial_line_put_client(struct serial_line *line, const uint8_t *data,
                              size_t len)
{
    struct pace *pace = &line->pace;
    len = pace_allow(pace, &pace->out, len);
    if (len && line->client)
        len = line->client->put(line->client->ctx, data, len);
    else
        serial_line_put(line, data, len);
    pace_spend(pace, &pace->out, len);
    return len;
}

void serial_line_resume(struct serial_line *line)
{
    if (!line->held_back)
        return;
    line->held_back = false;
    for (unsigned i = 0; i < line->carrier_count; i++)
        if (line->carriers[i].resume)
            line->carriers[i].resume(line->carriers[i].ctx);
}

void serial_line_carrier_drained(struct serial_line *line,
                                 const struct carrier *carrier)
{
    if (line->loading && (!line->client || line->client == carrier))
        line->loader.room(line->loader.ctx);
}

/* ---- what the CPU said last ---- */

static void remember(struct serial_line *line, const char *text, size_t len)
{
    if (len > SERIAL_LINE_SAID_MAX) {
        text += len - SERIAL_LINE_SAID_MAX;
        len = SERIAL_LINE_SAID_MAX;
    }
    size_t keep = SERIAL_LINE_SAID_MAX - len;
    if (keep > line->said_len)
        keep = line->said_len;
    memmove(line->said, line->said + line->said_len - keep, keep);
    memcpy(line->said + keep, text, len);
    line->said_len = keep + len;
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

void serial_line_last_line(const struct serial_line *line, char *to,
                           size_t size)
{
    size_t end = line->said_len, len = 0;
    while (end &&
           !(is_printable(line->said[end - 1]) && line->said[end - 1] != ' '))
        end--;
    size_t start = end;
    while (start && line->said[start - 1] != '\n')
        start--;
    for (; start < end && len + 1 < size; start++)
        if (is_printable(line->said[start]))
            to[len++] = line->said[start];
    to[len] = 0;
}

/* ---- to and from the CPU ---- */

enum carried { CARRIED_SOME, CARRIED_ALL, CARRIED_END };

/* What the CPU printed, at most `max` bytes of it, to the carriers. */
static enum carried carry_output(struct serial_line *line, size_t max)
{
    uint8_t data[CHUNK];
    ssize_t n = recv(line->socket, data, max, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? CARRIED_ALL : CARRIED_END;
    if (n == 0)
        return CARRIED_END;
    remember(line, (const char *)data, (size_t)n);
    serial_line_put(line, data, (size_t)n);
    pace_spend(&line->pace, &line->pace.out, (size_t)n);
    return CARRIED_SOME;
}

static void carry_input(struct serial_line *line)
{
    const uint8_t *at;
    size_t len;
    while ((len = ring_peek(&line->in, &at))) {
        ssize_t n = send(line->socket, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            break;
        ring_drop(&line->in, (size_t)n);
    }
    set_events(line);
    serial_line_resume(line);
}

static void on_socket(void *ctx, int events)
{
    struct serial_line *line = ctx;
    if (events & UV_WRITABLE)
        carry_input(line);
    if (!(events & UV_READABLE))
        return;
    size_t may = pace_allow(&line->pace, &line->pace.out, CHUNK);
    bool end = may && carry_output(line, may) == CARRIED_END;
    if (may == 0 || end) /* until on_pace; or its end is noticed elsewhere */
        watch_set(line->watch, 0);
}

void serial_line_start(struct serial_line *line, int socket)
{
    serial_line_stop(line);
    line->said_len = 0;
    line->socket = socket;
    line->watch = watch_open(line->loop, socket, UV_READABLE, on_socket, line);
}

void serial_line_stop(struct serial_line *line)
{
    if (line->socket >= 0)
        while (carry_output(line, CHUNK) == CARRIED_SOME)
            ;
    watch_close(line->watch);
    line->watch = NULL;
    line->socket = -1;
    ring_clear(&line->in);
    serial_line_resume(line);
}

void serial_line_set_loading(struct serial_line *line, bool loading)
{
    line->loading = loading;
    line->client = NULL;
    serial_line_resume(line);
}

static size_t feed_loader(struct serial_line *line, const struct carrier *from,
                          const uint8_t *data, size_t len)
{
    line->client = from;
    return line->loader.feed(line->loader.ctx, data, len);
}

static size_t feed_cpu(struct serial_line *line, const uint8_t *data,
                       size_t len)
{
    if (line->socket < 0)
        return len;
    size_t taken = ring_put(&line->in, data, len);
    /* Not carry_input: it may call the carrier that is calling us. */
    set_events(line);
    return taken;
}

size_t serial_line_feed(struct serial_line *line, const struct carrier *from,
                        const uint8_t *data, size_t len)
{
    struct pace *pace = &line->pace;
    if (line->loading && from->person)
        return len;
    size_t may = pace_allow(pace, &pace->in, len);
    size_t taken = line->loading ? feed_loader(line, from, data, may)
                                 : feed_cpu(line, data, may);
    pace_spend(pace, &pace->in, taken);
    if (taken < len)
        line->held_back = true;
    return taken;
}
