def ack(m, n): return n + 1 if m == 0 else ack(m - 1, 1) if n == 0 else ack(m - 1, ack(m, n - 1))
print(ack(2, 3))
def hanoi(n, a, b, c): return 0 if n == 0 else hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a)
print(hanoi(8, 'a', 'b', 'c'))
def depth(n): return 0 if n == 0 else 1 + depth(n - 1)
print(depth(500))
def inf(): return inf()
try:
    inf()
except RuntimeError:
    print('too deep')
print(depth(100))
def flat(l):
    r = []
    for x in l: r.extend(flat(x)) if isinstance(x, list) else r.append(x)
    return r
print(flat([1, [2, [3, [4]], 5]]))
def queens(n, row=0, cols=(), d1=(), d2=()):
    if row == n: return 1
    return sum(queens(n, row + 1, cols + (c,), d1 + (row + c,), d2 + (row - c,)) for c in range(n) if c not in cols and row + c not in d1 and row - c not in d2)
print([queens(i) for i in range(1, 7)])
def powerset(s): return [[]] if not s else [x + y for x in powerset(s[1:]) for y in ([], [s[0]])]
print(sorted(powerset([1, 2, 3])))
is_even = lambda n: True if n == 0 else is_odd(n - 1)
is_odd = lambda n: False if n == 0 else is_even(n - 1)
print(is_even(100), is_odd(7))
l = []
l.append(l)
print(len(l), l[0] is l)
