import heapq
h = []
for x in (5, 1, 8, 3, 9, 2): heapq.heappush(h, x)
print([heapq.heappop(h) for _ in range(len(h))])
l = [7, 3, 5, 1]; heapq.heapify(l); print(l[0], sorted(l))
graph = {'a': {'b': 7, 'c': 3}, 'b': {'d': 2}, 'c': {'b': 1, 'd': 8}, 'd': {}}
def dijkstra(s):
    dist, q = {s: 0}, [(0, s)]
    while q:
        d, u = heapq.heappop(q)
        if d > dist[u]: continue
        for v, w in graph[u].items():
            if v not in dist or d + w < dist[v]:
                dist[v] = d + w; heapq.heappush(q, (d + w, v))
    return sorted(dist.items())
print(dijkstra('a'))
try:
    heapq.heappop([])
except IndexError:
    print('empty')
