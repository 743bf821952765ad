class A:
    name = 'A'
    def __init__(self, v): self.v = v; print('A init')
    def hi(self): return 'A.hi ' + self.name
    def both(self): return ['A']
class B(A):
    name = 'B'
    def __init__(self, v, w): super().__init__(v); self.w = w; print('B init')
    def both(self): return super().both() + ['B']
class C(A):
    def both(self): return super().both() + ['C']
class D(B, A):
    pass
b = B(1, 2)
print(b.hi(), b.v, b.w, b.both(), C(3).both(), D(4, 5).both())
print(isinstance(b, A), issubclass(B, A), issubclass(A, B), B.__bases__ == (A,), isinstance(b, C))
class Base:
    def run(self): return self.step() + 1
    def step(self): raise NotImplementedError
class Impl(Base):
    def step(self): return 41
print(Impl().run())
try:
    Base().run()
except NotImplementedError:
    print('abstract')
class MyList(list):
    def total(self): return sum(self)
    def append(self, x):
        print('append', x)
        super().append(x)
m = MyList([1, 2]); m.append(3)
print(m.total(), len(m), m[0], m == [1, 2, 3])
class MyDict(dict):
    def __missing__(self, k): return k * 2
    def get2(self, k): return self[k] if k in self else self.__missing__(k)
d = MyDict(); d['a'] = 1
print(d.get2('a'), d.get2('b'))
class E(Exception):
    def __init__(self, code): super().__init__('code %d' % code); self.code = code
try:
    raise E(5)
except Exception as e:
    print(e, e.code, e.args)
class Mix:
    def extra(self): return 'mixed ' + self.hi()
class F(Mix, C): pass
print(F(1).extra())
