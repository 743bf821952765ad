# The servers and the radio.
import _board
from collections import namedtuple

_scan = namedtuple('wlan', ('ssid', 'bssid', 'sec', 'channel', 'rssi'))


def _check_timeout(s):
    if not 5 <= s <= 1000000:
        raise ValueError('the timeout is 5 to 1000000 s')


class Server:
    _made = None

    def __new__(cls, *args, **kw):
        if Server._made is None:
            Server._made = object.__new__(cls)
        return Server._made

    def __init__(self, id=0, *, login=None, timeout=0):
        if id != 0:
            raise OSError(19, 'there is one server, 0')
        self.init(login=login, timeout=timeout)

    def init(self, *, login=None, timeout=0):
        # What is left out stays as it is: a new Server() must not give the
        # login back to micro / python.
        user = password = None
        if login is not None:
            user, password = login
            for text in (user, password):
                if not 0 < len(text.encode()) <= 32 or \
                        any(c < ' ' or c == '\x7f' for c in text):
                    raise ValueError('user and password have 1 to 32 bytes, '
                                     'none of them a control character')
        if timeout:
            _check_timeout(timeout)
        _board.server_init(user, password, timeout)

    def deinit(self):
        _board.server_deinit()

    def timeout(self, *s):
        if not s:
            return _board.server_timeout()
        _check_timeout(s[0])
        _board.server_timeout(s[0])

    def isrunning(self):
        return _board.server_running()


def server_running(*on):
    if not on:
        return _board.server_running()
    if on[0]:
        _board.server_init(None, None, 0)
    else:
        _board.server_deinit()


def server_login(user, password):
    Server().init(login=(user, password))


def server_timeout(*s):
    return Server().timeout(*s)


def _dotted(b):
    return '.'.join(str(x) for x in b)


class WLAN:
    STA, AP, STA_AP = 1, 2, 3
    WEP, WPA, WPA2 = 1, 2, 3
    INT_ANT, EXT_ANT, MAN_ANT = 0, 1, 2
    ANY_EVENT = 1
    _made = None

    def __new__(cls, *args, **kw):
        if WLAN._made is None:
            WLAN._made = object.__new__(cls)
        return WLAN._made

    def __init__(self, id=0, *args, **kw):
        if id != 0:
            raise OSError(19, 'there is one radio, 0')
        # Without arguments: the running interface, unchanged.
        if args or kw:
            self.init(*args, **kw)

    def init(self, mode=None, *, ssid=None, auth=None, channel=None,
             antenna=None, **more):
        sec = key = None
        if auth is not None:
            sec, key = auth[0] or 0, auth[1] or ''
        if ssid is not None and not 0 < len(ssid.encode()) <= 32:
            raise ValueError('a ssid has 1 to 32 bytes')
        if channel is not None and not 1 <= channel <= 14:
            raise ValueError('the channel is 1 to 14')
        _board.set_wlan(mode, ssid, sec, key, channel, antenna)

    def mode(self, *m):
        if not m:
            return _board.wlan_number(0)
        self.init(m[0])

    def ssid(self, *s):
        if not s:
            return _board.wlan_text(0)
        self.init(ssid=s[0])

    def auth(self, *a):
        if not a:
            sec = _board.wlan_number(1)
            return (sec, _board.wlan_text(1)) if sec else None
        self.init(auth=a[0] or (0, ''))

    def channel(self, *c):
        if not c:
            return _board.wlan_number(2)
        self.init(channel=c[0])

    def antenna(self, *a):
        if not a:
            return _board.wlan_number(3)
        self.init(antenna=a[0])

    def mac(self):
        return _board.wlan_bytes()[:6]

    def ifconfig(self, id=0, config=None):
        if config is not None:
            raise OSError(95, 'the address is fixed')
        b = _board.wlan_bytes()
        return tuple(_dotted(b[i:i + 4]) for i in (6, 10, 14, 18))

    def isconnected(self):
        return _board.wlan_number(4) > 0

    def scan(self):
        return []

    def connect(self, ssid, *, auth=None, bssid=None, timeout=None):
        self.init(WLAN.STA, ssid=ssid, auth=auth or (0, ''))

    def disconnect(self):
        raise OSError(95, 'there is no network to leave')

    def deinit(self):
        self.init(0)

    def __repr__(self):
        return "WLAN(mode=WLAN.%s, ssid='%s', channel=%d)" % (
            ('OFF', 'STA', 'AP', 'STA_AP')[self.mode()], self.ssid(),
            self.channel())
