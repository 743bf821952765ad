#!/usr/bin/env python3
"""The board's modules, as users call them: board.py PYHOST. Each case is a
line at the prompt and what it prints."""
import sys

from host import Host

MANUAL = [  # the manual's page and the first examples
    ('import pyb', ''),
    ('pyb.HeartBeat().disable()', ''),
    ('import wipy; wipy.heartbeat()', 'False'),
    ('pyb.HeartBeat().enable(); wipy.heartbeat()', 'True'),
    ('wipy.heartbeat(False); wipy.heartbeat()', 'False'),
    ('import pycom; pycom.rgbled(0x7f0000); hex(pycom.rgbled())', "'0x7f0000'"),
    ('pycom.heartbeat(True); pycom.heartbeat()', 'True'),
    ('pycom.rgbled(5)', 'OSError: [Errno 1]'),
    ('pycom.heartbeat(False); pycom.rgbled(1 << 24)', 'ValueError: '),
    ('type(pyb.millis()), pyb.rng() < 1 << 24', "(<class 'int'>, True)"),
]

OS = [
    ('import os; os.uname()', "machine='WiPy with ESP32')"),
    ('os.uname().sysname, os.uname().release', "('WiPy', '1.0.0')"),
    ('len(os.urandom(7)), os.urandom(4) == os.urandom(4)', '(7, False)'),
    ('os.getcwd(), os.sep', "('/flash', '/')"),
    ('os.listdir("/")', "['flash']"),
    ('sorted(os.listdir())', "['boot.py', 'cert', 'lib', 'main.py', 'sys']"),
    ('sorted(x[0] for x in os.ilistdir("/flash"))[0]', "'boot.py'"),
    ('os.stat("/flash/main.py")[6] > 0', 'True'),
    ('[f for f in os.ilistdir() if f[0] == "main.py"][0][3] == '
     'os.stat("main.py")[6]', 'True'),
    ('[f for f in os.ilistdir(b"/flash") if f[3]][0][0][-3:]', "b'.py'"),
    ('next(os.ilistdir("none"))', 'OSError: [Errno 2] ENOENT'),
    ('os.sync()', ''),
    ('os.mkdir("d"); os.rename("d", "e"); "e" in os.listdir()', 'True'),
    ('os.chdir("e"); os.getcwd()', "'/flash/e'"),
    ('os.chdir(".."); os.rmdir("e"); os.getcwd()', "'/flash'"),
    ('os.chdir("nowhere")', 'OSError: [Errno 2] ENOENT'),
    ('os.stat("")[0] & 0x4000, os.listdir("") == os.listdir()', '(16384, True)'),
    ('os.mkdir("/flash")', 'OSError: [Errno 17] EEXIST'),
    ('os.mkdir("/flash/lib")', 'OSError: [Errno 17] EEXIST'),
    ('os.remove("/flash/lib")', 'OSError: '),
    ('os.umount("/flash")', "stays mounted"),
    ('import machine; os.mount(machine.SD(), "/sd")', 'OSError: [Errno 19] '),
    ('os.mount(5, "/sd")', 'OSError: '),
    ('import vfs; vfs.mount()', "[(<volume>, '/flash')]"),
    ('os.dupterm()', ''),
    ('os.statvfs("/flash")[0] * os.statvfs("/flash")[2] > 1 << 20', 'True'),
    ('import uos; uos is os', 'True'),
    ('import os.path; os.path.join("a", "b")', "'a/b'"),
    ('open("/flash/none")', 'OSError: [Errno 2] ENOENT'),
    ('open("/flash/lib", "w")', 'OSError: '),
    ('open("/etc/passwd")', 'OSError: [Errno 2] ENOENT'),
    ('open("../../../etc/passwd")', 'OSError: [Errno 2] ENOENT'),
]

MACHINE = [
    ('machine.unique_id()', "b'$\\n\\xc4\\x124V'"),
    ('machine.reset_cause() == machine.PWRON_RESET', 'True'),
    ('machine.PWRON_RESET, machine.HARD_RESET, machine.WDT_RESET, '
     'machine.DEEPSLEEP_RESET, machine.SOFT_RESET, machine.BROWN_OUT_RESET',
     '(0, 1, 2, 3, 4, 5)'),
    ('machine.freq()', '160000000'),
    ('machine.freq(1)', 'NotImplementedError'),
    ('machine.main(5)', 'ValueError'),
    ('from machine import Pin', ''),
    ('Pin("GP16", Pin.OUT, value=1)',
     "Pin('GP16', mode=Pin.OUT, pull=None)"),
    ('Pin("P9") is Pin("G16")', 'True'),
    ('Pin("GP32")', "ValueError: no pin is called 'GP32'"),
    ('Pin("nonsense" * 9)', 'ValueError: no pin is called'),
    ('p = Pin("P10", mode=Pin.IN, pull=Pin.PULL_UP); p.mode(), p.pull(), p.id()',
     "(0, 1, 'P10')"),
    ('p.init(7)', 'ValueError: the mode is'),
    ('p.value(), p()', '(0, 0)'),
    ('machine.WDT(timeout=10)', 'ValueError: the timeout'),
    ('machine.WDT(timeout=1 << 33)', 'ValueError: the timeout'),
    ('machine.deepsleep(1 << 33)', 'ValueError: the time'),
    ('machine.WDT(1)', 'OSError: [Errno 19] '),
    ('r = machine.RTC(); r.init((2017, 2, 28, 10, 30, 5, 0, 0)); r.now()[:6]',
     '(2017, 2, 28, 10, 30, 5)'),
    ('r.init((1969, 1, 1))', 'ValueError: the clock'),
    ('r.init((2106, 1, 1))', 'ValueError: the clock'),
    ('import time; time.localtime()[:5]', '(2017, 2, 28, 10, 30)'),
    ('r.datetime()[:7]', '(2017, 2, 28, 1, 10, 30, 5)'),
    ('r.datetime((2026, 11, 21, 5, 18, 7, 9, 0)); r.now()[:6]',
     '(2026, 11, 21, 18, 7, 9)'),
    ('machine.wake_reason()', '(0, None)'),
    ('machine.idle()', ''),
    ('from machine import UART; u = UART(0, 115200); os.dupterm(u)', ''),
    ('os.dupterm() is u, u.write(b"hi\\n")', 'hi\r\n(True, 3)'),
    ('UART(1)', 'OSError: [Errno 19] '),
    ('machine.boot_log()', 'boot_log is not offered by this firmware'),
    ('machine.enable_irq(machine.disable_irq())', ''),
    ('c = machine.Timer.Chrono(); c.start(); time.sleep_ms(20); c.stop(); '
     '20 <= c.read_ms() < 500', 'True'),
    ('l = []; a = machine.Timer.Alarm(lambda a: l.append(1), ms=5, '
     'periodic=True); time.sleep_ms(60); a.cancel(); 5 <= len(l) <= 13', 'True'),
    ('l = []; a = machine.Timer.Alarm(l.append, ms=5, arg=7)', ''),
    ('time.sleep_ms(30); l', '[7]'),
    ('l = []; a, b = [machine.Timer.Alarm(f, ms=5) for f in (lambda a: 1 / 0, '
     'l.append)]; time.sleep_ms(30); "rang", len(l)', "('rang', 1)"),
]

OWN_FS = [  # a file system in Python, as mpremote mounts one
    (r'exec("class FS:\n def mount(self, readonly, mkfs): pass\n'
     r' def umount(self): print(1234)\n'
     r' def ilistdir(self, path): return iter([(\'one\', 0x8000, 0, 3)])\n'
     r' def open(self, path, mode): raise OSError(2)\n'
     r' def stat(self, path): return (0x8000, 0, 0, 0, 0, 0, 3, 0, 0, 0)")', ''),
    ('fs = FS(); os.mount(fs, "/own"); sorted(os.listdir("/"))',
     "['flash', 'own']"),
    ('os.listdir("/own"), list(os.ilistdir("/own"))[0][3]', "(['one'], 3)"),
    ('[p for f, p in vfs.mount()]', "['/flash', '/own']"),
    ('os.umount("/own"); os.listdir("/")', "1234\r\n['flash']"),
    ('os.mount(fs, "/own"); os.umount(fs); os.listdir("/")',
     "1234\r\n['flash']"),
]

NETWORK = [
    ('import network; w = network.WLAN(); w.ssid(), w.auth(), w.channel()',
     "('wipy-wlan-3456', (3, 'www.wipy.io'), 5)"),
    ('w.mode() == network.WLAN.AP', 'True'),
    ('w.ifconfig()[0]', "'192.168.1.1'"),
    ('network.WLAN(1)', 'OSError: [Errno 19] '),
    ('network.Server(1)', 'OSError: [Errno 19] '),
    ('network.Server(login=("x" * 33, "y"))', 'ValueError: user and password'),
    ('network.Server(timeout=2)', 'ValueError: the timeout'),
    ('network.Server(timeout=1 << 40)', 'ValueError: the timeout'),
    ('pycom.rgbled(1 << 32)', 'ValueError: a colour'),
    ('pycom.nvs_set("k", "x" * 1983)', 'ValueError: a value'),
    ('network.Server()', 'Server is not offered by this firmware'),
    ('pycom.nvs_get("k")', 'nvs_get is not offered'),
    ('pycom.nvs_set("k" * 16, 1)', 'ValueError: a key has 1 to 15'),
    ('pycom.bootmgr()', 'the boot record is not offered'),
    ('pycom.wifi_ssid_ap()', ''),
    ('pycom.get_free_heap()[0] > 2000000', 'True'),
]

LOST = [  # files nobody closed do not stand in the way
    ('def put(n, t): open(n, "w").write(t)', None), ('', None),
    ('def get(n): return open(n).read()', None), ('', None),
    ('put("a", "one"); put("a", "two")', ''),
    ('os.remove("a"); "a" in os.listdir()', 'False'),
    ('put("a", "x"); put("a", "y"); os.rename("a", "b"); get("b")', "'y'"),
    ('put("c", "z"); put("c", "z"); os.rename("b", "c"); get("c")', "'y'"),
    ('def many(): return len([put("c", str(i)) for i in range(200)])', None),
    ('', None),
    ('many()', '200'),
    ('def more(): return len([open("c") for i in range(200)])', None),
    ('', None),
    ('more()', 'OSError: 24'),  # a list holds them
    ('len([get("c") for i in range(200)])', '200'),
    ('f = open("c", "w"); open("c", "w")', 'OSError: 16'),
    ('f.write("kept"); put("d", "1"); put("d", "2"); f.write("!")',
     '4\r\n1'),
    ('f.close()', ''),
    ('get("c")', "'kept!'"),
    ('def gen(): yield open("c")', None), ('', None),
    ('g = gen(); h = next(g); put("d", "3"); put("d", "4"); h.read()',
     "'kept!'"),
    ('h.close(); os.remove("c"); os.remove("d")', ''),
    ('def first(): return [next(os.ilistdir()) for i in range(100)]', None),
    ('', None),
    ('len(first()), len(first()), len(os.listdir("/"))', '(100, 100, '),
]

PYTHON = [
    ('import sys; sys.platform', "'WiPy'"),
    ('sys.implementation[2]', "'WiPy with ESP32'"),
    ('sys.path', "['', '.board', '.frozen', '/flash', '/flash/lib']"),
    ('dir()', None),
    ('import gc; gc.threshold(256); gc.mem_free() > 2000000', 'True'),
    ('def f(n): return 0 if n == 0 else 1 + f(n - 1)', None),
    ('', None),
    ('f(1000)', '1000'),
    ('import js', None),
    ('js.anything', 'AttributeError'),
    ('import _board; _board.pin_level("x")', 'TypeError: an int is needed'),
    ('_board.pin_level(99)', 'ValueError: number out of range'),
    ('_board.pin_level()', 'TypeError: wrong number of arguments'),
    ('_board.pin_level(n=1)', 'OSError: '),
    ('_board.random_fill(b"abc")', 'TypeError: '),
    ('_board.random_fill(memoryview(bytearray(4)))', ''),
    ('_board.x = 5', 'OSError: '),
]


def run(h, cases):
    failed = 0
    for line, want in cases:
        got = h.type(line, prompt='... ' if line.startswith('def') else '>>> ')
        if want is None:
            continue
        if want not in got if want else got:
            failed += 1
            print('%s\n  wanted %r\n  got    %r' % (line, want, got))
    return failed


def main():
    failed, count = 0, 0
    for options in ([], ['--gc', '256']):
        with Host([sys.argv[1]], *options) as h:
            h.until('>>> ')
            for cases in (MANUAL, OS, OWN_FS, LOST, MACHINE, NETWORK, PYTHON):
                failed += run(h, cases)
                count += len(cases)
    with Host([sys.argv[1]], '--wipy1') as h:
        h.until('>>> ')
        failed += run(h, [
            ('import os; os.uname().machine', "'WiPy with CC3200'"),
            ('import machine; hasattr(machine, "BROWN_OUT_RESET")', 'False'),
            ('machine.freq(), machine.PIN_WAKE', '(80000000, 2)'),
            ('import pycom', 'ImportError: '),
            ('import wipy, pyb, network; wipy.heartbeat()', 'True'),
            ('machine.Pin("GP25").id()', "'GP25'"),
            ('machine.Pin("P12")', 'ValueError: no pin'),
            ('machine.Pin("G28")', 'ValueError: no pin')])
    print(count, 'lines,', failed, 'failed')
    sys.exit(failed != 0)


if __name__ == '__main__':
    main()
