# Light, updates, settings and the key-value store of the second generation.
import _board

FACTORY = 0
OTA_0 = 1
OTA_1 = 2
FAT = 0
LittleFS = 1
_SLOTS = ('Factory', 'ota_0', 'ota_1')


def heartbeat(*on):
    return _board.heartbeat(*[bool(b) for b in on])


def heartbeat_on_boot(*on):
    return _board.heartbeat_on_boot(*[bool(b) for b in on])


def rgbled(*colour):
    if colour and not 0 <= colour[0] <= 0xffffff:
        raise ValueError('a colour is 0 to 0xffffff')
    return _board.rgb(*colour)


def ota_start():
    _board.ota_start()


def ota_write(buf):
    _board.ota_write(buf)


def ota_finish():
    return _board.ota_finish()


def ota_slot():
    # Flash address of the slot the next upload goes to.
    return _board.ota_slot()


def ota_verify(slot=None):
    return _board.ota_verify(_board.boot_number(1) if slot is None else slot)


def ota_confirm():
    _board.ota_confirm()


def ota_rollback():
    _board.ota_rollback()


def ota_prepare():
    _board.ota_prepare()


def diff_update_enabled():
    return False


def bootmgr(boot_partition=None, fs_type=None, safeboot=None, reset=False):
    if fs_type not in (None, FAT):
        raise ValueError('/flash is a FAT volume')
    if boot_partition is None and safeboot is None:
        if reset:
            _board.reset()
        return (_SLOTS[_board.boot_number(1)], 'FAT',
                'SafeBoot: ' + str(bool(_board.boot_number(2))),
                'Status: ' + _board.boot_status())
    if boot_partition is not None:
        if boot_partition == _board.boot_number(1):
            raise ValueError('that partition is the active one')
        _board.ota_select(boot_partition)
    if safeboot:
        _board.safe_boot()
    if boot_partition is not None or reset:
        _board.reset()


_none = object()


def nvs_set(key, value):
    if isinstance(value, int):
        if not -0x80000000 <= value <= 0xffffffff:
            raise ValueError('an int of 32 bits is needed')
        if value > 0x7fffffff:
            value -= 1 << 32
        _board.nvs_set(key, value)
    elif isinstance(value, str):
        _nvs_keep(key, b's' + value.encode())
    else:
        _nvs_keep(key, b'b' + bytes(value))


def _nvs_keep(key, data):
    if len(data) > 1983:
        raise ValueError('a value has at most 1982 bytes')
    _board.nvs_set(key, data)


def nvs_get(key, default=_none):
    value = _board.nvs_get(key)
    if value is None:
        if default is _none:
            raise ValueError('no value is called %r' % key)
        return default
    if isinstance(value, int):
        return value
    return value[1:].decode() if value[:1] == b's' else value[1:]


def nvs_erase(key):
    _board.nvs_erase(key)


def nvs_erase_all():
    _board.nvs_erase_all()


def get_free_heap():
    import gc
    return (gc.mem_free(), 'NO_EXT_RAM')


def _switch(name, args, default):
    if args:
        _board.setting(name, '1' if args[0] else '0')
        return None
    v = _board.setting(name)
    return default if v is None else v == '1'


def _number(name, args, default, low, high):
    if args:
        if not low <= args[0] <= high:
            raise ValueError('%s is %d to %d' % (name, low, high))
        _board.setting(name, str(args[0]))
        return None
    v = _board.setting(name)
    return default if v is None else int(v)


def _words(name, args):
    if not args:
        return _board.setting(name) or None
    _board.setting(name, args[0] or '')


def wifi_on_boot(*a):
    return _switch('on_boot', a[:1], True)


def wifi_mode_on_boot(*a):
    return _number('mode_on_boot', a, 2, 0, 3)


def wifi_ssid_sta(*a):
    return _words('ssid_sta', a)


def wifi_pwd_sta(*a):
    return _words('pwd_sta', a)


def wifi_ssid_ap(*a):
    return _words('ssid_ap', a)


def wifi_pwd_ap(*a):
    return _words('pwd_ap', a)


def wdt_on_boot(*a):
    return _switch('wdt_on_boot', a, False)


def wdt_on_boot_timeout(*a):
    return _number('wdt_on_boot_timeout', a, 5000, 5000, 0x7fffffff)
