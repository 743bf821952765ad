# The chip. Users' view of natives in firmware/python/native_machine.c.
import _board
import time as _time

PWRON_RESET = 0
HARD_RESET = 1
WDT_RESET = 2
DEEPSLEEP_RESET = 3
SOFT_RESET = 4
_W1 = _board.info(2).endswith('CC3200')
if _W1:
    WLAN_WAKE, PIN_WAKE, RTC_WAKE = 1, 2, 3
else:
    BROWN_OUT_RESET = 5
    PWRON_WAKE, PIN_WAKE, RTC_WAKE, ULP_WAKE = 0, 1, 2, 3
IDLE, SLEEP, DEEPSLEEP = 1, 2, 4


def reset():
    _board.reset()


def soft_reset():
    raise SystemExit


def reset_cause():
    return _board.reset_cause()


def wake_reason():
    woken = _board.reset_cause() == DEEPSLEEP_RESET
    if _W1:
        return RTC_WAKE if woken else 0
    return (RTC_WAKE if woken else PWRON_WAKE, None)


def main(name):
    if not isinstance(name, str):
        raise ValueError('main() takes the name of a file')
    _board.main(name)


def freq(*f):
    if f:
        raise NotImplementedError('the clock is fixed')
    return 80000000 if _W1 else 160000000


def unique_id():
    return _board.unique_id()


def rng():
    b = bytearray(3)
    _board.random_fill(b)
    return b[0] | b[1] << 8 | b[2] << 16


def idle():
    _time.sleep_ms(1)


def lightsleep(ms=0):
    _time.sleep_ms(ms)


sleep = lightsleep


def deepsleep(ms=0):
    if not 0 <= ms <= 0x7fffffff:
        raise ValueError('the time is 0 to 2147483647 ms')
    _board.deep_sleep(ms)


def disable_irq():
    return True


def enable_irq(state=True):
    pass


def info():
    print('machine', _board.info(2), 'firmware', _board.info(0))


def boot_log():
    return _board.boot_log()


def log():
    'Logins, refusals and crashes since the start; boot_log() outlives it.'
    return _board.log()


def debug_gc(every):
    'Collects garbage after that many bytes of allocation; 0: when needed.'
    _board.gc_every(every)


def debug_crash(what):
    "'runtime' or 'stack' breaks this Python, the others the firmware: tests."
    _board.crash(('runtime', 'hardfault', 'stack', 'storage',
                  'storage stack').index(what))


class Pin:
    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    ALT = 3
    ALT_OPEN_DRAIN = 4
    PULL_UP = 1
    PULL_DOWN = 2
    LOW_POWER, MED_POWER, HIGH_POWER = 0, 1, 2
    IRQ_FALLING, IRQ_RISING, IRQ_LOW_LEVEL, IRQ_HIGH_LEVEL = 1, 2, 4, 8
    _all = {}

    class board:
        pass

    def __new__(cls, id, *args, **kw):
        if isinstance(id, Pin):
            id = id._id
        n = _board.pin_find(id) if isinstance(id, str) else -1
        if n < 0:
            raise ValueError('no pin is called %r' % (id,))
        self = Pin._all.get(n)
        if self is None:
            self = object.__new__(cls)
            self._n = n
            self._mode, self._pull, self._drive = 0, None, 0
            Pin._all[n] = self
        self._id = id.upper()
        return self

    def __init__(self, id, mode=None, pull=-1, *, value=None, drive=None,
                 alt=-1):
        if mode is not None or pull != -1 or value is not None:
            self.init(self._mode if mode is None else mode,
                      self._pull if pull == -1 else pull,
                      value=value, drive=drive, alt=alt)

    def init(self, mode=0, pull=-1, *, value=None, drive=None, alt=-1):
        if mode not in (0, 1, 2, 3, 4):
            raise ValueError('the mode is Pin.IN, Pin.OUT or Pin.OPEN_DRAIN')
        if pull == -1:
            pull = self._pull
        if pull not in (None, 1, 2):
            raise ValueError('the pull is Pin.PULL_UP, Pin.PULL_DOWN or None')
        self._mode, self._pull = mode, pull
        if drive is not None:
            self._drive = drive
        if value is not None:
            _board.pin_drive(self._n, bool(value))
        self._apply()

    def _apply(self):
        # Open drain drives low only: its level 1 is an input.
        out = self._mode == 1 or (self._mode == 2 and
                                  not _board.pin_latch(self._n))
        _board.pin_mode(self._n, out, self._pull == 1, self._pull == 2)

    def value(self, *v):
        if not v:
            return _board.pin_level(self._n)
        _board.pin_drive(self._n, bool(v[0]))
        if self._mode == 2:
            self._apply()

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not _board.pin_latch(self._n))

    def id(self):
        return self._id

    def mode(self, *m):
        if not m:
            return self._mode
        self.init(m[0])

    def pull(self, *p):
        if not p:
            return self._pull
        self.init(self._mode, p[0])

    def drive(self, *d):
        if not d:
            return self._drive
        self._drive = d[0]

    def alt_list(self):
        return []

    def __repr__(self):
        mode = ('IN', 'OUT', 'OPEN_DRAIN', 'ALT', 'ALT_OPEN_DRAIN')[self._mode]
        pull = {None: 'None', 1: 'Pin.PULL_UP', 2: 'Pin.PULL_DOWN'}[self._pull]
        return "Pin('%s', mode=Pin.%s, pull=%s)" % (self._id, mode, pull)


class WDT:
    _armed = False

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise OSError(19, 'there is one watchdog, 0')
        if _W1 and WDT._armed:
            raise OSError(1, 'the watchdog is armed already')
        self.init(timeout)

    def init(self, timeout=5000):
        if not 1000 <= timeout <= 0x7fffffff:
            raise ValueError('the timeout is 1000 to 2147483647 ms')
        _board.wdt_arm(timeout)
        WDT._armed = True

    def feed(self):
        _board.wdt_feed()


class RTC:
    ALARM0 = 0

    def __init__(self, id=0, datetime=None):
        if id != 0:
            raise OSError(19, 'there is one clock, 0')
        if datetime is not None:
            self.init(datetime)

    def init(self, datetime=(2015, 1, 1, 0, 0, 0, 0, None), source=None):
        t = tuple(datetime) + (0,) * 6
        us = t[6] if len(datetime) > 6 and t[6] else 0
        if not 1970 <= t[0] <= 2105:
            raise ValueError('the clock goes from 1970 to 2105')
        s = _time.mktime((t[0], t[1], t[2], t[3], t[4], t[5], 0, 0))
        _board.set_clock(s * 1000000.0 + us)

    def deinit(self):
        self.init()

    def now(self):
        us = int(_board.clock_us())
        t = _time.gmtime(us // 1000000)
        return t[:6] + (us % 1000000, None)

    # As MicroPython's own boards have it: with the day of the week.
    def datetime(self, when=None):
        if when is None:
            us = int(_board.clock_us())
            t = _time.gmtime(us // 1000000)
            return t[:3] + (t[6],) + t[3:6] + (us % 1000000,)
        y, month, day, _, h, m, s, us = when
        self.init((y, month, day, h, m, s, us))

    def synced(self):
        return False


class UART:
    # The serial line is the prompt's, like telnet: what is written here is
    # printed on both. Enough for os.dupterm(UART(0, 115200)) in boot.py.
    def __init__(self, id=0, baudrate=9600, *args, **kw):
        if id != 0:
            raise OSError(19, 'UART(%d) is not offered yet' % id)
        self._rate = baudrate

    def init(self, baudrate=9600, *args, **kw):
        self._rate = baudrate

    def deinit(self):
        pass

    def write(self, buf):
        import sys
        sys.stdout.write(buf if isinstance(buf, str) else str(buf, 'utf-8'))
        return len(buf)

    def any(self):
        return int(_board.has_input())


class SD:
    def __init__(self, id=0, pins=None):
        self._path = '/sd'

    def init(self, id=0, pins=None):
        pass

    def deinit(self):
        pass


class Timer:
    class Chrono:
        def __init__(self):
            self.reset()

        def reset(self):
            self._sum = 0
            self._from = None if not getattr(self, '_from', None) \
                else _board.now_us()

        def start(self):
            if self._from is None:
                self._from = _board.now_us()

        def stop(self):
            if self._from is not None:
                self._sum += _board.now_us() - self._from
                self._from = None

        def read_us(self):
            run = 0 if self._from is None else _board.now_us() - self._from
            return int(self._sum + run)

        def read_ms(self):
            return self.read_us() // 1000

        def read(self):
            return self.read_us() / 1000000

    class Alarm:
        def __init__(self, handler=None, s=0, *, ms=0, us=0, arg=None,
                     periodic=False):
            import _alarm
            self._alarm = _alarm
            self._arg = self if arg is None else arg
            self._us = int(s * 1000000 + ms * 1000 + us)
            self._periodic = periodic
            self.callback(handler)

        def callback(self, handler, arg=None):
            if arg is not None:
                self._arg = arg
            self._handler = handler
            if handler and self._us > 0:
                self._alarm.add(self)
            else:
                self._alarm.remove(self)

        def cancel(self):
            self._alarm.remove(self)
