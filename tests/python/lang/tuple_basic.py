t = (1, 'a', 2.5)
print(t, len(t), t[0], t[-1], t[1:], (1,), (), t + (4,), t * 2)
print(t == (1, 'a', 2.5), (1, 2) < (1, 3), 'a' in t, t.index('a'), t.count(1), hash((1, 2)) == hash((1, 2)))
a, b, c = t
print(c, b, a)
a, b = b, a
print(a, b)
(x, y), z = (1, 2), 3
print(x, y, z)
first, *rest = range(5)
print(first, rest)
*init, last = 'abc'
print(init, last)
def f():
    return 1, 2
p, q = f()
print(p, q, f())
d = {(0, 0): 'origin', (1, 2): 'p'}
print(d[(1, 2)], d[0, 0])
try:
    t[0] = 5
except TypeError:
    print('immutable')
try:
    a, b = (1, 2, 3)
except ValueError:
    print('too many')
try:
    a, b = (1,)
except ValueError:
    print('too few')
for i, (k, v) in enumerate([('a', 1), ('b', 2)]):
    print(i, k, v)
from collections import namedtuple
P = namedtuple('P', ('x', 'y'))
p = P(1, y=2)
print(p, p.x, p[1], p == (1, 2), len(p), tuple(p))
