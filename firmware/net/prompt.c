/* Between the prompt and the clients that see it. */
#include <string.h>
#include <sys/socket.h>

#include "private.h"

enum { OUTPUT_ROUNDS = 16 }; /* of the prompt's output, then others' turn */

size_t net_input(struct net *net, const uint8_t *data, size_t len)
{
    struct console *console = net->config.console;
    int key = console_interrupt(console);
    size_t room = console_room(console);
    /* Up to an interrupt everything is taken: it makes room by itself. */
    if (len > room) {
        size_t n = len;
        while (key >= 0 && n && data[n - 1] != (uint8_t)key)
            n--;
        len = key >= 0 && n ? n : room;
    }
    if (len)
        console_feed(console, data, len);
    return len;
}

bool net_look_ahead(struct net *net, int fd)
{
    static uint8_t ahead[INPUT_AHEAD]; /* the loop's thread only */
    int key = console_interrupt(net->config.console);
    if (key < 0)
        return false;
    uint8_t byte = (uint8_t)key;
    ssize_t n = recv(fd, ahead, sizeof ahead, MSG_PEEK | MSG_DONTWAIT);
    const uint8_t *at = n > 0 ? memchr(ahead, byte, (size_t)n) : NULL;
    if (!at)
        return false;
    (void)!recv(fd, ahead, (size_t)(at - ahead) + 1, MSG_DONTWAIT);
    console_feed(net->config.console, &byte, 1);
    return true;
}

bool net_boot_key(struct net *net)
{
    if (!net->config.safe_boot || net->config.wipy1)
        return false;
    net->boot_wanted = true;
    pthread_mutex_lock(&net->lock);
    net->want_closed = true;
    pthread_mutex_unlock(&net->lock);
    net_wake(net);
    return true;
}

static size_t output_room(struct net *net)
{
    size_t room = uart_room(&net->uart, net->now_ms);
    for (int i = 0; i < TELNET_SLOTS; i++) {
        struct telnet_conn *c = &net->telnet[i];
        if (c->state != CONN_OPEN)
            continue;
        size_t own = telnet_room(&c->telnet, net->now_ms);
        room = own < room ? own : room;
    }
    return room;
}

bool net_move_output(struct net *net)
{
    uint8_t data[4096];
    for (int round = 0; round < OUTPUT_ROUNDS; round++) {
        size_t room = output_room(net);
        if (room == 0)
            return true;
        room = room < sizeof data ? room : sizeof data;
        size_t len = console_take(net->config.console, data, room);
        if (!len)
            return false;
        uart_print(&net->uart, data, len, net->now_ms);
        for (int i = 0; i < TELNET_SLOTS; i++) {
            struct telnet_conn *c = &net->telnet[i];
            if (c->state == CONN_OPEN) {
                telnet_print(&c->telnet, data, len, net->now_ms);
                telnet_conn_flush(c);
            }
        }
    }
    return false;
}
