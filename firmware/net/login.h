/* Who may come in: one login for telnet, FTP and the panel.
 *
 * The password is never kept: what is stored is user name, salt and
 * PBKDF2-HMAC-SHA-256 (RFC 8018). Comparisons take the same time whatever the
 * contents, and a wrong user name costs the same as a wrong password.
 *
 * Guessing is slowed down per address: after each failure the next attempt of
 * that address is answered later (0.25 s, 0.5 s, 1 s ... 8 s), after ten the
 * address is locked out for a minute, then two, four ... sixteen. A success,
 * or half an hour without an attempt, forgets it.
 *
 * An attacker with many addresses has a fresh start with each, and more of
 * them than can be remembered. So all addresses that never logged in share a
 * budget: 32 failures at once, then one in four seconds, whatever their
 * number: 21,600 guesses a day. Who waits for it has its turn by rank: first
 * addresses of networks (/16, then /24) from where nobody failed three times
 * within the hour, then those that did not themselves, by chance among equals.
 * So a newcomer is the next to be judged, unless the attackers have as many
 * fresh networks: then, among k of them that hold sessions, its turn comes
 * after about 4 k seconds. (Judging the right password at once whatever the
 * budget would be no help: an attacker would take the silence for a no, and
 * guess as fast as it connects.) The eight addresses that logged in last need
 * no budget, nobody but another login takes their place, and sessions give way
 * to them (net_lobby_ms): their owners do not notice the attack. (Only who
 * attacks from the owner's own address, behind the same router or on the same
 * machine, can lock that address out; another address and the serial line stay
 * open.) Thread-safe. */
#ifndef WIPY_FIRMWARE_LOGIN_H
#define WIPY_FIRMWARE_LOGIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOGIN_MAX = 32, /* bytes of user name and of password */
    LOGIN_SALT = 16,
    LOGIN_HASH = 32,
    LOGIN_ROUNDS = 1000, /* about 1 ms on a small host */
    LOGIN_RECORD = 1 + 1 + LOGIN_MAX + LOGIN_SALT + LOGIN_HASH,
    LOGIN_ADDRESSES = 64,   /* that failed, remembered at once */
    LOGIN_KNOWN = 8,        /* that logged in */
    LOGIN_LOCK_AFTER = 10,  /* failures */
    LOGIN_BUDGET = 32,      /* failures of all that are not known, at once */
    LOGIN_BUDGET_MS = 4000, /* then one each */
    LOGIN_FORGET_MIN = 30,  /* without an attempt */
    LOGIN_MARKS = 4096,     /* of networks and addresses that failed, */
    LOGIN_MARK_MIN = 60,    /* for so many minutes, when */
    LOGIN_MARK_AT = 3,      /* so often: who mistypes is no attacker */
};

/* Where the record lies (nvs). Both return 0 or a negative enum wipy_err;
 * load of a record never saved is WIPY_ENOENT. They are called from
 * login_open() and from the thread that calls login_set(). */
struct login_store {
    void *ctx;
    int (*load)(void *ctx, uint8_t record[LOGIN_RECORD]);
    int (*save)(void *ctx, const uint8_t record[LOGIN_RECORD]);
    int (*random)(void *ctx, uint8_t *to, size_t len); /* NULL: getrandom */
};

struct login_address {
    uint32_t addr; /* network order; 0 = free entry */
    uint32_t failures;
    uint64_t next_ms; /* not before this is an attempt looked at */
    uint64_t last_ms;
};

struct login_mark {
    uint16_t minute; /* of the last one */
    uint16_t count;
};

struct login {
    pthread_mutex_t lock;
    struct login_store store;
    uint8_t record[LOGIN_RECORD];
    bool factory; /* micro / python */
    struct login_address seen[LOGIN_ADDRESSES];
    struct login_address known[LOGIN_KNOWN];
    uint32_t budget;
    uint64_t budget_ms; /* when it last grew */
    /* Failures from a /16, a /24, an address, each in two places by hash: one
     * that shares both with others only loses its rank. */
    struct login_mark mark[3][2][LOGIN_MARKS];
};

enum login_verdict {
    LOGIN_OK = 0,
    LOGIN_WRONG = 1,
    LOGIN_LOCKED = 2, /* the address is locked out; see login_wait_ms */
};

/* Loads the stored login, or micro / python when there is none. A damaged
 * record is reported by WIPY_ECORRUPT (and the factory login is in force):
 * the caller logs it. */
int login_open(struct login *l, const struct login_store *store);

/* Changes the login and stores it. WIPY_EINVAL: empty, too long, or with a
 * control character. */
int login_set(struct login *l, const char *user, const char *password);

bool login_is_factory(struct login *l);

/* 0 for the addresses that logged in last; 1: nobody failed often from its
 * /16, 2: from its /24, 3: from itself; 4: it did. */
enum { LOGIN_KNOWN_RANK = 0 };
unsigned login_rank(struct login *l, uint32_t addr, uint64_t now_ms);

/* How long an attempt from `addr` must wait from now, in ms; 0 = look now,
 * otherwise ask again then. More than 8000 means locked out. */
uint64_t login_wait_ms(struct login *l, uint32_t addr, uint64_t now_ms);

/* Judges an attempt. The caller has waited as told. */
enum login_verdict login_check(struct login *l, uint32_t addr, const void *user,
                               size_t user_len, const void *password,
                               size_t password_len, uint64_t now_ms);

#endif
