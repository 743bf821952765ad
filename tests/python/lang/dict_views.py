d = {}
for i in range(20):
    d['k%d' % i] = i
print(sum(d.values()), sorted(d.keys())[:5], ('k3', 3) in d.items(), len(d.keys()))
inv = {v: k for k, v in d.items()}
print(inv[7], {k: v for k, v in sorted(d.items()) if v % 5 == 0} == {'k0': 0, 'k5': 5, 'k10': 10, 'k15': 15})
groups = {}
for w in ['apple', 'bob', 'cat', 'ann', 'bee']:
    groups.setdefault(w[0], []).append(w)
print(sorted(groups.items()))
from collections import OrderedDict
o = OrderedDict([('z', 1), ('y', 2)])
o['x'] = 3
o['z'] = 9
print(list(o.items()), list(o))
memo = {}
def fib(n):
    if n not in memo:
        memo[n] = n if n < 2 else fib(n - 1) + fib(n - 2)
    return memo[n]
print(fib(90))
class Key:
    def __init__(self, v): self.v = v
    def __hash__(self): return self.v % 3
    def __eq__(self, o): return self.v == o.v
m = {Key(i): i for i in range(10)}
print(m[Key(7)], Key(11) in m, len(m))
