from collections import namedtuple, deque, OrderedDict
P = namedtuple('P', ['x', 'y', 'z'])
p = P(1, 2, z=3)
print(p, p.x + p.z, p[1:], p == P(1, 2, 3))
try:
    p.x = 5
except AttributeError:
    print('read only')
d = deque((), 5)
for i in range(8): d.append(i)
print(len(d), [d.popleft() for _ in range(3)], len(d))
d.append('x'); d.appendleft('y'); print(list(d), d.pop(), d[0])
o = OrderedDict()
for k in 'zyx': o[k] = ord(k)
print(list(o.items()), o.popitem(), list(o))
from collections import defaultdict
dd = defaultdict(list)
for i in range(6): dd[i % 3].append(i)
print(dd[0], dd[1], dd[2], dd[9])
q = deque((), 100); q.append((0, 0)); seen = {(0, 0): 0}
while q:
    x, y = q.popleft()
    for dx, dy in ((1, 2), (2, 1), (-1, 2), (-2, 1), (1, -2), (2, -1), (-1, -2), (-2, -1)):
        n = (x + dx, y + dy)
        if 0 <= n[0] < 6 and 0 <= n[1] < 6 and n not in seen:
            seen[n] = seen[(x, y)] + 1; q.append(n)
print(len(seen), max(seen.values()), seen[(5, 5)])
