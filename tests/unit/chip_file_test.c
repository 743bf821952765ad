/* board/chip_file: a chip that loses its name between opening and locking. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "board/chip_file.h"

static char folder[] = "/tmp/wipy-chip-file-XXXXXX";
static char path[64], other[64];
static void (*before_lock)(void);

/* In place of the C library's: what happens just before. */
int flock(int fd, int operation)
{
    if (before_lock)
        before_lock();
    return (int)syscall(SYS_flock, fd, operation);
}

static void make_chip(const char *at, int first_byte)
{
    static uint8_t cells[CHIP_SIZE_4M];
    memset(cells, 0xff, sizeof cells);
    cells[0] = (uint8_t)first_byte;
    int fd = open(at, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, cells, sizeof cells), sizeof cells);
    close(fd);
}

static void put_other_in_place(void)
{
    assert_int_equal(rename(other, path), 0);
}

static void take_away(void)
{
    assert_int_equal(unlink(path), 0);
}

static void move_away(void)
{
    assert_int_equal(rename(path, other), 0);
}

static int first_byte(const char *at)
{
    uint8_t byte = 0;
    int fd = open(at, O_RDONLY);
    int got = fd < 0 ? -1 : (int)read(fd, &byte, 1);
    close(fd);
    return got == 1 ? byte : -1;
}

static void refused(void (*meanwhile)(void))
{
    struct chip_file chip;
    struct problem problem;
    make_chip(path, 1);
    make_chip(other, 2);
    before_lock = meanwhile;
    assert_int_equal(chip_file_open(&chip, path, 0, &problem), WIPY_EBUSY);
    before_lock = NULL;
    assert_non_null(strstr(problem.text, path));
    assert_non_null(strstr(problem.text, "replaced or removed"));
    assert_int_equal(chip.fd, -1);
}

static void a_replaced_chip_is_refused(void **state)
{
    struct chip_file chip;
    struct problem problem;
    (void)state;
    refused(put_other_in_place);
    assert_int_equal(first_byte(path), 2);
    assert_int_equal(chip_file_open(&chip, path, 0, &problem), 0);
    assert_int_equal(chip.cells[0], 2);
    chip_file_close(&chip);
}

static void a_removed_chip_is_refused_and_not_made_anew(void **state)
{
    (void)state;
    refused(take_away);
    assert_int_equal(access(path, F_OK), -1);
    refused(move_away);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(first_byte(other), 1);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/chip", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replaced_chip_is_refused),
        cmocka_unit_test(a_removed_chip_is_refused_and_not_made_anew),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
