print([x * x for x in range(6)], [x for x in range(20) if x % 3 == 0 if x % 2 == 0])
print([(x, y) for x in range(3) for y in range(x)], [[j * i for j in range(3)] for i in range(3)])
print({x: chr(97 + x) for x in range(3)}, sorted({x // 2 for x in range(6)}))
print(sum(x for x in range(10)), list(x + 1 for x in [1, 2]), max(len(w) for w in ['a', 'bbb']))
x = 'outer'
print([x for x in range(3)], x)
m = [[1, 2, 3], [4, 5, 6]]
print([[r[i] for r in m] for i in range(3)], [v for r in m for v in r])
print([f(2) for f in [lambda v, k=k: v * k for k in range(4)]])
print([a if a % 2 else -a for a in range(5)], [w.upper() for w in 'a b c'.split()])
print(dict((k, v) for k, v in [('a', 1)]), tuple(i for i in 'abc'), ''.join(c for c in 'a1b2' if c.isdigit()))
g = (i * i for i in range(3))
print(next(g), next(g), next(g), next(g, 'done'))
print([y for x in range(5) if (y := x * 2) > 4])
