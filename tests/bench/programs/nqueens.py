def solve(n, row, cols, diag, anti):
    if row == n:
        return 1
    count = 0
    for c in range(n):
        if not (cols >> c & 1 or diag >> (row + c) & 1 or anti >> (row - c + n) & 1):
            count += solve(n, row + 1, cols | 1 << c, diag | 1 << (row + c),
                           anti | 1 << (row - c + n))
    return count

def bench():
    return solve(9, 0, 0, 0, 0)
