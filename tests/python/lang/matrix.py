class M:
    def __init__(self, rows): self.r = [list(x) for x in rows]
    def __matmul__(self, o): return M([[sum(a * b for a, b in zip(row, col)) for col in zip(*o.r)] for row in self.r])
    __mul__ = __matmul__
    def __add__(self, o): return M([[a + b for a, b in zip(x, y)] for x, y in zip(self.r, o.r)])
    def __eq__(self, o): return self.r == o.r
    def __repr__(self): return 'M(%r)' % self.r
    def __getitem__(self, ij): return self.r[ij[0]][ij[1]]
    def __setitem__(self, ij, v): self.r[ij[0]][ij[1]] = v
    @property
    def T(self): return M(zip(*self.r))
    def __pow__(self, n):
        r, b = M([[int(i == j) for j in range(len(self.r))] for i in range(len(self.r))]), self
        while n:
            if n & 1: r = r * b
            b = b * b; n >>= 1
        return r
    def det(self):
        if len(self.r) == 1: return self.r[0][0]
        return sum((-1) ** j * v * M([x[:j] + x[j + 1:] for x in self.r[1:]]).det() for j, v in enumerate(self.r[0]))
a = M([[1, 2], [3, 4]])
print(a * a, a + a, a.T, a ** 10, a.det(), a[0, 1], M([[2, 0, 1], [1, 3, 2], [1, 1, 4]]).det())
a[1, 1] = 9; print(a, a == M([[1, 2], [3, 9]]), (M([[1, 1], [1, 0]]) ** 90)[0, 1])
