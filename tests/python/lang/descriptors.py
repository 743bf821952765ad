# What MicroPython supports: property, classmethod, staticmethod, bound methods.
class P:
    def __init__(self): self._v = 1; self.calls = []
    def get(self): self.calls.append('get'); return self._v
    def put(self, v): self.calls.append('put'); self._v = v
    v = property(get, put)
p = P(); p.v += 5; print(p.v, p.calls)
class Lazy:
    def __init__(self): self.computed = 0
    @property
    def value(self):
        if not hasattr(self, '_value'): self.computed += 1; self._value = 42
        return self._value
l = Lazy(); print(l.value, l.value, l.computed)
class S:
    @staticmethod
    def s(x): return x
    @classmethod
    def c(cls, x): return cls.__name__, x
    def m(self): return 'm'
s = S(); f = s.m; g = S.m
print(S.s(1), s.s(2), S.c(3), s.c(4), f(), g(s))
class T(S):
    @classmethod
    def c(cls, x): return ('T',) + super().c(x)
print(T.c(5), T().s(6))
methods = [getattr(s, n) for n in ('s', 'c')]
print([m(7) for m in methods], (lambda self: self.m())(s))
s.extra = lambda: 'own'; print(s.extra())
class Angle:
    def __init__(self, d): self.degrees = d
    @property
    def degrees(self): return self._d
    @degrees.setter
    def degrees(self, d): self._d = d % 360
a = Angle(725); print(a.degrees); a.degrees -= 10; print(a.degrees)
