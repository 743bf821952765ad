/* What is cut: a state of the board and an act that changes it. */
#ifndef WIPY_TESTS_BOOT_SCENARIOS_H
#define WIPY_TESTS_BOOT_SCENARIOS_H

#include "boot_world.h"

static void put_host_record(uint32_t active, uint32_t status, uint32_t prev)
{
    struct boot_record r = {
        .active = active, .status = status, .prev = prev, .size = 1000};
    uint8_t head[RECORD_HEAD_LEN];
    memset(r.signature, 0xff, sizeof r.signature);
    boot_record_head_write(head, &r);
    model_fill(&m, 0x3d0000, 0xff, 4096);
    model_put(&m, 0x3d0000, head, sizeof head);
}

/* ---- scenarios ---- */

/* What may start after a cut. '=' the old active one; others by name. */
struct scenario {
    const char *name;
    unsigned updates;      /* confirmed before */
    void (*state)(void);   /* what else was before, not cut */
    void (*act)(void);     /* what is cut; begins with a start of its own */
    const char *may_start; /* versions, one letter each */
};

static void act_receive(void)
{
    if (start(&power))
        (void)upload("n", SHORT_CODE, 0);
}

static void act_receive_long(void)
{
    if (start(&power))
        (void)upload("n", LONG_CODE, 0);
}

/* In the same session, without a start between. */
static void act_receive_again(void)
{
    (void)upload("x", SHORT_CODE, 0);
}

/* Half an upload, then the connection breaks. */
static void state_half_received(void)
{
    make_image(image, "n", LONG_CODE, true);
    start(&power);
    must(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0) == 0, "begin");
    must(update_write(&u, image, 65900) == 0, "write");
    update_abort(&u);
}

static void act_resume(void)
{
    if (!start(&power))
        return;
    /* A damaged newest copy of the record has forgotten the upload. */
    uint32_t size = update_resume_size(&u);
    if (layout->damaged < 0 && size != 65536)
        failed("%u bytes to resume from", size);
    (void)upload("n", LONG_CODE, size);
}

static void act_prepare(void)
{
    if (!start(&power))
        return;
    while (update_prepare(&u) == 1)
        ;
}

static void state_pending(void)
{
    if (layout->ota == 1 && s.choice.handover.slot == 1)
        start(&(struct boot_cause){.window = 3});
    must_upload("n");
}

static void act_start(void)
{
    (void)start(&power);
}

static void state_trial(void)
{
    state_pending();
    model_power_on(&m);
    start(&power);
}

static void act_confirm(void)
{
    struct boot b;
    (void)boot_open(&b, &m.flash);
    if (b.record.status == RECORD_CHECK)
        (void)boot_confirm(&b, b.record.active, REASON_SELF_TEST);
}

static void act_user_rollback(void)
{
    struct boot b;
    (void)boot_open(&b, &m.flash);
    (void)boot_rollback(&b, REASON_USER_ROLLBACK);
}

static void act_fault(void)
{
    (void)start(&(struct boot_cause){.reset = 1, .fault = true});
}

static void state_tired(void)
{
    state_pending();
    for (int i = 0; i < RECORD_ATTEMPTS; i++) {
        model_forget();
        model_power_on(&m);
        start(&power);
        must(s.choice.handover.why == WHY_TRIAL, "no trial");
    }
    model_forget();
}

static void act_select_factory(void)
{
    if (start(&power))
        (void)boot_select(&s.boot, 0, NULL);
}

static void act_request_safe(void)
{
    if (start(&power) && boot_request_safe(&s.boot) == 0)
        (void)start(&power);
}

static void state_host_ota(void)
{
    put_host_record(1, RECORD_CHECK, 0);
}

static void state_host_factory(void)
{
    put_host_record(0, RECORD_READY, 0);
}

static void state_blank_record(void)
{
    model_fill(&m, 0x3d0000, 0xff, 0x2000);
}

static void state_reflashed(void)
{
    size_t len = make_image(image, "g", SHORT_CODE, true);
    model_fill(&m, 0x10000, 0xff, SLOT_LEN);
    model_put(&m, 0x10000, image, len);
}

static void state_crashing(void)
{
    for (uint32_t i = 1; i < CRASH_FAULTS; i++) {
        model_power_on(&m);
        start(&(struct boot_cause){.reset = 1, .fault = true, .now_ms = i});
    }
}

static void act_third_crash(void)
{
    (void)start(&(struct boot_cause){.reset = 1, .fault = true, .now_ms = 99});
}

static void act_diary(void)
{
    struct diary d;
    if (!start(&power))
        return;
    diary_open(&d, &s.boot);
    for (uint32_t i = 0; i < 140 && !m.dead; i++) {
        struct diary_entry e = {.kind = DIARY_CHANGE, .run_s = i};
        (void)diary_add(&d, &e);
    }
}

static const struct scenario scenarios[] = {
    {"first start", 0, state_blank_record, act_start, "f"},
    {"receive, new board", 0, NULL, act_receive, "=n"},
    {"receive", 1, NULL, act_receive, "=n"},
    {"receive over the oldest", 2, NULL, act_receive, "=n"},
    {"receive a long one", 0, NULL, act_receive_long, "=n"},
    {"resume", 0, state_half_received, act_resume, "=n"},
    {"prepare", 0, NULL, act_prepare, "="},
    {"prepare over the oldest", 2, NULL, act_prepare, "="},
    {"receive over a pending one", 1, state_pending, act_receive_again, "=xn"},
    {"first start of a pending one", 1, state_pending, act_start, "n"},
    {"start on trial", 1, state_trial, act_start, "n"},
    {"confirm", 1, state_trial, act_confirm, "n"},
    {"rollback by the user", 1, state_trial, act_user_rollback, "no"},
    {"rollback after a fault", 1, state_trial, act_fault, "no"},
    {"rollback after five starts", 1, state_tired, act_start, "o"},
    {"crash loop", 2, state_crashing, act_third_crash, "=ab"},
    {"select factory", 1, NULL, act_select_factory, "=f"},
    {"safe boot asked for", 1, NULL, act_request_safe, "="},
    {"host tool selects an update", 1, state_host_ota, act_start, "=a"},
    {"host tool selects factory", 2, state_host_factory, act_start, "f"},
    {"factory written by a serial tool", 2, state_reflashed, act_start, "g"},
    {"diary", 1, NULL, act_diary, "="},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

#endif
