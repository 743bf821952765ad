# What `os` has on this board beyond MicroPython's own.
import sys, os, vfs, _board
from collections import namedtuple

_uname = namedtuple('uname', ('sysname', 'nodename', 'release', 'version',
                              'machine'))
_term = None
_ilistdir = os.ilistdir
_mount, _umount = vfs.mount, vfs.umount


class _Volume:
    def __init__(self, path):
        self._path = path

    def __repr__(self):
        return '<volume>'


def uname():
    return _uname('WiPy', 'WiPy', _board.info(0), _board.info(1),
                  _board.info(2))


def urandom(n):
    b = bytearray(n)
    _board.random_fill(b)
    return bytes(b)


def sync():
    _board.sync()


def _size(path, name):
    try:
        return os.stat(path + ('/' if isinstance(name, str) else b'/') + name)[6]
    except OSError:
        return -1


# MicroPython's own gives no size of the board's files.
def ilistdir(path='.'):
    for e in _ilistdir(path):
        if len(e) == 3:
            e += (_size(path, e[0]) if e[1] == 0x8000 else 0,)
        yield e


# The card, or a file system that a program made: an object with the methods
# of io's VFS protocol. Without arguments: what is mounted.
def mount(dev=None, path=None, *, readonly=False):
    if dev is None:
        own = [m for m in _mount() if m[1] != '/']
        return [(_Volume('/' + n), '/' + n) for n in ('flash', 'sd')
                if n in os.listdir('/')] + own
    import machine
    if isinstance(dev, machine.SD):
        _board.mount(path)
    elif hasattr(dev, 'mount') and hasattr(dev, 'open'):
        _mount(dev, path, readonly=readonly)
    else:
        raise OSError(19, 'neither machine.SD() nor a file system')


def umount(path):
    for own, at in _mount():
        if at != '/' and (path is own or path == at):
            return _umount(path)
    path = getattr(path, '_path', path)
    if path.rstrip('/') == '/flash':
        raise OSError(1, '/flash stays mounted')
    _board.umount(path)


class _Vfs:
    mount = staticmethod(mount)
    umount = staticmethod(umount)


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
    for f in (uname, urandom, sync, ilistdir, mount, umount, mkfs, getfree,
              dupterm):
        setattr(os, f.__name__, f)
    sys.modules['vfs'] = _Vfs
    os.fsformat = mkfs
    os.unmount = umount
    sys.modules['uos'] = os
