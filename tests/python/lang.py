#!/usr/bin/env python3
"""Runs every program of lang/ under CPython and on the board's Python and
compares what they print: lang.py PYHOST [pyhost options]."""
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))


def programs():
    folder = os.path.join(HERE, 'lang')
    return [os.path.join(folder, f) for f in sorted(os.listdir(folder))
            if f.endswith('.py')]


def expected(program):
    """What CPython prints; it must end without an error."""
    with tempfile.TemporaryDirectory() as folder:
        r = subprocess.run([sys.executable, '-W', 'ignore', '-X', 'utf8',
                            program], cwd=folder, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=60,
                           env=dict(os.environ, PYTHONHASHSEED='0'))
    if r.returncode:
        raise SystemExit('%s fails under CPython:\n%s' %
                         (program, r.stderr.decode()))
    return r.stdout.decode().split('\n')


def difference(want, got):
    """The first line that differs, for people; None when equal."""
    for i, (w, g) in enumerate(zip(want + [None], got + [None])):
        if w != g:
            return 'line %d\n  CPython: %r\n  board:   %r' % (i + 1, w, g)
    return None


def run_one(command, program):
    r = subprocess.run(command + [program], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=120)
    got = r.stdout.decode('utf-8', 'replace').replace('\r\n', '\n')
    return difference(expected(program), got.split('\n'))


def main():
    command, failed = sys.argv[1:], 0
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda p: (p, run_one(command, p)), programs())
        for program, why in results:
            if why:
                failed += 1
                print('%s: %s' % (os.path.basename(program), why))
    print('%d programs, %d differ' % (len(programs()), failed))
    sys.exit(failed != 0)


if __name__ == '__main__':
    main()
