/* The host's end: any bytes from the line while a command waits.
 *
 * Input: dialect, the command asked, then the line. Whatever is taken for the
 * answer lies inside the frame and is to the command asked. */
#include <assert.h>
#include <string.h>

#include "loader/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 3)
        return 0;
    static struct loader_client client; /* 50 KiB: not anew for each run */
    struct loader_client *c = &client;
    loader_client_init(c);
    c->stub = data[0] & 1;
    c->bare = data[0] & 2;
    size_t step = data[0] / 4 + 1;
    loader_client_send(c, data[1], 0, NULL, 0, NULL, 0, 0, 100);
    volatile uint8_t sum = 0;
    for (size_t at = 2; at < len; at += step) {
        size_t part = len - at < step ? len - at : step;
        for (size_t pos = 0, used; pos < part; pos += used) {
            enum loader_event event =
                loader_client_feed(c, data + at + pos, part - pos, &used);
            assert(used > 0 && used <= part - pos);
            if (event == LOADER_ANSWER) {
                assert(c->answer.op == data[1] && !c->waiting && !c->bare);
                for (size_t i = 0; i < c->answer.len; i++)
                    sum ^= c->answer.data[i];
                (void)sum;
                assert(loader_error_text(c->answer.code));
                loader_client_send_block(c, data[1], 1, data,
                                         len < 100 ? len : 100, 0, 100);
            }
            if (event == LOADER_FRAME)
                for (size_t i = 0; i < c->in.len; i++)
                    sum ^= c->in.data[i];
        }
    }
    assert(loader_client_tick(c, 99) == LOADER_NOTHING);
    assert(!c->waiting || loader_client_tick(c, 100) == LOADER_TIMEOUT);
    return 0;
}
