def counter(start=0):
    n = start
    def inc(by=1):
        nonlocal n
        n += by
        return n
    def get(): return n
    return inc, get
inc, get = counter(10)
inc(); inc(5)
print(get())
inc2, get2 = counter()
inc2()
print(get2(), get())
def make(n): return [lambda x: x + i for i in range(n)]
print([f(10) for f in make(3)])
def make2(n): return [lambda x, i=i: x + i for i in range(n)]
print([f(10) for f in make2(3)])
g = 1
def setg():
    global g, h
    g += 1
    h = 'new'
setg(); print(g, h)
def deep():
    x = 1
    def a():
        def b():
            nonlocal x
            x *= 5
            return x
        return b() + x
    return a(), x
print(deep())
def local_first():
    try:
        print(undefined_yet)
    except UnboundLocalError if False else NameError:
        print('unbound')
    undefined_yet = 1
local_first()
def compose(*fs):
    def run(x):
        for f in fs:
            x = f(x)
        return x
    return run
print(compose(lambda x: x + 1, lambda x: x * 2, str)(3))
acc = (lambda t: (lambda x: (t.append(x), sum(t))[1]))([])
print(acc(1), acc(2), acc(3))
