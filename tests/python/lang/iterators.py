class R:
    def __init__(self, n): self.n = n
    def __iter__(self): self.i = 0; return self
    def __next__(self):
        if self.i >= self.n: raise StopIteration
        self.i += 1
        return self.i
print(list(R(4)), sum(R(4)), 3 in R(4), max(R(3)), [x for x in R(2)], tuple(R(2)), sorted(dict(zip(R(2), 'ab')).items()))
a, b, c = R(3); print(a, b, c)
it = iter([1, 2, 3]); print(next(it), list(it), next(it, 'none'))
print(list(zip([1, 2, 3], 'ab')), list(map(lambda x, y: x + y, [1, 2], [10, 20])), list(filter(lambda x: x > 1, [1, 2, 3])))
print(list(reversed([1, 2])), list(enumerate('ab')), list(range(5, 0, -2)))
class Seq:
    def __getitem__(self, i):
        if i > 2: raise IndexError
        return i * i
print(list(Seq()), 4 in Seq())
for i, x in enumerate(Seq()): print(i, x)
def chain(*its):
    for i in its:
        for x in i: yield x
print(list(chain([1], 'a', R(2))), list(iter('ab')))
try:
    iter(5)
except TypeError:
    print('not iterable')
d = {'a': 1}
for k in d: d2 = dict(d)
print(d2)
i = iter(range(3))
for x in i:
    print(x, next(i, None))
print(any(x > 2 for x in R(5)), all(x > 2 for x in R(5)), min((3, 'c'), (1, 'z')), sorted(R(3), key=lambda x: -x))
