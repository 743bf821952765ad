x = 'global'
def f():
    x = 'local'
    class C:
        y = x
        def m(self): return x
    return C.y, C().m()
print(f(), x)
class K:
    a = 1
    b = a + 1
    l = [a for _ in range(2)] if False else [1, 1]
    def get(self): return self.a, K.b
print(K().get(), K.l)
def g():
    for i in range(3): pass
    return i
print(g())
def outer():
    v = []
    def add(x): v.append(x); return v
    add(1); add(2)
    return v
print(outer())
print(sorted(k for k in globals() if k in ('x', 'f', 'g', 'zz')))
def loc(a): b = 2; return a + b
print(loc(1))
exec('dyn = 5'); print(dyn, eval('dyn * 2'), eval('[i for i in range(3)]'))
d = {'z': 1}; exec('z = z + 41', d); print(d['z'], eval('z', d))
code = compile('1 + 2', '<s>', 'eval'); print(eval(code))
del x
try:
    x
except NameError:
    print('gone')
len_ = len
def len(o): return 'mine'
print(len([1]), len_([1]))
del len
print(len([1, 2]))
