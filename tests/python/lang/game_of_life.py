def step(cells):
    n = {}
    for x, y in cells:
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                if dx or dy: n[(x + dx, y + dy)] = n.get((x + dx, y + dy), 0) + 1
    return {c for c, k in n.items() if k == 3 or k == 2 and c in cells}
def show(cells, w, h):
    for y in range(h): print(''.join('#' if (x, y) in cells else '.' for x in range(w)))
g = {(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)}
for i in range(5):
    show(g, 6, 6); print()
    g = step(g)
r = {(10 + x, 10 + y) for x, y in ((1, 0), (2, 0), (0, 1), (1, 1), (1, 2))}
for i in range(20): r = step(r)
print(len(r), min(r), max(r))
