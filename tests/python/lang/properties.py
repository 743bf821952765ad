class T:
    def __init__(self): self._c = 0
    @property
    def c(self): print('get'); return self._c
    @c.setter
    def c(self, v):
        if v < -273: raise ValueError('too cold')
        print('set', v); self._c = v
    @property
    def f(self): return self._c * 9 / 5 + 32
t = T()
t.c = 100
print(t.c, t.f)
try:
    t.c = -300
except ValueError as e:
    print(e)
try:
    t.f = 1
except AttributeError:
    print('read only')
class D(T):
    @property
    def c(self): return 'derived'
print(D().c)
class G:
    def __getattr__(self, n): return 'dyn_' + n
    real = 1
g = G()
print(g.real, g.whatever, g.x)
class S:
    def __init__(self): self.log = []
    def __setitem__(self, k, v): self.log.append(('set', k, v))
    def __delitem__(self, k): self.log.append(('del', k))
    def __getitem__(self, k): self.log.append(('get', k)); return k
s = S(); s['a'] = 1; s['b']; del s['c']; print(s.log)
class V:
    x = property(lambda self: 42, None)
print(V().x)
