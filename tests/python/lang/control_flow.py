for i in range(10):
    if i == 2:
        continue
    if i == 6:
        break
    print(i, end=' ')
else:
    print('no')
print()
for i in range(2):
    pass
else:
    print('else ran')
n = 0
while True:
    n += 1
    if n > 5:
        break
else:
    print('never')
while n:
    n -= 2
    if n < 0:
        print('below'); break
else:
    print('zero')
if n > 0: print('p')
elif n == 0: print('z')
else: print('n')
for a in range(3):
    for b in range(3):
        if b == 1:
            break
        print(a, b)
i = 0
while i < 3: i += 1; print(i)
for c in 'ab': print(c)
for k in {'x': 1}: print(k)
def f(n):
    while n:
        for j in range(n):
            if j == 2:
                return j
        n -= 1
    return 'end'
print(f(5), f(2), f(0))
x = [1, 2, 3]
for v in x[:]:
    x.remove(v)
print(x)
del x
try:
    x
except NameError:
    print('deleted')
assert True
try:
    assert 1 == 2, 'message'
except AssertionError as e:
    print('assert', e)
