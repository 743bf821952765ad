"""What the tests of the serial line share: cases that are counted, and data."""
import random

failed = 0


def check(what, fine, detail=""):
    global failed
    failed += not fine
    print(f"{'ok' if fine else 'FAILED'}: {what}{'' if fine else f' {detail}'}",
          flush=True)


def failures():
    return failed


def sample(size, seed):
    """Half of it does not compress; the rest does, after what SLIP escapes."""
    rnd = random.Random(seed)
    noise = rnd.randbytes(size // 2)
    text = b"\xc0\xdb\xdc\xdd\xff" * 64 + b"the quick brown fox jumps " * size
    return noise + text[:size - len(noise)]
