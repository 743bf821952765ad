a = {1, 2, 3}
b = {3, 4}
print(sorted(a | b), sorted(a & b), sorted(a - b), sorted(a ^ b))
print(2 in a, len(a), a == {3, 2, 1}, {1} < a, a >= {1, 2}, a.isdisjoint({9}))
a.add(5); a.discard(1); a.discard(99); a.remove(2)
print(sorted(a))
a.update([7, 8]); print(sorted(a), sorted(set('hello')), set(), sorted({x % 3 for x in range(10)}))
try:
    a.remove(99)
except KeyError:
    print('missing')
f = frozenset([1, 2])
print(f == {1, 2}, {f: 'x'}[frozenset([2, 1])], sorted(f | {3}))
c = a.copy(); c.clear(); print(c, len(a))
print(sorted(a.union({1})), sorted(a.intersection([3, 5])), sorted(a.difference([3])))
a &= {3, 5}; print(sorted(a)); a |= {0}; a -= {5}; a ^= {0, 9}; print(sorted(a))
print(a.issubset({3, 9, 10}), a.issuperset({9}))
seen, dup = set(), []
for x in [1, 2, 1, 3, 2]:
    if x in seen:
        dup.append(x)
    seen.add(x)
print(dup)
