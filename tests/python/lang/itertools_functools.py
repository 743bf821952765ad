import itertools, functools
print([x for _, x in zip(range(5), itertools.count(10))], [x for _, x in zip(range(5), itertools.cycle('ab'))])
print(list(itertools.chain([1], (2, 3), 'x')), list(itertools.islice(range(100), 2, 10, 3)))
print(list(itertools.repeat('r', 3)), list(itertools.starmap(pow, [(2, 3), (3, 2)])))
print(functools.reduce(lambda a, b: a * b, range(1, 7)), functools.partial(int, base=2)('101') if False else functools.partial(max, 5)(3))
print(list(itertools.accumulate([1, 2, 3, 4])))
def product(*p):
    r = [()]
    for q in p: r = [x + (y,) for x in r for y in q]
    return r
print(product('ab', [1, 2]), len(product(range(5), range(6), range(7))))
def combos(l, k): return [[]] if k == 0 else [] if not l else [[l[0]] + c for c in combos(l[1:], k - 1)] + combos(l[1:], k)
print(combos([1, 2, 3, 4], 2))
