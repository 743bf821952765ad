def solve(b):
    best = None
    for i in range(81):
        if b[i] == '0':
            r, c = divmod(i, 9)
            used = set(b[r * 9:r * 9 + 9]) | {b[j * 9 + c] for j in range(9)}
            for y in range(3):
                k = (r // 3 * 3 + y) * 9 + c // 3 * 3
                used |= set(b[k:k + 3])
            free = [d for d in '123456789' if d not in used]
            if best is None or len(free) < len(best[1]): best = i, free
    if best is None: return b
    i, free = best
    for d in free:
        s = solve(b[:i] + d + b[i + 1:])
        if s: return s
    return None
p = '530070000600195000098000060800060003400803001700020006060000280000419005000080079'
s = solve(p)
for i in range(0, 81, 9): print(s[i:i + 9])
print(solve('55' + p[2:]))
