/* Linux: termios2 takes any speed. <termios.h> cannot be used beside it. */
#include "port_tty.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <sys/ioctl.h>

#include "base/err.h"

/* <asm/termios.h> has them beside what clashes. */
enum { LINE_DTR = 0x002, LINE_RTS = 0x004 };

static void set_speed(struct termios2 *t, uint32_t baud)
{
    t->c_cflag &= ~(tcflag_t)(CBAUD | CBAUD << IBSHIFT);
    t->c_cflag |= BOTHER | BOTHER << IBSHIFT;
    t->c_ispeed = t->c_ospeed = baud;
}

int port_tty_setup(int fd, uint32_t baud)
{
    struct termios2 t;
    if (ioctl(fd, TCGETS2, &t) < 0)
        return WIPY_EIO;
    t.c_iflag = t.c_oflag = t.c_lflag = 0;
    t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | CSTOPB | CRTSCTS | HUPCL);
    t.c_cflag |= CS8 | CREAD | CLOCAL;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    set_speed(&t, baud);
    return ioctl(fd, TCSETS2, &t) < 0 ? WIPY_EIO : 0;
}

int port_tty_set_baud(int fd, uint32_t baud)
{
    struct termios2 t;
    if (ioctl(fd, TCGETS2, &t) < 0)
        return WIPY_EIO;
    set_speed(&t, baud);
    return ioctl(fd, TCSETSW2, &t) < 0 ? WIPY_EIO : 0;
}

bool port_tty_has_lines(int fd)
{
    int bits;
    return ioctl(fd, TIOCMGET, &bits) == 0;
}

/* Both in one call, so that no state in between is seen. */
int port_tty_set_lines(int fd, bool dtr, bool rts)
{
    int bits;
    if (ioctl(fd, TIOCMGET, &bits) < 0)
        return WIPY_ENOTSUP;
    bits &= ~(LINE_DTR | LINE_RTS);
    bits |= (dtr ? LINE_DTR : 0) | (rts ? LINE_RTS : 0);
    return ioctl(fd, TIOCMSET, &bits) < 0 ? WIPY_EIO : 0;
}
