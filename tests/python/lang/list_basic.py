l = [3, 1, 4, 1, 5, 9, 2, 6]
print(l, len(l), l[0], l[-1], l[2:5], l[::-1], l[::3], l[-3:])
l.append(7); l.insert(0, 0); l.extend([8, 8]); print(l)
l.remove(1); print(l.pop(), l.pop(0), l.index(4), l.count(8), l)
l.sort(); print(l); l.sort(reverse=True); print(l); l.reverse(); print(l)
print(sorted(['bb', 'a', 'ccc'], key=len), sorted('banana'), sorted([3, 1, 2], reverse=True))
print([1, 2] + [3], [0] * 3, 3 in [1, 2], [1, 2] == [1, 2], [1, 2] < [1, 3], [1] < [1, 0])
c = l.copy(); c.clear(); print(c, len(l))
l[1:3] = [10, 20, 30]; print(l)
l[2:5] = [0]; print(l)
del l[0]; del l[1:3]; print(l)
a, *b, d = [1, 2, 3, 4]; print(a, b, d)
m = [[0] * 3 for _ in range(2)]; m[0][1] = 5; print(m)
for bad in (lambda: l[99], lambda: [].pop(), lambda: l.remove(99), lambda: l.index(99)):
    try:
        bad()
    except (IndexError, ValueError) as e:
        print(type(e).__name__)
print(list('abc'), list(range(3)), list({1: 2}), [x for x in zip([1, 2], 'ab')])
print(max(l), min(l), sum(l), list(enumerate('ab', 1)), list(map(str, [1, 2])), list(filter(None, [0, 1, 2])))
