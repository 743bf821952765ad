# What `os` has on this board beyond MicroPython's own.
import sys, os, _board
from collections import namedtuple

_uname = namedtuple('uname', ('sysname', 'nodename', 'release', 'version',
                              'machine'))
_term = None


def uname():
    return _uname('WiPy', 'WiPy', _board.info(0), _board.info(1),
                  _board.info(2))


def urandom(n):
    b = bytearray(n)
    _board.random_fill(b)
    return bytes(b)


def sync():
    _board.sync()


def mount(dev, path, *, readonly=False):
    import machine
    if not isinstance(dev, machine.SD):
        raise OSError(19, 'only machine.SD() can be mounted')
    _board.mount(path)


def umount(path):
    path = getattr(path, '_path', path)
    if path.rstrip('/') == '/flash':
        raise OSError(1, '/flash stays mounted')
    _board.umount(path)


def mkfs(path):
    import machine
    _board.mkfs('/sd' if isinstance(path, machine.SD) else path)


def getfree(path):
    s = os.statvfs(path)
    return s[1] * s[3] // 1024


def dupterm(*stream):
    # The prompt is on every way in already; the stream is only remembered.
    global _term
    if not stream:
        return _term
    _term = stream[0]


def extend():
    for f in (uname, urandom, sync, mount, umount, mkfs, getfree, dupterm):
        setattr(os, f.__name__, f)
    os.fsformat = mkfs
    os.unmount = umount
    sys.modules['uos'] = os
