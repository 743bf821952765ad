#define _GNU_SOURCE
#include "login.h"

#include <arpa/inet.h>
#include <bearssl_hmac.h>
#include <string.h>
#include <sys/random.h>

#include "base/digest.h"
#include "base/err.h"

enum {
    RECORD_VERSION = 1,
    AT_LENGTH = 1, /* of the user name; the name is padded with zeros */
    AT_USER = 2,
    AT_SALT = AT_USER + LOGIN_MAX,
    AT_HASH = AT_SALT + LOGIN_SALT,
    FIRST_DELAY_MS = 250,
    DELAY_MAX_MS = 8000,
    LOCK_MS = 60000,
    LOCK_MAX_MS = 16 * 60000,
    FORGET_MS = LOGIN_FORGET_MIN * 60000,
    RANK_MS = 1000, /* between the turns of two ranks */
};
_Static_assert(AT_HASH + LOGIN_HASH == LOGIN_RECORD, "record layout");

/* ---- the stored form ---- */

/* PBKDF2 (RFC 8018 section 5.2), one block of HMAC-SHA-256. */
static void derive(uint8_t out[LOGIN_HASH], const void *password, size_t len,
                   const uint8_t salt[LOGIN_SALT])
{
    br_hmac_key_context key;
    br_hmac_context hmac;
    uint8_t u[LOGIN_HASH];
    static const uint8_t block_1[4] = {0, 0, 0, 1};

    br_hmac_key_init(&key, &br_sha256_vtable, password, len);
    br_hmac_init(&hmac, &key, 0);
    br_hmac_update(&hmac, salt, LOGIN_SALT);
    br_hmac_update(&hmac, block_1, sizeof block_1);
    br_hmac_out(&hmac, u);
    memcpy(out, u, LOGIN_HASH);
    for (int i = 1; i < LOGIN_ROUNDS; i++) {
        br_hmac_init(&hmac, &key, 0);
        br_hmac_update(&hmac, u, LOGIN_HASH);
        br_hmac_out(&hmac, u);
        for (int k = 0; k < LOGIN_HASH; k++)
            out[k] ^= u[k];
    }
}

static int fill_random(const struct login_store *store, uint8_t *to, size_t len)
{
    if (store->random)
        return store->random(store->ctx, to, len);
    return getrandom(to, len, 0) == (ssize_t)len ? 0 : WIPY_EIO;
}

static int make_record(uint8_t record[LOGIN_RECORD],
                       const struct login_store *store, const char *user,
                       const char *password)
{
    memset(record, 0, LOGIN_RECORD);
    record[0] = RECORD_VERSION;
    record[AT_LENGTH] = (uint8_t)strlen(user);
    memcpy(record + AT_USER, user, strlen(user));
    int err = fill_random(store, record + AT_SALT, LOGIN_SALT);
    if (err == 0)
        derive(record + AT_HASH, password, strlen(password), record + AT_SALT);
    return err;
}

static bool record_is_sound(const uint8_t record[LOGIN_RECORD])
{
    return record[0] == RECORD_VERSION && record[AT_LENGTH] > 0 &&
           record[AT_LENGTH] <= LOGIN_MAX;
}

static bool record_accepts(const uint8_t record[LOGIN_RECORD], const void *user,
                           size_t user_len, const void *password,
                           size_t password_len)
{
    uint8_t name[LOGIN_MAX] = {0};
    uint8_t hash[LOGIN_HASH];
    /* HMAC pads its key with zeros, so a NUL at the end would not count. */
    bool fits = user_len > 0 && user_len <= LOGIN_MAX && password_len > 0 &&
                password_len <= LOGIN_MAX && !memchr(password, 0, password_len);
    memcpy(name, user, fits ? user_len : 0);
    /* Always the same work, so that time does not tell which was wrong. */
    derive(hash, password, fits ? password_len : 0, record + AT_SALT);
    bool right_name = equal_const_time(name, record + AT_USER, LOGIN_MAX);
    bool right_hash = equal_const_time(hash, record + AT_HASH, LOGIN_HASH);
    return fits & right_name & right_hash & (user_len == record[AT_LENGTH]);
}

int login_open(struct login *l, const struct login_store *store)
{
    *l = (struct login){.store = *store, .budget = LOGIN_BUDGET};
    pthread_mutex_init(&l->lock, NULL);
    int err = store->load ? store->load(store->ctx, l->record) : WIPY_ENOENT;
    if (err == 0 && record_is_sound(l->record))
        l->factory = record_accepts(l->record, "micro", 5, "python", 6);
    else {
        l->factory = true;
        int made = make_record(l->record, store, "micro", "python");
        if (made)
            return made;
        return err == WIPY_ENOENT ? 0 : WIPY_ECORRUPT;
    }
    return 0;
}

/* Control characters cannot be sent over telnet and FTP. */
static bool can_be_typed(const char *text)
{
    size_t len = strlen(text);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    return len > 0 && len <= LOGIN_MAX;
}

int login_set(struct login *l, const char *user, const char *password)
{
    uint8_t record[LOGIN_RECORD];
    if (!can_be_typed(user) || !can_be_typed(password))
        return WIPY_EINVAL;
    int err = make_record(record, &l->store, user, password);
    if (err)
        return err;
    pthread_mutex_lock(&l->lock);
    memcpy(l->record, record, sizeof record);
    l->factory = !strcmp(user, "micro") && !strcmp(password, "python");
    pthread_mutex_unlock(&l->lock);
    return l->store.save ? l->store.save(l->store.ctx, record) : 0;
}

bool login_is_factory(struct login *l)
{
    pthread_mutex_lock(&l->lock);
    bool factory = l->factory;
    pthread_mutex_unlock(&l->lock);
    return factory;
}

/* ---- addresses ---- */

static bool is_forgotten(const struct login_address *a, uint64_t now_ms)
{
    return now_ms >= a->last_ms + FORGET_MS && now_ms >= a->next_ms;
}

static struct login_address *find_known(struct login *l, uint32_t addr)
{
    for (int i = 0; i < LOGIN_KNOWN; i++)
        if (l->known[i].addr == addr && addr)
            return &l->known[i];
    return NULL;
}

static struct login_address *find(struct login *l, uint32_t addr)
{
    struct login_address *known = find_known(l, addr);
    if (known)
        return known;
    for (int i = 0; i < LOGIN_ADDRESSES; i++)
        if (l->seen[i].failures && l->seen[i].addr == addr)
            return &l->seen[i];
    return NULL;
}

/* Its own entry, a free one, or the one with the fewest failures: many
 * addresses with one each cannot push out the one that guesses in earnest. */
static struct login_address *entry_for(struct login *l, uint32_t addr,
                                       uint64_t now_ms)
{
    struct login_address *best = find(l, addr);
    for (int i = 0; i < LOGIN_ADDRESSES; i++) {
        if (is_forgotten(&l->seen[i], now_ms))
            l->seen[i].failures = 0;
        if (!best ||
            (best->addr != addr && l->seen[i].failures < best->failures))
            best = &l->seen[i];
    }
    if (best->addr != addr || !best->failures)
        *best = (struct login_address){.addr = addr};
    return best;
}

static uint64_t delay_of(uint32_t failures)
{
    uint64_t ms;
    if (failures < LOGIN_LOCK_AFTER) {
        ms = failures > 6 ? DELAY_MAX_MS
                          : (uint64_t)FIRST_DELAY_MS << (failures - 1);
        return ms < DELAY_MAX_MS ? ms : DELAY_MAX_MS;
    }
    uint32_t more = failures - LOGIN_LOCK_AFTER;
    return more > 4 ? LOCK_MAX_MS : (uint64_t)LOCK_MS << more;
}

/* ---- the budget of all who are not known ---- */

static bool budget_is_empty(struct login *l, uint64_t now_ms)
{
    uint64_t grown = (now_ms - l->budget_ms) / LOGIN_BUDGET_MS;
    if (grown >= LOGIN_BUDGET - l->budget) {
        l->budget = LOGIN_BUDGET;
        l->budget_ms = now_ms;
    } else {
        l->budget += (uint32_t)grown;
        l->budget_ms += grown * LOGIN_BUDGET_MS;
    }
    return l->budget == 0;
}

/* Not to be guessed by strangers. */
static uint64_t mix(const struct login *l, uint64_t value)
{
    uint64_t salt;
    memcpy(&salt, l->record + AT_SALT, sizeof salt);
    value = (value ^ salt) * 0x9e3779b97f4a7c15u;
    return (value ^ value >> 32) * 0x9e3779b97f4a7c15u >> 32;
}

static uint16_t minute(uint64_t now_ms)
{
    return (uint16_t)(now_ms / 60000);
}

/* `wide`: 0 for the /16, 1 for the /24, 2 for the address; `place` 0 or 1. */
static struct login_mark *mark_of(struct login *l, uint32_t addr, unsigned wide,
                                  unsigned place)
{
    uint64_t network = ntohl(addr) >> (16 - 8 * wide);
    uint64_t hash = mix(l, (uint64_t)place << 32 | network);
    return &l->mark[wide][place][hash % LOGIN_MARKS];
}

static bool is_old(const struct login_mark *mark, uint64_t now_ms)
{
    return (uint16_t)(minute(now_ms) - mark->minute) >= LOGIN_MARK_MIN;
}

static bool is_marked(struct login *l, uint32_t addr, unsigned wide,
                      uint64_t now_ms)
{
    for (unsigned place = 0; place < 2; place++) {
        const struct login_mark *mark = mark_of(l, addr, wide, place);
        if (mark->count < LOGIN_MARK_AT || is_old(mark, now_ms))
            return false;
    }
    return true;
}

static unsigned rank_of(struct login *l, uint32_t addr, uint64_t now_ms)
{
    if (find_known(l, addr))
        return LOGIN_KNOWN_RANK;
    unsigned wide = 0;
    while (wide < 3 && is_marked(l, addr, wide, now_ms))
        wide++;
    return wide + 1;
}

unsigned login_rank(struct login *l, uint32_t addr, uint64_t now_ms)
{
    pthread_mutex_lock(&l->lock);
    unsigned rank = rank_of(l, addr, now_ms);
    pthread_mutex_unlock(&l->lock);
    return rank;
}

/* A new attempt is there for the first rank when the budget grows, and for the
 * next ones when it has lain there for a while; somewhere in that time, or the
 * first in some table would always win. */
static uint64_t budget_wait(struct login *l, uint32_t addr, uint64_t now_ms)
{
    unsigned rank = rank_of(l, addr, now_ms);
    if (rank == LOGIN_KNOWN_RANK)
        return 0;
    bool empty = budget_is_empty(l, now_ms);
    uint64_t grows_ms = l->budget_ms + (empty ? LOGIN_BUDGET_MS : 0);
    uint64_t at_ms = grows_ms + (rank - 1) * RANK_MS +
                     mix(l, ntohl(addr) ^ grows_ms << 32) % RANK_MS;
    return l->budget > 1 || at_ms < now_ms ? 0 : at_ms - now_ms;
}

static uint64_t wait_of(struct login *l, uint32_t addr, uint64_t now_ms)
{
    const struct login_address *a = find(l, addr);
    uint64_t wait = a && a->next_ms > now_ms ? a->next_ms - now_ms : 0;
    return wait ? wait : budget_wait(l, addr, now_ms);
}

uint64_t login_wait_ms(struct login *l, uint32_t addr, uint64_t now_ms)
{
    pthread_mutex_lock(&l->lock);
    uint64_t wait = wait_of(l, addr, now_ms);
    pthread_mutex_unlock(&l->lock);
    return wait;
}

static void note_success(struct login *l, uint32_t addr, uint64_t now_ms)
{
    struct login_address *failed = find(l, addr), *place = find_known(l, addr);
    if (failed)
        failed->failures = 0;
    for (int i = 0; i < LOGIN_KNOWN; i++)
        if (!place ||
            (place->addr != addr && l->known[i].last_ms < place->last_ms))
            place = &l->known[i];
    *place = (struct login_address){.addr = addr, .last_ms = now_ms};
}

static void count_failure(struct login_mark *mark, uint64_t now_ms)
{
    if (is_old(mark, now_ms))
        mark->count = 0;
    if (mark->count < LOGIN_MARK_AT)
        mark->count++;
    mark->minute = minute(now_ms);
}

static void note_failure(struct login *l, uint32_t addr, uint64_t now_ms)
{
    struct login_address *a = find_known(l, addr);
    if (!a) {
        a = entry_for(l, addr, now_ms);
        l->budget -= l->budget > 0;
        for (unsigned i = 0; i < 6; i++)
            count_failure(mark_of(l, addr, i / 2, i % 2), now_ms);
    }
    if (is_forgotten(a, now_ms))
        a->failures = 0;
    a->failures++;
    a->last_ms = now_ms;
    a->next_ms = now_ms + delay_of(a->failures);
}

enum login_verdict login_check(struct login *l, uint32_t addr, const void *user,
                               size_t user_len, const void *password,
                               size_t password_len, uint64_t now_ms)
{
    uint8_t record[LOGIN_RECORD];
    pthread_mutex_lock(&l->lock);
    bool locked = wait_of(l, addr, now_ms) > 0;
    memcpy(record, l->record, sizeof record);
    pthread_mutex_unlock(&l->lock);
    if (locked)
        return LOGIN_LOCKED;

    bool right = record_accepts(record, user, user_len, password, password_len);
    pthread_mutex_lock(&l->lock);
    if (right)
        note_success(l, addr, now_ms);
    else
        note_failure(l, addr, now_ms);
    pthread_mutex_unlock(&l->lock);
    return right ? LOGIN_OK : LOGIN_WRONG;
}
