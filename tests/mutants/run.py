#!/usr/bin/env python3
"""Breaks the boot chain's rules, one line at a time, and expects the tests to
notice each break.

usage: run.py [NAME...]     (all without names)

Each mutant is compiled apart from the build, with the unit tests of image,
boot and update and then the simulator; the first of them that fails catches
it. A test that does not end in time has not failed: it is said and counted as
a survivor, since a busy machine looks the same.
"""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TESTS = ["unit/image_test", "unit/table_test", "unit/record_test",
         "unit/boot_test", "unit/keys_test", "unit/diary_test",
         "unit/update_test", "unit/update_corner_test",
         "sim/boot_damage_sim", "sim/boot_sim"]
TIME_LIMIT_S = 600

# name: (file, what is there, what stands there instead)
MUTANTS = {
    # the record
    "one copy only": (
        "boot/record.c",
        "store->copies == 2 && (store->host || store->current == 0);",
        "store->host;"),
    "extension not checked": (
        "boot/record.c", " || !bytes_are_sealed(from, RECORD_LEN))", ")"),
    "oldest copy wins": (
        "boot/record.c", "(int32_t)(found.seq - r->seq) > 0",
        "(int32_t)(found.seq - r->seq) < 0"),
    "host's record overwritten before it is adopted": (
        "boot/record.c", "(store->host || store->current == 0)",
        "(store->current == 0)"),
    "host's record believed unchecked": (
        "boot/boot.c", "return slot < SLOTS && b->slot[slot].size ?",
        "return slot < SLOTS ?"),
    "host's record stays": (
        "boot/record.c", "if (store->host && copy)", "if (false)"),
    "head's checksum of another kind": (
        "boot/record.c", "crc32_add(0xffffffffu, head", "crc32_add(0, head"),
    "sequence stands still": (
        "boot/record.c", "drop_blocks(r);\n    r->seq++;",
        "drop_blocks(r);"),
    "appended where attempts were counted": (
        "boot/record.c", "!is_clear(copy + ATTEMPTS_OFF, 256))", "false)"),
    "a torn attempt was none": (
        "boot/record.c",
        "count_words(p + ATTEMPTS_OFF, RECORD_ATTEMPTS, false)",
        "count_words(p + ATTEMPTS_OFF, RECORD_ATTEMPTS, true)"),
    "a torn block counts": (
        "boot/record.c", "count_words(p + BLOCKS_OFF, RECORD_BLOCKS, true)",
        "count_words(p + BLOCKS_OFF, RECORD_BLOCKS, false)"),
    "what is being received may be selected": (
        "boot/boot.c", "if (r->slot[slot].state == SLOT_RECEIVING)",
        "if (false)"),
    "memory keeps what could not be written": (
        "boot/boot.c", "    if (err)\n        load_record(b);\n", ""),

    # the decision
    "attempts are free": (
        "boot/decide.c", "if (!ended_orderly(d) || r->attempts_used == 0)",
        "if (r->attempts_used == 0)"),
    "a sixth attempt": (
        "boot/decide.c", "r->attempts_used >= RECORD_ATTEMPTS",
        "r->attempts_used > RECORD_ATTEMPTS"),
    "watchdog does not end a trial": (
        "boot/decide.c",
        "return d->cause->fault || d->cause->reset == BOOT_RESET_WATCHDOG;",
        "return d->cause->fault;"),
    "a trial whose attempt was not counted goes on": (
        "boot/decide.c",
        "if (ran(d, r->active) && d->retained->trial && faulted(d))",
        "if (r->attempts_used && ran(d, r->active) && d->retained->trial &&"
        " faulted(d))"),
    "no watchdog in a trial": (
        "boot/decide.c", "trial ? BOOT_TRIAL_WATCHDOG_MS : 0;", "0;"),
    "safe boot counts": (
        "boot/decide.c", "slot != r->active || d->safe)",
        "slot != r->active)"),
    "safe boot for ever": (
        "boot/decide.c", "r->safeboot == SAFEBOOT_SOFT && !r->safe_taken);",
        "r->safeboot == SAFEBOOT_SOFT);"),
    "safe boot not noted as taken": (
        "boot/decide.c",
        "(void)boot_record_take_safe(&b->store, &b->record);", ";"),
    "start without verifying": (
        "boot/decide.c", "return fault == IMAGE_FINE;", "return true;"),
    "started from the chip, not from what was verified": (
        "boot/boot.c", "    if (b->memory)\n", "    if (false)\n"),
    "factory before all others": (
        "boot/decide.c", "candidates_of(d->b, wanted_slot(d),",
        "candidates_of(d->b, SLOT_FACTORY,"),
    "given-up images come back": (
        "boot/boot.c",
        "if (old != SLOT_FACTORY)\n        r->slot[old].state = SLOT_BAD;", ""),
    "the way back not verified": (
        "boot/boot.c", "boot_slot_check(b, slot, &im, digest) == IMAGE_FINE)",
        "boot_slot_check(b, slot, &im, digest) >= 0)"),
    "crash loop never seen": (
        "boot/decide.c", "at[0] - oldest > CRASH_WINDOW_MS",
        "at[0] - oldest < CRASH_WINDOW_MS"),
    "crash loop left again and again": (
        "boot/decide.c",
        "r->left_once = d->choice->handover.left != SLOT_NONE;", ";"),
    "re-flashed factory not seen": (
        "boot/boot.c", "return !same_digest(b, slot, true);",
        "return false;"),
    "anybody confirms": (
        "boot/boot.c",
        "r->status != RECORD_CHECK || r->active != executing",
        "r->status != RECORD_CHECK"),
    "executing slot not locked": (
        "boot/decide.c",
        "(executing < SLOTS && p->off == b->slot[executing].off)", "false"),
    "keys not locked": (
        "boot/decide.c",
        "(p->subtype == PART_TABLE2 || p->subtype == PART_KEYS)",
        "p->subtype == PART_TABLE2"),
    "second table not used": (
        "image/table.c", "return load_second(t, chip, chip_size);",
        "return err;"),
    "a table cut short is a short table": (
        "image/table.c", "if (!err && is_cut_short(t, chip, chip_size))",
        "if (false)"),
    "the diary writes over a torn entry": (
        "boot/diary.c", "while (d->next % PER_SECTOR && !",
        "while (false && !"),

    # keys
    "second copy of the keys not used": (
        "boot/keys.c", "    *keys = second;\n", ""),
    "a flipped bit makes lost keys": (
        "boot/keys.c", "written <= KEYS_FLIPPED_MAX", "written == 0"),
    "lost keys are no keys": (
        "boot/keys.c", "    if (a == b)\n        return a;",
        "    if (a == b)\n        return a == KEYS_LOST ? KEYS_NONE : a;"),
    "lost keys, one copy erased, are no keys": (
        "boot/keys.c",
        "    if (b != KEYS_KNOWN)\n        return KEYS_LOST;",
        "    if (b != KEYS_KNOWN)\n        return KEYS_NONE;"),
    "lost keys start anything": (
        "boot/boot.c",
        "if (b->keys_state == KEYS_LOST && slot != SLOT_FACTORY &&",
        "if (false && slot != SLOT_FACTORY &&"),
    "lost keys trust the state alone": (
        "boot/boot.c", "(state != SLOT_GOOD || !same_digest(b, slot, false))",
        "state != SLOT_GOOD"),
    "lost keys take uploads": (
        "update/slot.c", "if (b->keys_state == KEYS_LOST)", "if (false)"),
    "lost keys select anything": (
        "boot/boot.c",
        "if (b->keys_state == KEYS_LOST && candidate_is_poor(b, slot))",
        "if (false)"),

    # the image
    "digest not compared": (
        "image/image.c",
        "memcmp(digest, im->data + im->hashed_len, SHA256_LEN) != 0", "false"),
    "segment not bounded": (
        "image/image.c", "if (s->len > reader_left(r))", "if (false)"),
    "executable's parts not bounded": (
        "image/elf.c", "in_file <= len - off", "true"),
    "executable's headers not bounded": (
        "image/elf.c", "count * PROGRAM_LEN <= len - off", "true"),
    "signature not asked for": (
        "image/image.c", "if (!keys || keys->count == 0)", "if (true)"),
    "any signature of a known key will do": (
        "image/sign.c", "p256_verify(keys->key[i], digest, s->sign)", "true"),
    "MD5 tail not compared": (
        "image/image.c", "if (im->has_tail && md5 && !tail_is(im, md5))",
        "if (false)"),

    # the update
    "slot called good while it is written": (
        "update/slot.c", "{.state = SLOT_RECEIVING};",
        "{.state = SLOT_GOOD};"),
    "half an image as the way back": (
        "update/slot.c", "    if (r->prev == u->slot)\n", "    if (false)\n"),
    "the executing slot is spare": (
        "update/slot.c", "if (i == u->executing || !b->slot[i].size)",
        "if (!b->slot[i].size)"),
    "active stays while its slot is written": (
        "update/slot.c", "    if (r->active == u->slot) {",
        "    if (false) {"),
    "uploads during a trial": (
        "update/slot.c", "if (boot_on_trial(b))", "if (false)"),
    "committed unchecked": (
        "update/intake.c", "return fault ? fail_fault(u, fault) : 0;\n}",
        "return 0;\n}"),
    "bytes behind the tail accepted": (
        "update/intake.c", "fault = im->full_len == u->received",
        "fault = true"),
    "committed without a trial": (
        "update/slot.c",
        "boot_record_activate(r, u->slot, r->active, RECORD_CHECK);",
        "boot_record_activate(r, u->slot, r->active, RECORD_READY);"),
    "the way back forgotten at the commit": (
        "update/slot.c",
        "boot_record_activate(r, u->slot, r->active, RECORD_CHECK);",
        "boot_record_activate(r, u->slot, r->prev, RECORD_CHECK);"),
    "programmed without erasing": (
        "update/store.c", "err = erase(u, off);", ";"),
    "an unwritten sector passes": (
        "update/store.c", "if (memcmp(slot + off, data, n) != 0) {",
        "if (off && memcmp(slot + off, data, n) != 0) {"),
    "progress noted too early": (
        "update/store.c", "(r->blocks + 1u) * FLASH_BLOCK <= u->stored",
        "r->blocks * FLASH_BLOCK <= u->stored"),
    "progress past the slot believed": (
        "update/update.c", "if (noted > b->slot[slot].size)", "if (false)"),
    "resumed without hashing again": (
        "update/intake.c", "return take(u, chip, resume);",
        "u->received = resume;\n    return 0;"),
}


def sources(folder):
    out = []
    for room in ("base", "image", "boot", "words", "update"):
        path = os.path.join(folder, "core", room)
        out += [os.path.join(path, f) for f in sorted(os.listdir(path))
                if f.endswith(".c")]
    return out


def flags_of(folder):
    return ["-std=gnu11", "-O2", "-w", "-I" + folder + "/core",
            "-I" + folder, "-I" + ROOT, "-I" + ROOT + "/tests",
            "-I/usr/include/bearssl"]


def build_rooms(folder):
    lib = os.path.join(folder, "rooms.o")
    subprocess.run(["gcc", *flags_of(folder), "-r", "-o", lib,
                    *sources(folder)], check=True)


def caught_by(folder):
    """Name of the first test that fails, or None and what was seen."""
    for test in TESTS:
        program = os.path.join(folder, os.path.basename(test))
        subprocess.run(
            ["gcc", *flags_of(folder), "-o", program,
             os.path.join(ROOT, "tests", test + ".c"),
             os.path.join(folder, "rooms.o"), "-lcmocka", "-lbearssl"],
            check=True)
        try:
            done = subprocess.run([program], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL,
                                  timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            return None, f"{test} did not end in {TIME_LIMIT_S} s"
        if done.returncode != 0:
            return test, test
    return None, "no test fails"


def mutate(name, folder):
    file, old, new = MUTANTS[name]
    shutil.copytree(ROOT + "/core", folder + "/core")
    path = os.path.join(folder, "core", file)
    with open(path) as f:
        text = f.read()
    if text.count(old) != 1:
        sys.exit(f"mutant '{name}': its line is {text.count(old)} times in "
                 f"{file}; the list needs care")
    with open(path, "w") as f:
        f.write(text.replace(old, new))


def main():
    names = sys.argv[1:] or list(MUTANTS)
    survivors = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            mutate(name, folder)
            build_rooms(folder)
            caught, seen = caught_by(folder)
        survivors += caught is None
        print(f"{'caught  ' if caught else 'SURVIVED'} {name}: {seen}",
              flush=True)
    print(f"{len(names) - survivors} of {len(names)} mutants caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
