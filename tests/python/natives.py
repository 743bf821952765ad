#!/usr/bin/env python3
"""Every function in C with arguments of every kind: each call returns or
raises, none crashes the runtime: natives.py PYHOST [--calls N] [--seed N]."""
import argparse
import glob
import os
import re
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, '..', '..', 'firmware', 'python', 'native_*.c')
SKIP = {'reset', 'crash', 'safe_boot', 'raisers', 'deep_sleep', 'wdt_arm',
        'gc_every',
        'server_deinit'}

PROGRAM = '''
import _board, random
random.seed(%d)
class Odd:
    def __bool__(self): raise ValueError
    def __len__(self): return -1
    def __str__(self): return 5
def gen(): yield 1
def values():
    return [None, True, False, 0, 1, -1, 2, 31, 32, 99, 2**30, 2**31, 2**32,
        -2**31, 2**64, -2**70, 0.0, -1.5, 1e300, float('nan'), float('inf'),
        '', 'a', 'GP16', 'x' * 15, 'x' * 16, '/flash', '/', '/sd', '..',
        'a\\x00b', 'y' * 600, '\\u20ac' * 200, b'', b'bytes', bytearray(10),
        memoryview(b'ro'), memoryview(bytearray(3)), [], [1, 'a'], (1, 2), {},
        {'k': 1}, set(), lambda *a: None, print, int, Odd, Odd(), gen(), object,
        range(3), bytearray(3000), 1j, Ellipsis, _board, OSError]
kept = []
for n in range(%d):
    name = random.choice(%r)
    v = values()
    args = [random.choice(v) for _ in range(random.randint(0, 7))]
    try:
        kept.append(getattr(_board, name)(*args))
    except Exception as e:
        kept.append(str(e))
    if len(kept) > 50: kept = kept[25:]
print('all returned')
'''


def names():
    found = set()
    for path in glob.glob(SOURCES):
        with open(path) as f:
            found |= set(re.findall(r'\{"(\w+)", \d+, \d+,', f.read()))
    assert len(found) > 50, found
    return sorted(found - SKIP)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('pyhost')
    parser.add_argument('--calls', type=int, default=1500)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    args = parser.parse_args()
    print('seed', args.seed)
    with tempfile.NamedTemporaryFile('w', suffix='.py') as f:
        f.write(PROGRAM % (args.seed & 0xffffff, args.calls, names()))
        f.flush()
        for gc in ([], ['--gc', '256']):
            r = subprocess.run([args.pyhost, *gc, f.name], timeout=120,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
            if b'all returned' not in r.stdout:
                raise SystemExit(r.stdout.decode(errors='replace')[-3000:])
    print(len(names()), 'functions,', args.calls, 'calls twice')


if __name__ == '__main__':
    main()
