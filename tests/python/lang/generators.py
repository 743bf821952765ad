def count(n):
    i = 0
    while i < n:
        got = yield i
        if got is not None:
            print('got', got); i = got
        else:
            i += 1
    return 'done'
print(list(count(4)))
g = count(10)
print(next(g), next(g), g.send(7), next(g))
g.close()
try:
    next(g)
except StopIteration:
    print('closed')
def sub():
    r = yield from count(2)
    print('sub got', r)
    yield from 'ab'
    yield from [10, 20]
print(list(sub()))
def fin():
    try:
        yield 1
        yield 2
    except ValueError:
        print('thrown'); yield 99
    finally:
        print('cleanup')
g = fin(); print(next(g), g.throw(ValueError)); print(next(g, 'end'))
g = fin(); next(g); g.close()
def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b
f = fib(); print([next(f) for _ in range(15)])
def take(n, it):
    for _, x in zip(range(n), it): yield x
print(list(take(3, fib())), sum(x * x for x in range(5)))
def perms(l):
    if len(l) <= 1: yield l
    else:
        for i in range(len(l)):
            for p in perms(l[:i] + l[i + 1:]): yield [l[i]] + p
print(list(perms([1, 2, 3])))
def tree(n):
    if n: yield from tree(n - 1); yield n; yield from tree(n - 1)
print(list(tree(3)))
def pipeline(src):
    for x in src:
        if x % 2: yield x * 10
print(list(pipeline(pipeline(range(10)))), list(pipeline(range(6))))
try:
    g = count(1); g.send(5)
except TypeError:
    print('just started')
def early(): return; yield
print(list(early()))
