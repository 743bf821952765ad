# Exceptions through many frames, generators, callbacks and cleanups.
log = []
def level(n):
    try:
        if n == 0: raise KeyError('bottom')
        level(n - 1)
    finally:
        log.append(n)
try:
    level(30)
except KeyError as e:
    print(e.args[0], log == list(range(31)))
def gen():
    try:
        for i in range(5): yield i
    except GeneratorExit:
        log.append('closed'); raise
    finally:
        log.append('gen done')
for x in gen():
    if x == 2: break
g = gen(); next(g); g.close(); print(log[-2:])
def cb(x): return 10 // x
try:
    print(list(map(cb, [5, 2, 0, 1])))
except ZeroDivisionError:
    print('from map')
try:
    sorted([3, 1, 2], key=lambda x: cb(x - 2))
except ZeroDivisionError:
    print('from key')
class R:
    def __enter__(self): log.append('in'); return self
    def __exit__(self, *a): log.append('out')
def many(n):
    with R():
        if n: return many(n - 1)
        raise ValueError('deep with')
log.clear() if hasattr(log, 'clear') else None
try:
    many(10)
except ValueError as e:
    print(e, log.count('in'), log.count('out'))
caught = 0
for i in range(500):
    try:
        try:
            raise ValueError(i)
        except ValueError as e:
            if e.args[0] % 3 == 0: raise TypeError(e.args[0])
    except TypeError as e:
        caught += e.args[0]
print(caught)
def retry(fn, n):
    for i in range(n):
        try:
            return fn(i)
        except ValueError as e:
            print('attempt', i, e)
    raise RuntimeError('gave up')
def flaky(i):
    if i < 2: raise ValueError('not yet')
    return 'ok'
print(retry(flaky, 5))
try:
    retry(flaky, 1)
except RuntimeError as e:
    print(e)
