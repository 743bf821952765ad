class Meta:
    registry = []
    def __init_subclass(cls): pass
class A:
    x = []
    y = 1
    def __init__(self): self.y += 1
    def add(self, v): self.x.append(v); return self
a, b = A(), A()
a.add(1).add(2); b.add(3)
print(A.x, a.y, A.y, a.x is b.x, 'y' in a.__dict__ if hasattr(a, '__dict__') else True)
A.z = lambda self: 'patched'
print(a.z(), hasattr(b, 'z'))
class Single:
    _one = None
    def __new__(cls):
        if cls._one is None: cls._one = super().__new__(cls)
        return cls._one
print(Single() is Single())
class Temp:
    def __init__(self, c): self.c = c
    @classmethod
    def from_f(cls, f): return cls((f - 32) * 5 // 9)
    @staticmethod
    def check(c): return -273 <= c
    def __hash__(self): return hash(self.c)
    def __eq__(self, o): return self.c == o.c
class Sub(Temp): pass
print(Temp.from_f(212).c, type(Sub.from_f(32)).__name__, Temp.check(-300), Sub(1).check(0), {Temp(1), Temp(1)} == {Temp(1)})
class Chain:
    def __init__(self): self.s = ''
    def __getattr__(self, n):
        if n.startswith('_'): raise AttributeError(n)
        def f(*a): self.s += n + str(a); return self
        return f
print(Chain().one(1).two().three('x').s)
C = type('C', (A,), {'k': 5, 'm': lambda self: self.k * 2})
print(C().m(), C.__name__, issubclass(C, A))
class Outer:
    class Inner:
        v = 'inner'
    def get(self): return Outer.Inner.v, self.Inner.v
print(Outer().get())
def method(self): return self.v
o = Outer.Inner(); o.v = 'instance'; print(method(o), Outer.Inner.v)
del o.v; print(o.v)
print(callable(A), callable(a), [c.__name__ for c in (A, Sub, C)])
class I:
    def __init__(self): self.n = 0
    def __iter__(self): return self
    def __next__(self):
        self.n += 1
        if self.n > 3: raise StopIteration
        return self.n
    def __len__(self): return 3
    def __delattr__(self, n): print('del', n) if False else object.__delattr__(self, n) if hasattr(object, '__delattr__') else None
print(list(I()), len(I()))
