def f(a, b=2, *args, c, d=4, **kw):
    return a, b, args, c, d, sorted(kw.items())
print(f(1, c=3), f(1, 5, 6, 7, c=8, d=9, e=10), f(*[1, 2, 3], **{'c': 4, 'z': 5}))
def g(*a, **k): return a, sorted(k.items())
print(g(), g(1, *[2, 3], *(4,), x=1, **{'y': 2}))
print((lambda x, y=3: x * y)(2), (lambda *a: a)(1, 2), (lambda: None)())
def default(l=[]):
    l.append(1)
    return len(l)
print(default(), default(), default([]))
def none(): pass
print(none(), callable(none), callable(1), none.__name__)
for bad in (lambda: f(), lambda: f(1), lambda: f(1, c=2, a=3), lambda: none(1), lambda: none(x=1)):
    try:
        bad()
    except TypeError:
        print('TypeError')
def fact(n): return 1 if n <= 1 else n * fact(n - 1)
print(fact(20), fact(30))
def apply(fn, *a): return fn(*a)
print(apply(max, 1, 9, 3), apply(lambda: 5), apply(str.upper, 'x'))
def outer():
    def inner(n): return n * 2
    return inner
print(outer()(4))
def positional(a, b): return a - b
print(positional(b=1, a=5))
