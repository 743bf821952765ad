data = [('bob', 30), ('alice', 25), ('carol', 30), ('dave', 25)]
print(sorted(data, key=lambda t: (t[1], t[0])))
print(sorted(data, key=lambda t: t[0], reverse=True))
words = 'the quick brown fox jumps over the lazy dog'.split()
print(sorted(words), sorted(set(words), key=lambda w: (len(w), w)))
def msort(l):
    if len(l) < 2:
        return l
    m = len(l) // 2
    a, b, r = msort(l[:m]), msort(l[m:]), []
    while a and b:
        r.append(a.pop(0) if a[0] <= b[0] else b.pop(0))
    return r + a + b
x, v = 12345, []
for _ in range(200):
    x = (x * 1103515245 + 12345) & 0x7fffffff
    v.append(x % 1000)
print(msort(v) == sorted(v), sorted(v)[:10], sorted(v)[-5:])
def qsort(l):
    return l if len(l) < 2 else qsort([x for x in l[1:] if x < l[0]]) + [l[0]] + qsort([x for x in l[1:] if x >= l[0]])
print(qsort(v) == sorted(v))
class K:
    def __init__(self, n): self.n = n
    def __lt__(self, o): return self.n < o.n
    def __repr__(self): return 'K%d' % self.n
print(sorted([K(3), K(1), K(2)]), min(K(5), K(4)))
try:
    sorted([1, 'a'])
except TypeError:
    print('mixed')
