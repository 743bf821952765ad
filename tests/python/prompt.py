#!/usr/bin/env python3
"""The prompt, its modes, interrupts, scripts and crashes: prompt.py PYHOST."""
import sys
import time

from host import Host

COMMAND = [sys.argv[1]]
INTERRUPTED = 'KeyboardInterrupt: \r\n>>> '


def board(*options):
    h = Host(COMMAND, *options)
    h.until('>>> ')
    return h


def soon():
    """Lets the board reach the state that is to be interrupted."""
    time.sleep(0.15)


def write(h, name, text):
    out = h.type('f=open(%r,"w");_=f.write(%r);f.close();del f,_' % (name, text))
    assert out == '', out


def test_banner_and_expression():
    with Host(COMMAND) as h:
        text = h.until('>>> ')
        banner = 'MicroPython v1.0.0 on 2026-11-21; WiPy with ESP32\r\n'
        assert banner in text, text
        h.send('\x02')
        assert banner in h.until('>>> ')
        assert 'Type "help()" for more information.\r\n' in text, text
        assert h.type('1+2') == '3\r\n'
        assert h.type('print("a\\nb")') == 'a\r\nb\r\n'
        assert h.type('None') == ''
        assert 'v1.27.0' in h.type('import sys; print(sys.version)')
        h.send('\x04')
        assert banner in h.until('>>> ')


def test_history_and_completion():
    with board() as h:
        h.type('value = 41')
        assert h.type('value + 1') == '42\r\n'
        h.send('\x1b[A\r')
        assert '42\r\n' in h.until('>>> ')
        h.send('impo\t')
        h.until('import')
        h.send('\x03')
        h.until('>>> ')
        h.type('import sys')
        h.send('sys.plat\t\r')
        assert "'WiPy'\r\n" in h.until('>>> ')


def test_multi_line():
    with board() as h:
        h.send('for i in range(3):\r')
        h.until('... ')
        h.send('print(i * 7)\r')
        h.until('... ')
        h.send('\b\b\b\b\r')
        assert '0\r\n7\r\n14\r\n' in h.until('>>> ')


def test_interrupts():
    with board() as h:
        h.send('while True: pass\r\r')
        h.until('... ')
        soon()
        h.send('\x03')
        h.until(INTERRUPTED)
        h.type('import time, sys')
        for line in ('time.sleep(100)', 'input()', 'sys.stdin.read(5)',
                     'sys.stdin.readline()', 'time.sleep_ms(100000)',
                     'import asyncio; asyncio.run(asyncio.sleep(100))',
                     'import select; p = select.poll(); '
                     'p.register(sys.stdin, 1); p.poll()'):
            h.send(line + '\r')
            soon()
            h.send('\x03')
            h.until(INTERRUPTED, 3)
        assert h.type('"alive"') == "'alive'\r\n"


def test_interrupt_can_be_caught():
    with board() as h:
        write(h, 'main.py', 'print("up")\nn = 0\nwhile n < 3:\n try:\n'
              '  while True: pass\n except KeyboardInterrupt:\n'
              '  n += 1; print("caught", n)\n')
        h.send('\x04')
        h.until('up\r\n')
        for n in (1, 2, 3):
            soon()
            h.send('\x03')
            h.until('caught %d\r\n' % n)
        h.until('>>> ')


def sync(h, mark):
    """An empty prompt, whatever came before."""
    h.send('\x03\r"mark" "%d"\r' % mark)
    h.until("'mark%d'\r\n>>> " % mark, 5)


def paste(h, program):
    h.send('\x05')
    h.until('=== ')
    h.send(program.replace('\n', '\r') + '\x04')
    return h.until('>>> ')


def test_interrupt_while_it_starts():
    """It is for the scripts; the board's own preparations are whole."""
    with board() as h:
        write(h, 'boot.py', 'while True: pass\n')
        for n in range(60):
            h.send('\x04')
            h.until('soft reboot')
            time.sleep(n % 12 * 0.0003)
            h.send('\x03')
            h.until('information.\r\n>>> ', 5)
            sync(h, n)
            assert h.type('import os; os.uname().sysname') == "'WiPy'\r\n"
        h.send('\x04\x03')  # typed ahead
        h.until('boot.py and main.py were not run\r\n', 5)
        h.until('information.\r\n>>> ')


def test_scripts_that_exit():
    """They are started again and again, but not so that nobody gets in."""
    with board() as h:
        write(h, 'main.py', 'import sys\nsys.exit()\n')
        h.send('\x04')
        h.until('soft reboot')
        began = time.monotonic()
        for _ in range(10):
            h.until('soft reboot')
        assert time.monotonic() - began > 0.1
        for n in range(10):
            h.send('\x03')
            h.until('information.\r\n>>> ', 5)
            sync(h, n)
            h.send('\x04')
            h.until('soft reboot')
            time.sleep(n * 0.003)


def test_interrupt_of_callbacks():
    """At the prompt as in a program; a loop ends at the third Ctrl-C."""
    with board() as h:
        paste(h, 'import time\nfrom machine import Timer\n'
              'def wait(a):\n    print("wa" "its")\n    time.sleep(100)\n'
              'def loop(a):\n    print("lo" "ops")\n    while True: pass\n')
        h.type('a = Timer.Alarm(wait, ms=20)')
        h.until('waits')
        h.send('\x03')
        h.until(INTERRUPTED[:-5])
        h.until('>>> ')
        assert h.type('"alive"') == "'alive'\r\n"
        h.type('a = Timer.Alarm(loop, ms=20)')
        h.until('loops')
        for _ in range(9):
            soon()
            h.send('\x03')
        h.until('did not react')
        sync(h, 1)


def test_kbd_intr():
    with board() as h:
        h.send('import micropython, sys; micropython.kbd_intr(-1); '
               'c = sys.stdin.read(1); micropython.kbd_intr(3); ord(c)\r')
        soon()
        h.send('\x03')
        assert h.until('>>> ').endswith('3\r\n>>> ')


def test_reading():
    with board() as h:
        h.send('input("name? ")\r')
        h.until('\r\nname? ')
        h.send('ann\r')
        assert "'ann'\r\n" in h.until('>>> ')
        h.type('import sys')
        h.send('sys.stdin.readline()\r')
        soon()
        h.send('line\r')
        assert "'line\\n'\r\n" in h.until('>>> ')


def test_paste():
    with board() as h:
        h.send('\x05')
        h.until('=== ')
        h.send('def f(x):\r    if x:\r        return "yes"\r\r    return "no"\r'
               'print(f(1), f(0))\r\x04')
        assert 'yes no\r\n' in h.until('>>> ')
        h.send('\x05')
        h.until('=== ')
        h.send('garbage(\r\x03')
        h.until('>>> ')


def test_raw():
    with board() as h:
        h.send('\x01')
        h.until('raw REPL; CTRL-B to exit\r\n>')
        h.send('print(6*7)\x04')
        assert h.until('\x04>') == 'OK42\r\n\x04\x04>'
        h.send('1/0\x04')
        text = h.until('\x04>')
        assert text.startswith('OK\x04Traceback') and 'ZeroDivisionError' in text
        h.send('while True: pass\x04')
        soon()
        h.send('\x03')
        assert 'KeyboardInterrupt' in h.until('\x04>')
        h.send('\x04')  # soft reset, stays raw
        text = h.until('raw REPL; CTRL-B to exit\r\n>')
        assert 'soft reboot\r\n' in text, text
        h.send('\x02')
        h.until('>>> ')


def test_raw_paste():
    with board() as h:
        h.send('\x01')
        h.until('raw REPL; CTRL-B to exit\r\n>')
        h.send('\x05A\x01')
        h.until(b'R\x01\x80\x00\x01')
        h.send('print("pasted")\x04')
        assert h.until('\x04>') == '\x04pasted\r\n\x04\x04>'
        h.send('\x05A\x01')
        h.until(b'R\x01\x80\x00\x01')
        text = 'x = []\n' + 'x.append(len(x))\n' * 400 + 'print(sum(x))\n'
        for at in range(0, len(text), 128):
            h.send(text[at:at + 128])
            if at + 128 <= len(text):
                h.until(b'\x01')
        h.send('\x04')
        assert h.until('\x04\x04>').endswith('79800\r\n\x04\x04>')
        h.send('\x05A\x01')
        h.until(b'R\x01\x80\x00\x01')
        h.send('half a line\x03')
        h.until('>')
        h.send('print(1)\x04')
        h.until('OK1\r\n\x04\x04>')


def test_raw_paste_of_anything():
    """Control characters are text there; too much is refused as a whole."""
    with board() as h:
        h.send('\x01')
        h.until('raw REPL; CTRL-B to exit\r\n>')
        h.send('\x05A\x01')
        h.until(b'R\x01\x80\x00\x01')
        h.send('x = "\x01a\x02\x05\\x07\'\xe4"\nif x:\n  print(len(x), '
               'ord(x[5]))\n\x04')
        assert h.until('\x04>') == '\x047 39\r\n\x04\x04>'
        h.send('\x05A\x01')
        h.until(b'R\x01\x80\x00\x01')
        line = '#' * 127 + '\n'
        for _ in range((1 << 20) // 128):
            h.send(line)
            h.until(b'\x01')
        h.send('print("rest")\n')
        h.until('\x04')
        h.send('print("rest")\n\x04')
        text = h.until('\x04>')
        assert text.startswith('\x04MemoryError') and 'rest' not in text, text
        h.send('print(7)\x04')
        assert h.until('\x04\x04>') == 'OK7\r\n\x04\x04>'


def test_soft_reset():
    with board() as h:
        h.type('x = 5')
        h.send('\x04')
        assert 'PYB: soft reboot\r\n' in h.until('>>> ')
        assert 'NameError' in h.type('x')
        h.type('import machine')
        assert h.type('machine.reset_cause() == machine.SOFT_RESET') == \
            'True\r\n'
        for _ in range(50):
            h.send('\x04')
            h.until('>>> ')
        h.send('import sys; sys.exit()\r')
        assert 'soft reboot' in h.until('information.')
        h.until('>>> ')
    with board() as h:
        h.type('from machine import Pin; p = Pin("GP9", Pin.OUT, value=1)')
        h.type('from _board import pin_latch')
        assert h.type('pin_latch(9)') == '1\r\n'
        h.send('\x04')
        h.until('information.\r\n>>> ')
        h.type('from _board import pin_latch')
        assert h.type('pin_latch(9)') == '0\r\n'
    with board('--wipy1') as h:
        h.send('\x04')
        assert 'MPY: soft reboot\r\n' in h.until('>>> ')


def test_scripts():
    with board() as h:
        write(h, 'boot.py', 'print("boot", __name__)\nshared = 1\n')
        write(h, 'main.py', 'print("main", shared)\ndef f():\n  raise '
              'KeyError("why")\nf()\n')
        h.send('\x04')
        text = h.until('>>> ')
        assert 'boot __main__\r\nmain 1\r\n' in text, text
        assert 'File "main.py", line 3, in f\r\n' in text, text
        assert 'File "main.py", line 4, in <module>\r\n' in text, text
        assert '<stdin>' not in text, text
        assert "KeyError: why\r\n" in text, text
        assert h.type('shared') == '1\r\n'
        write(h, 'main.py', 'this is no python\n')
        h.send('\x04')
        text = h.until('>>> ')
        assert 'File "main.py", line 1' in text and 'SyntaxError' in text, text


def test_long_scripts():
    """All of a script runs, whatever its length."""
    with board() as h:
        h.type('import sys')
        for size in (4095, 4096, 4097, 4120, 8200, 70000):
            program = 'n = 0\n' + 'n += 1\n' * ((size - 20) // 7)
            program += '#' * (size - len(program) - 9) + '\nprint(n)'
            assert len(program) == size
            want = '%d\r\n' % program.count('+=')
            h.type('f = open("long.py", "w")')
            for at in range(0, size, 700):
                h.type('_ = f.write(%r)' % program[at:at + 700])
            h.type('f.close()')
            assert h.type('execfile("long.py")') == want, size
            assert h.type('import long') == want, size
            h.type('del sys.modules["long"]')
        h.type('import os; os.rename("long.py", "main.py")')
        h.send('\x04')
        assert '\r\n' + want in h.until('information.')


def test_main_elsewhere():
    with board() as h:
        h.type('import os; os.mkdir("dir")')
        write(h, 'dir/main.py', 'print("from dir")')
        write(h, 'dir/other.py', 'print("other from dir")')
        write(h, 'boot.py', 'import os\nos.chdir("dir")\n')
        h.send('\x04')
        assert 'from dir\r\n' in h.until('>>> ')
        write(h, '/flash/boot.py', 'import os, machine\nos.chdir("dir")\n'
              'machine.main("other.py")\n')
        h.send('\x04')
        assert 'other from dir\r\n' in h.until('>>> ')
        write(h, '/flash/boot.py', 'raise SystemExit\n')
        h.send('\x04')
        h.until('soft reboot\r\n')
        h.until('soft reboot\r\n')


def test_path():
    with board() as h:
        write(h, '/flash/lib/in_lib.py', 'here = __file__\n')
        write(h, '/flash/in_flash.py', 'here = __file__\n')
        h.type('import os; os.chdir("/")')
        assert h.type('import in_lib; in_lib.here') == "'/flash/lib/in_lib.py'\r\n"
        assert h.type('import in_flash; in_flash.here') == \
            "'/flash/in_flash.py'\r\n"
        assert h.type('os.listdir("/")') == "['flash']\r\n"


def test_memory():
    with board() as h:
        write(h, 'main.py', 'def f():\n x = []\n while True: '
              'x.append(bytearray(1000))\nf()\n')
        h.send('\x04')
        assert 'MemoryError: ' in h.until('>>> ')
        assert h.type('"alive"') == "'alive'\r\n"
        h.send('def r(): return r()\r')
        h.until('... ')
        h.send('\r')
        h.until('>>> ')
        assert 'maximum recursion depth exceeded' in h.type('r()')
        assert 'MemoryError' in h.type('bytearray(1 << 30)')


def test_full_of_small_things():
    """The MemoryError is shown, and there is memory to go on with."""
    with board() as h:
        program = 'x = None\nwhile True: x = (x,)\n'
        write(h, 'main.py', program)
        h.send('\x04')
        text = h.until('>>> ')
        assert 'File "main.py", line 2' in text and 'MemoryError' in text, text
        for _ in range(3):
            assert h.type('"room" + "!"') == "'room!'\r\n"
            assert h.type('x = None') == ''
            text = paste(h, program)
            assert 'line 2' in text and 'MemoryError' in text, text


def test_crash():
    with board() as h:
        h.type('kept = 1; import machine')
        text = h.type('machine.debug_crash("runtime")')
        assert 'Python crashed' in text, text
        assert 'NameError' in h.type('kept')
        write(h, 'main.py', 'print("again"); import machine; '
              'machine.debug_crash("runtime")\n')
        h.send('\x04')
        text = h.until('>>> ')
        assert text.count('again') == 1 and 'Python crashed' in text, text
        assert h.type('6*7') == '42\r\n'


def test_busy_for_ever():
    """What never looks at interrupts ends at the third Ctrl-C."""
    for line in ('9**9**9', 'import re; re.match("(a*)*b", "a" * 40)'):
        with board() as h:
            h.send(line + '\r')
            for _ in range(12):
                soon()
                h.send('\x03')
            text = h.until('>>> ', 20)
            assert 'did not react' in text or 'Interrupt' in text or \
                'recursion' in text, text
            h.send('\x03\r')
            h.until('>>> ')
            h.type('"alive"')


def test_hard_fault():
    h = board()
    h.send('import machine; machine.debug_crash("hardfault")\r')
    # 1: AddressSanitizer reports it.
    assert h.process.wait(5) in (-11, 1), h.process.returncode


def test_output_appears():
    """What has no line end is shown while the program computes."""
    with board() as h:
        h.send('print("a"); print("dots", end=""); print("...", end="")\r')
        h.until('dots...')
        h.until('>>> ')
        write(h, 'main.py', 'print("x"); print("half", end=" "); '
              'print("line", end="")\nwhile True: pass\n')
        h.send('\x04')
        h.until('half line', 2)
        h.send('\x03')
        h.until('>>> ')


def test_asyncio_stream():
    """A task reads the keyboard while another counts."""
    with board() as h:
        write(h, 'main.py', """import asyncio, sys
async def count(n):
    while True:
        n.append(1); await asyncio.sleep_ms(10)
async def main():
    n = []
    task = asyncio.create_task(count(n))
    stream = asyncio.StreamReader(sys.stdin)
    print('ready')
    got = []
    for _ in range(3): got.append(await stream.read(1))
    task.cancel()
    print(got, len(n) > 10)
asyncio.run(main())
""")
        h.send('\x04')
        h.until('ready\r\n')
        for key in 'xyz':
            time.sleep(0.1)
            h.send(key)
        assert "['x', 'y', 'z'] True\r\n" in h.until('>>> ')


def test_safe_boot():
    """No script is run, also after a soft reset."""
    with Host(COMMAND, '--safe') as h:
        h.until('>>> ')
        write(h, 'main.py', 'print("ran")')
        h.send('\x04')
        assert 'ran\r\n' not in h.until('>>> ')


def test_users_files_do_not_break_the_start():
    with board() as h:
        for name in ('_os', '_errors', 'os', 'collections', '_board', 'sys'):
            write(h, name + '.py', 'raise ValueError("mine")')
        h.send('\x04')
        text = h.until('>>> ')
        assert 'ValueError' not in text, text
        assert h.type('import os; os.uname().sysname') == "'WiPy'\r\n"


def main():
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith('test_') or name not in (sys.argv[2:] or name):
            continue
        try:
            test()
            print('ok     ', name)
        except AssertionError as e:
            failed += 1
            print('FAILED ', name, repr(e))
            import traceback
            traceback.print_exc()
    sys.exit(failed != 0)


if __name__ == '__main__':
    main()
