def f(*a, **k): return len(a), sorted(k)
print(f(*range(5)), f(*'abc', **{'x': 1}), f(1, *[2], 3, *[4], k=1, **{'j': 2}))
a, *b = 1, 2, 3; print(a, b)
*a, b = [1]; print(a, b)
(a, *b), c = (1, 2, 3), 4; print(a, b, c)
print(f(*[1, 2], *(3,)), f(**{'a': 1}, **{'b': 2}))
def g(a, b, c=3, *, d=4): return a, b, c, d
print(g(*[1, 2]), g(1, **{'b': 2, 'd': 9}), g(*(1, 2, 5), d=6))
def h(first, *rest): return first if not rest else h(*rest)
print(h(1, 2, 3))
for x, *y in [(1, 2, 3), (4,)]: print(x, y)
print(max(*[3, 1, 2]), list(zip(*[(1, 2), (3, 4)])))
try:
    g(**{'a': 1, 'z': 2})
except TypeError:
    print('unexpected')
try:
    f(**{1: 2})
except TypeError:
    print('keywords are strings')
