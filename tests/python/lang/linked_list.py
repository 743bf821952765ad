class List:
    class Node:
        def __init__(self, v, n): self.v, self.n = v, n
    def __init__(self, it=()):
        self.head, self.size = None, 0
        for x in reversed(list(it)): self.push(x)
    def push(self, v): self.head = List.Node(v, self.head); self.size += 1
    def pop(self):
        if not self.head: raise IndexError('empty list')
        v, self.head = self.head.v, self.head.n
        self.size -= 1
        return v
    def __iter__(self):
        n = self.head
        while n: yield n.v; n = n.n
    def __len__(self): return self.size
    def __repr__(self): return 'List(' + ' -> '.join(repr(x) for x in self) + ')'
    def reverse(self):
        p, n = None, self.head
        while n: n.n, p, n = p, n, n.n
        self.head = p
l = List([1, 'two', 3.0])
print(l, len(l), list(l), 'two' in l)
l.push(0); l.reverse(); print(l, l.pop(), l)
while l: l.pop()
try:
    l.pop()
except IndexError as e:
    print(e)
