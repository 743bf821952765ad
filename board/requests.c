/* What the control socket may ask of the board. */
#include <stdio.h>

#include "base/err.h"
#include "board/board.h"
#include "board/request.h"

static const char *code_of(int err)
{
    switch (err) {
    case WIPY_EINVAL:
    case WIPY_ERANGE:
    case WIPY_EFORMAT:
        return "invalid";
    case WIPY_EBUSY:
        return "busy";
    case WIPY_ENOENT:
        return "not found";
    default:
        return "failed";
    }
}

static json_t *failure(int err, const char *text)
{
    return json_pack("{s:b, s:{s:s, s:s}}", "ok", 0, "error", "code",
                     code_of(err), "text", text);
}

/* Takes `result` over; NULL = nothing to tell. */
static json_t *success(json_t *result)
{
    return json_pack("{s:b, s:o}", "ok", 1, "result",
                     result ? result : json_object());
}

/* ---- one function a request: the answer, or NULL for one that waits ---- */

static json_t *do_status(struct board *b, const struct request *q)
{
    (void)q;
    return success(board_status(b));
}

/* The answer comes with the event that ends the start; see status.c. */
static json_t *settled_or_later(struct board *b, const struct request *q)
{
    bool settled = b->state != BOARD_RUNNING || b->announced;
    if (!q->wait)
        return success(NULL);
    return settled ? success(board_status(b)) : NULL;
}

static json_t *do_reset(struct board *b, const struct request *q)
{
    if (!board_is_on(b))
        return failure(WIPY_EPERM, "the power is off: 'wipy power on' first");
    if (q->pin >= 0)
        board_drive(b, (unsigned)q->pin, q->drive, q->for_ms);
    board_reset(b, BUS_RESET_HARD, q->loader);
    return settled_or_later(b, q);
}

static json_t *do_power(struct board *b, const struct request *q)
{
    if (q->on)
        board_power_on(b);
    else
        board_power_off(b);
    return settled_or_later(b, q);
}

static json_t *pin_status(const struct board *b, unsigned gp)
{
    const struct bus_cpu_regs *r = b->wires.cpu;
    bool output = atomic_load(&r->pin_dir) >> gp & 1;
    char name[16];
    snprintf(name, sizeof name, "GP%u", gp);
    return json_pack("{s:s, s:i, s:s, s:s}", "pin", name, "level",
                     (int)(b->wires.board->pin_level >> gp & 1), "drive",
                     pin_drive_name(pins_driven(&b->pins, gp)), "cpu",
                     output ? "output" : "input");
}

static json_t *do_pin(struct board *b, const struct request *q)
{
    if (q->drives)
        board_drive(b, (unsigned)q->pin, q->drive, q->for_ms);
    if (q->pin >= 0)
        return success(pin_status(b, (unsigned)q->pin));
    json_t *all = json_array();
    for (unsigned gp = 0; gp < PIN_COUNT; gp++)
        json_array_append_new(all, pin_status(b, gp));
    return success(json_pack("{s:o}", "pins", all));
}

static json_t *led_history(const struct board *b)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < led_kept(&b->led); i++) {
        struct led_change change = led_at(&b->led, i);
        char rgb[8];
        snprintf(rgb, sizeof rgb, "%06x", board_led_seen(b, change.rgb));
        json_array_append_new(
            all,
            json_pack("{s:I, s:s}", "ms", (json_int_t)change.ms, "rgb", rgb));
    }
    return all;
}

static json_t *do_led(struct board *b, const struct request *q)
{
    json_t *led = board_led_status(b);
    json_object_set_new(led, "ms",
                        json_integer((json_int_t)clock_ms(&b->clock)));
    json_object_set_new(led, "changes",
                        json_integer((json_int_t)b->led.changes));
    if (q->history)
        json_object_set_new(led, "history", led_history(b));
    return success(led);
}

static json_t *do_flips(struct board *b, uint32_t count)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < count; i++) {
        unsigned bit;
        uint32_t off = chip_flip_any(&b->chip, &bit);
        if (i < 1000) /* enough to look at */
            json_array_append_new(all,
                                  json_pack("{s:I, s:i}", "addr",
                                            (json_int_t)off, "bit", (int)bit));
    }
    return success(json_pack("{s:o}", "flipped", all));
}

static json_t *do_fault(struct board *b, const struct request *q)
{
    switch (q->fault) {
    case FAULT_CUT:
        chip_cut(&b->chip, q->nth, q->tear);
        return success(NULL);
    case FAULT_FLIP:
        if (chip_flip(&b->chip, q->addr, q->bit) != 0)
            return failure(WIPY_ERANGE, "that address is past the chip's end");
        return success(NULL);
    case FAULT_FLIPS:
        return do_flips(b, q->count);
    case FAULT_TIMING:
        b->bus.timing = b->loader.timing = q->on;
        return success(NULL);
    case FAULT_BROWN_OUT:
        board_reset(b, BUS_RESET_BROWN_OUT, false);
        return success(NULL);
    case FAULT_CLEAR:
        chip_cut(&b->chip, 0, CHIP_TEAR_NONE);
        b->bus.timing = b->loader.timing = false;
        return success(NULL);
    }
    return failure(WIPY_EINVAL, "no such fault");
}

static json_t *do_sd(struct board *b, const struct request *q)
{
    struct problem problem;
    if (q->insert) {
        int err = sdcard_insert(&b->card, q->file, &problem);
        if (err)
            return failure(err, problem.text);
    } else if (q->remove) {
        sdcard_remove(&b->card);
    }
    board_card_changed(b);
    json_t *status = board_status(b);
    json_t *card = json_incref(json_object_get(status, "sd"));
    json_decref(status);
    return success(json_pack("{s:o}", "sd", card));
}

static json_t *do_quit(struct board *b, const struct request *q)
{
    (void)q;
    board_quit(b);
    return success(NULL);
}

static json_t *answer(struct board *b, struct control_client *client,
                      const struct request *q)
{
    static json_t *(*const does[])(struct board *, const struct request *) = {
        [REQUEST_STATUS] = do_status, [REQUEST_RESET] = do_reset,
        [REQUEST_POWER] = do_power,   [REQUEST_PIN] = do_pin,
        [REQUEST_LED] = do_led,       [REQUEST_FAULT] = do_fault,
        [REQUEST_SD] = do_sd,         [REQUEST_WATCH] = do_status,
        [REQUEST_QUIT] = do_quit,
    };
    if (q->op == REQUEST_WATCH)
        client->watching = true;
    return does[q->op](b, q);
}

json_t *board_request(struct board *b, struct control_client *client,
                      const char *line, size_t len)
{
    struct request q;
    char why[200];
    int err = request_read(&q, line, len, why, sizeof why);
    json_t *reply = err ? failure(err, why) : answer(b, client, &q);
    if (reply) {
        if (q.id)
            json_object_set(reply, "id", q.id);
        json_decref(q.id);
        return reply;
    }
    json_decref(client->waiting_id);
    client->waiting_id = q.id;
    client->waiting = true;
    return NULL;
}
