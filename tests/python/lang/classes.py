class P:
    count = 0
    def __init__(self, x, y=0):
        self.x, self.y = x, y
        P.count += 1
    def __repr__(self): return 'P(%r, %r)' % (self.x, self.y)
    def __eq__(self, o): return isinstance(o, P) and (self.x, self.y) == (o.x, o.y)
    def __add__(self, o): return P(self.x + o.x, self.y + o.y)
    def __mul__(self, k): return P(self.x * k, self.y * k)
    def __rmul__(self, k): return self * k
    def __neg__(self): return P(-self.x, -self.y)
    def __len__(self): return 2
    def __getitem__(self, i): return (self.x, self.y)[i]
    def __contains__(self, v): return v in (self.x, self.y)
    def __bool__(self): return bool(self.x or self.y)
    def __call__(self, k): return self.x + k
    def __lt__(self, o): return self.x < o.x
    def __str__(self): return '<%s,%s>' % (self.x, self.y)
    @staticmethod
    def origin(): return P(0)
    @classmethod
    def of(cls, t): return cls(*t)
a, b = P(1, 2), P(3)
print(a, [b], a + b, a * 3, 2 * a, -a, len(a), a[0], a[-1], 3 in b, bool(P(0)), a(10), a < b, a == P(1, 2), a != b)
print(P.origin(), P.of((5, 6)), list(a), P.count > 5, sorted([b, a]))
a.z = 'new'; print(a.z, hasattr(a, 'z'), getattr(a, 'q', 'none')); setattr(a, 'q', 1); print(a.q); del a.q; print(hasattr(a, 'q'))
print(isinstance(a, P), type(a) is P, P.__name__, type(a).__name__, isinstance(1, (str, int)), issubclass(P, object))
m = a.__add__
print(m(b), P.__add__(a, b))
class Empty: pass
e = Empty(); e.v = 1; print(e.v)
try:
    e.nope
except AttributeError:
    print('no attribute')
try:
    P()
except TypeError:
    print('missing argument')
