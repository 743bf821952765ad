#!/usr/bin/env python3
"""Random bytes, and random pieces of Python, at the prompt must not end the
board: junk.py PYHOST [--seconds S] [--seed N]. Prints the seed."""
import argparse
import random
import subprocess
import threading
import time

PIECES = [b'print(', b'for i in range(9):', b'\r', b'\n', b'\x03', b'\x04',
          b'\x01', b'\x02', b'\x05', b'\x05A\x01', b'\t', b'\x1b[A', b'\x1b[B',
          b'\x1b[D', b'\x1b', b'\x7f', b'import os', b'os.listdir("/")\r',
          b'def f(x): return x', b'lambda:', b'"' * 3, b'[' * 40, b'(' * 300,
          b'x=' * 50, b'class A: pass\r\r', b'import machine\r', b'\xff\xfe',
          b'raise ', b'await ', b'f"{', b'1/0\r', b'{}', b'machine.', b'del ',
          b'try:', b'except:', b'9' * 200, b'**', b'\x00', b'yield', b'\xc3']


def soup(rng):
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(1, 400))
    return b''.join(rng.choice(PIECES) for _ in range(rng.randrange(1, 60)))


# Out of whatever mode it is in, then a question. Asked again until it is
# answered: a busy machine may still be at the junk.
WAY_OUT = (b'\x03', b'\x03', b'\x04', b'\x03', b'\x02', b'\x03', b'\r', b'\x03')
QUESTION = b'\r\nprint("su"+"m", 6*7)\r'
PATIENCE_S = 20


def round_of(command, rng):
    """One board, fed with junk; it must still do sums."""
    data = b''.join(soup(rng) for _ in range(30))
    p = subprocess.Popen(command, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = bytearray()

    def collect():
        while chunk := p.stdout.read1(65536):
            out.extend(chunk)

    reader = threading.Thread(target=collect, daemon=True)
    reader.start()
    try:
        p.stdin.write(data)
        end = time.monotonic() + PATIENCE_S
        while b'sum 42' not in out and p.poll() is None:
            if time.monotonic() > end:
                return data, bytes(out), None
            for byte in WAY_OUT:
                p.stdin.write(byte)
                p.stdin.flush()
                time.sleep(0.02)
            p.stdin.write(QUESTION)
            p.stdin.flush()
            time.sleep(0.1)
        return data, bytes(out), 0 if b'sum 42' in out else p.wait()
    except BrokenPipeError:
        return data, bytes(out), p.wait()
    finally:
        p.kill()
        p.wait()
        reader.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('pyhost')
    parser.add_argument('--seconds', type=float, default=10)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    args = parser.parse_args()
    print('seed', args.seed)
    end, rounds = time.monotonic() + args.seconds, 0
    while time.monotonic() < end:
        rng = random.Random('%d/%d' % (args.seed, rounds))
        data, out, status = round_of([args.pyhost], rng)
        if status not in (0, 42):  # 42: the junk asked for a reset
            open('junk.failed', 'wb').write(data)
            raise SystemExit('round %d: status %s, input in junk.failed, last '
                             'output %r' % (rounds, status, out[-300:]))
        rounds += 1
    print(rounds, 'rounds')


if __name__ == '__main__':
    main()
