#include "uart.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 4096 };

static void set_events(struct uart *uart)
{
    int events = UV_READABLE | (ring_used(&uart->in) ? UV_WRITABLE : 0);
    watch_set(uart->watch, events);
}

/* A slow line may carry more now. */
static void on_pace(void *ctx)
{
    struct uart *uart = ctx;
    set_events(uart);
    if (uart->loading)
        uart->loader.room(uart->loader.ctx);
    uart_resume(uart);
}

void uart_init(struct uart *uart, uv_loop_t *loop, struct uart_loader loader)
{
    *uart = (struct uart){.loop = loop, .socket = -1, .loader = loader};
    pace_init(&uart->pace, loop, on_pace, uart);
    ring_init(&uart->in, uart->in_memory, sizeof uart->in_memory);
}

const struct carrier *uart_attach(struct uart *uart, struct carrier carrier)
{
    struct carrier *place = &uart->carriers[uart->carrier_count++];
    *place = carrier;
    return place;
}

void uart_put(struct uart *uart, const uint8_t *data, size_t len)
{
    for (unsigned i = 0; i < uart->carrier_count; i++)
        uart->carriers[i].put(uart->carriers[i].ctx, data, len);
}

void uart_print(struct uart *uart, const char *text)
{
    uart_put(uart, (const uint8_t *)text, strlen(text));
}

size_t uart_put_client(struct uart *uart, const uint8_t *data, size_t len)
{
    struct pace *pace = &uart->pace;
    len = pace_allow(pace, &pace->out, len);
    if (len && uart->client)
        len = uart->client->put(uart->client->ctx, data, len);
    else
        uart_put(uart, data, len);
    pace_spend(pace, &pace->out, len);
    return len;
}

void uart_resume(struct uart *uart)
{
    if (!uart->held_back)
        return;
    uart->held_back = false;
    for (unsigned i = 0; i < uart->carrier_count; i++)
        if (uart->carriers[i].resume)
            uart->carriers[i].resume(uart->carriers[i].ctx);
}

void uart_carrier_drained(struct uart *uart, const struct carrier *carrier)
{
    if (uart->loading && (!uart->client || uart->client == carrier))
        uart->loader.room(uart->loader.ctx);
}

/* ---- what the CPU said last ---- */

static void remember(struct uart *uart, const char *text, size_t len)
{
    if (len > UART_SAID_MAX) {
        text += len - UART_SAID_MAX;
        len = UART_SAID_MAX;
    }
    size_t keep = UART_SAID_MAX - len;
    if (keep > uart->said_len)
        keep = uart->said_len;
    memmove(uart->said, uart->said + uart->said_len - keep, keep);
    memcpy(uart->said + keep, text, len);
    uart->said_len = keep + len;
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

void uart_last_line(const struct uart *uart, char *to, size_t size)
{
    size_t end = uart->said_len, len = 0;
    while (end &&
           !(is_printable(uart->said[end - 1]) && uart->said[end - 1] != ' '))
        end--;
    size_t start = end;
    while (start && uart->said[start - 1] != '\n')
        start--;
    for (; start < end && len + 1 < size; start++)
        if (is_printable(uart->said[start]))
            to[len++] = uart->said[start];
    to[len] = 0;
}

/* ---- to and from the CPU ---- */

enum carried { CARRIED_SOME, CARRIED_ALL, CARRIED_END };

/* What the CPU printed, at most `max` bytes of it, to the carriers. */
static enum carried carry_output(struct uart *uart, size_t max)
{
    uint8_t data[CHUNK];
    ssize_t n = recv(uart->socket, data, max, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? CARRIED_ALL : CARRIED_END;
    if (n == 0)
        return CARRIED_END;
    remember(uart, (const char *)data, (size_t)n);
    uart_put(uart, data, (size_t)n);
    pace_spend(&uart->pace, &uart->pace.out, (size_t)n);
    return CARRIED_SOME;
}

static void carry_input(struct uart *uart)
{
    const uint8_t *at;
    size_t len;
    while ((len = ring_peek(&uart->in, &at))) {
        ssize_t n = send(uart->socket, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            break;
        ring_drop(&uart->in, (size_t)n);
    }
    set_events(uart);
    uart_resume(uart);
}

static void on_socket(void *ctx, int events)
{
    struct uart *uart = ctx;
    if (events & UV_WRITABLE)
        carry_input(uart);
    if (!(events & UV_READABLE))
        return;
    size_t may = pace_allow(&uart->pace, &uart->pace.out, CHUNK);
    bool end = may && carry_output(uart, may) == CARRIED_END;
    if (may == 0 || end) /* until on_pace; or its end is noticed elsewhere */
        watch_set(uart->watch, 0);
}

void uart_start(struct uart *uart, int socket)
{
    uart_stop(uart);
    uart->said_len = 0;
    uart->socket = socket;
    uart->watch = watch_open(uart->loop, socket, UV_READABLE, on_socket, uart);
}

void uart_stop(struct uart *uart)
{
    if (uart->socket >= 0)
        while (carry_output(uart, CHUNK) == CARRIED_SOME)
            ;
    watch_close(uart->watch);
    uart->watch = NULL;
    uart->socket = -1;
    ring_clear(&uart->in);
    uart_resume(uart);
}

void uart_set_loading(struct uart *uart, bool loading)
{
    uart->loading = loading;
    uart->client = NULL;
    uart_resume(uart);
}

static size_t feed_loader(struct uart *uart, const struct carrier *from,
                          const uint8_t *data, size_t len)
{
    uart->client = from;
    return uart->loader.feed(uart->loader.ctx, data, len);
}

static size_t feed_cpu(struct uart *uart, const uint8_t *data, size_t len)
{
    if (uart->socket < 0)
        return len;
    size_t taken = ring_put(&uart->in, data, len);
    /* Not carry_input: it may call the carrier that is calling us. */
    set_events(uart);
    return taken;
}

size_t uart_feed(struct uart *uart, const struct carrier *from,
                 const uint8_t *data, size_t len)
{
    struct pace *pace = &uart->pace;
    if (uart->loading && from->person)
        return len;
    size_t may = pace_allow(pace, &pace->in, len);
    size_t taken = uart->loading ? feed_loader(uart, from, data, may)
                                 : feed_cpu(uart, data, may);
    pace_spend(pace, &pace->in, taken);
    if (taken < len)
        uart->held_back = true;
    return taken;
}
