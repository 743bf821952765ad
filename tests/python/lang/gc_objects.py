import gc
class Node:
    def __init__(self, v): self.v, self.links = v, []
def cycle(n):
    nodes = [Node(i) for i in range(n)]
    for i, x in enumerate(nodes):
        x.links.append(nodes[(i + 1) % n]); x.links.append(nodes[i - 1])
    return nodes[0]
total = 0
for round in range(60):
    c = cycle(20)
    x = c
    for _ in range(20):
        total += x.v; x = x.links[0]
    if round % 20 == 0:
        gc.collect()
print(total)
def churn():
    keep = []
    for i in range(3000):
        s = 'item %d' % i
        t = (s, [i, i + 1], {'k': s})
        if i % 500 == 0:
            keep.append(t)
    return keep
print(churn())
parts = []
for i in range(200):
    parts.append(bytes([i & 255]) * 50)
whole = b''.join(parts)
print(len(whole), sum(whole))
gc.collect()
gc.disable(); l = [str(i) * 3 for i in range(100)]; gc.enable()
print(l[99], gc.isenabled())
