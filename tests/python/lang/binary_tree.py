class T:
    def __init__(self, k, v=None): self.k, self.v, self.l, self.r = k, v, None, None
    def put(self, k, v):
        if k == self.k: self.v = v
        elif k < self.k:
            if self.l: self.l.put(k, v)
            else: self.l = T(k, v)
        elif self.r: self.r.put(k, v)
        else: self.r = T(k, v)
    def get(self, k):
        n = self
        while n:
            if k == n.k: return n.v
            n = n.l if k < n.k else n.r
        raise KeyError(k)
    def __iter__(self):
        if self.l: yield from self.l
        yield self.k, self.v
        if self.r: yield from self.r
    def height(self): return 1 + max(self.l.height() if self.l else 0, self.r.height() if self.r else 0)
t = T(50, 'root')
x = 7
for i in range(100):
    x = x * 37 % 101
    t.put(x, i)
print(list(t)[:6], len(list(t)), t.height(), t.get(50), t.get(7))
try:
    t.get(1000)
except KeyError as e:
    print('no', e.args[0])
print([k for k, _ in t] == sorted(k for k, _ in t))
