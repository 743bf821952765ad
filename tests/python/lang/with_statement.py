class C:
    def __init__(self, n, swallow=False): self.n, self.s = n, swallow
    def __enter__(self): print('enter', self.n); return self
    def __exit__(self, t, v, tb):
        print('exit', self.n, t.__name__ if t else None)
        return self.s
with C(1) as c:
    print('body', c.n)
with C(2), C(3) as d:
    print('two', d.n)
with C(4, True):
    raise ValueError('x')
try:
    with C(5):
        raise KeyError('k')
except KeyError:
    print('propagated')
def f():
    with C(6):
        return 'returned'
print(f())
for i in range(2):
    with C(7):
        if i == 0: continue
        break
with C(8, True) as a, C(9):
    1 / 0
print('end')
class Bad:
    def __enter__(self): raise RuntimeError('enter fails')
    def __exit__(self, *a): print('not called')
try:
    with C(10), Bad():
        print('no')
except RuntimeError as e:
    print(e)
