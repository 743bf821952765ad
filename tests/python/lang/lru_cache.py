class LRU:
    def __init__(self, size): self.size, self.d, self.order = size, {}, []
    def get(self, k, default=None):
        if k not in self.d: return default
        self.order.remove(k); self.order.append(k)
        return self.d[k]
    def put(self, k, v):
        if k in self.d: self.order.remove(k)
        elif len(self.d) == self.size: del self.d[self.order.pop(0)]
        self.order.append(k); self.d[k] = v
    __getitem__ = get
    __setitem__ = put
c = LRU(3)
for k in 'abc': c[k] = ord(k)
c['a']; c['d'] = 1
print(c.order, c['b'], c['a'], c.get('zz', 'default'))
def cached(fn):
    c, stats = LRU(50), [0, 0]
    def w(n):
        v = c.get(n)
        stats[v is None] += 1
        if v is None: v = fn(n); c.put(n, v)
        return v
    return w, stats
fib, stats = cached(lambda n: n if n < 2 else fib(n - 1) + fib(n - 2))
print(fib(40), stats)
