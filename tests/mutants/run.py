#!/usr/bin/env python3
"""Breaks the boot chain's rules, one line at a time, and expects the tests to
notice each break.

usage: run.py [NAME...]     (all without names)

Each mutant is compiled apart from the build, with the simulator and the unit
tests of image, boot and update; the first of them that fails catches it. The
simulator goes first: most must be its catch.
"""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TESTS = ["sim/boot_sim", "unit/image_test", "unit/table_test",
         "unit/boot_test", "unit/update_test"]

# name: (file, what is there, what stands there instead)
MUTANTS = {
    "one copy only": (
        "boot/record.c", "return s->current == 0;", "return 0;"),
    "extension not checked": (
        "boot/record.c",
        "get_u32(from + CRC_OFF) != crc32_add(0, from, CRC_OFF))", "false)"),
    "oldest copy wins": (
        "boot/record.c", "(int32_t)(found.seq - r->seq) > 0",
        "(int32_t)(found.seq - r->seq) < 0"),
    "host's record overwritten before it is adopted": (
        "boot/record.c", "return s->host == 0;", "return 0;"),
    "host's record believed unchecked": (
        "boot/boot.c", "return slot < SLOTS && b->slot[slot].size ?",
        "return slot < SLOTS ?"),
    "head's checksum of another kind": (
        "boot/record.c", "crc32_add(0xffffffffu, head", "crc32_add(0, head"),
    "attempts are free": (
        "boot/decide.c", "if (!orderly || r->attempts_used == 0)",
        "if (r->attempts_used == 0)"),
    "a sixth attempt": (
        "boot/decide.c", "r->attempts_used >= RECORD_ATTEMPTS",
        "r->attempts_used > RECORD_ATTEMPTS"),
    "watchdog does not end a trial": (
        "boot/decide.c",
        "return d->cause->fault || d->cause->reset == BOOT_RESET_WATCHDOG;",
        "return d->cause->fault;"),
    "safe boot counts": (
        "boot/decide.c", "slot != r->active || d->safe)",
        "slot != r->active)"),
    "safe boot for ever": (
        "boot/decide.c", "r->safeboot == SAFEBOOT_SOFT && !r->safe_taken);",
        "r->safeboot == SAFEBOOT_SOFT);"),
    "start without verifying": (
        "boot/decide.c", "return fault == IMAGE_FINE;", "return true;"),
    "given-up images come back": (
        "boot/boot.c",
        "if (old != SLOT_FACTORY)\n        r->slot[old].state = SLOT_BAD;", ""),
    "crash loop never seen": (
        "boot/decide.c", "at[0] - oldest > CRASH_WINDOW_MS",
        "at[0] - oldest < CRASH_WINDOW_MS"),
    "crash loop left again and again": (
        "boot/decide.c", "r->left_once = leave(d, REASON_CRASH_LOOP);",
        "(void)leave(d, REASON_CRASH_LOOP);"),
    "re-flashed factory not seen": (
        "boot/boot.c",
        "memcmp(im.data + im.hashed_len, digest, SHA256_LEN) != 0;",
        "false;"),
    "anybody confirms": (
        "boot/boot.c",
        "r->status != RECORD_CHECK || r->active != executing",
        "r->status != RECORD_CHECK"),
    "executing slot not locked": (
        "boot/decide.c", "executing < SLOTS && executing != SLOT_FACTORY",
        "false"),
    "keys not locked": (
        "boot/decide.c", "if (!err && keys)", "if (!err && false)"),
    "second table not used": (
        "image/table.c", "return load_second(t, chip, chip_size);",
        "return err;"),
    "digest not compared": (
        "image/image.c",
        "memcmp(digest, data + im->hashed_len, SHA256_LEN) != 0", "false"),
    "segment not bounded": (
        "image/image.c", "if (s->len > reader_left(r))", "if (false)"),
    "signature not asked for": (
        "image/image.c", "if (!keys || keys->count == 0)", "if (true)"),
    "slot called good while it is written": (
        "update/update.c", ".state = SLOT_RECEIVING,", ".state = SLOT_GOOD,"),
    "half an image as the way back": (
        "update/update.c", "if (r->prev == u->slot)", "if (false)"),
    "the executing slot is spare": (
        "update/update.c", "if (i == executing || !b->slot[i].size)",
        "if (!b->slot[i].size)"),
    "committed unchecked": (
        "update/update.c", "enum image_fault fault = check_whole(u, digest);",
        "enum image_fault fault = check_whole(u, digest);\n    fault = 0;"),
    "committed without a trial": (
        "update/update.c", "    r->status = RECORD_CHECK;\n    r->size",
        "    r->status = RECORD_READY;\n    r->size"),
    "programmed without erasing": (
        "update/store.c", "err = make_blank(u, off);", ";"),
    "progress noted too early": (
        "update/store.c", "(r->blocks + 1u) * FLASH_BLOCK <= u->stored",
        "r->blocks * FLASH_BLOCK <= u->stored"),
    "resumed without hashing again": (
        "update/update.c", "return take(u, chip, resume);",
        "u->received = resume;\n    return 0;"),
    "factory before all others": (
        "boot/decide.c", "candidates_of(d->b, wanted_slot(d))",
        "candidates_of(d->b, SLOT_FACTORY)"),
    "the way back not verified": (
        "boot/boot.c",
        "            boot_slot_check(b, slot, &im, digest) == IMAGE_FINE)",
        "            boot_slot_check(b, slot, &im, digest) >= 0)"),
    "the way back forgotten at the commit": (
        "update/update.c", "    r->prev = r->active;\n", ""),
    "sequence stands still": (
        "boot/record.c", "drop_blocks(r);\n    r->seq++;",
        "drop_blocks(r);"),
    "host's record stays": (
        "boot/record.c", "if (store->host >= 0 && store->host != (int)copy)",
        "if (false)"),
    "an unwritten sector passes": (
        "update/store.c", "if (memcmp(slot + off, data, n) != 0) {",
        "if (off && memcmp(slot + off, data, n) != 0) {"),
    "appended where attempts were counted": (
        "boot/record.c", "!is_clear(attempts, 256))", "false)"),
    "active stays while its slot is written": (
        "update/update.c", "    if (r->active == u->slot) {",
        "    if (false) {"),
    "uploads during a trial": (
        "update/update.c", "    if (boot_on_trial(b)) {\n        struct text",
        "    if (false) {\n        struct text"),
}


def sources(folder):
    out = []
    for room in ("base", "image", "boot", "update"):
        path = os.path.join(folder, "core", room)
        out += [os.path.join(path, f) for f in sorted(os.listdir(path))
                if f.endswith(".c")]
    return out


def build(folder):
    """Objects of the rooms once, then one program a test."""
    flags = ["-std=gnu11", "-O2", "-w", "-I" + folder + "/core",
             "-I" + folder, "-I" + ROOT, "-I" + ROOT + "/tests",
             "-I/usr/include/bearssl"]
    lib = os.path.join(folder, "rooms.o")
    subprocess.run(["gcc", *flags, "-r", "-o", lib, *sources(folder)],
                   check=True)
    for test in TESTS:
        subprocess.run(
            ["gcc", *flags, "-o", os.path.join(folder, os.path.basename(test)),
             os.path.join(ROOT, "tests", test + ".c"), lib, "-lcmocka",
             "-lbearssl"], check=True)


def run(folder):
    """Name of the first test that fails, or None."""
    for test in TESTS:
        name = os.path.basename(test)
        try:
            done = subprocess.run([os.path.join(folder, name)],
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=120)
            if done.returncode != 0:
                return name
        except subprocess.TimeoutExpired:
            return name + " (does not end)"
    return None


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
    survivors = by_sim = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            mutate(name, folder)
            build(folder)
            caught = run(folder)
        survivors += caught is None
        by_sim += caught == "boot_sim"
        print(f"{'caught  ' if caught else 'SURVIVED'} {name}: "
              f"{caught or 'no test fails'}", flush=True)
    print(f"{len(names) - survivors} of {len(names)} mutants caught, "
          f"{by_sim} by the simulator")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
