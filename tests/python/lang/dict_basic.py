d = {'a': 1, 'b': 2}
d['c'] = 3; d['a'] = 10
print(sorted(d), len(d), d['a'], d.get('z'), d.get('z', 0), 'b' in d, 'z' not in d)
print(sorted(d.keys()), sorted(d.values()), sorted(d.items()))
del d['b']; print(d.pop('c'), d.pop('zz', None), d)
d.update({'x': 1, 'y': 2}); print(sorted(d.items()))
print(d.setdefault('x', 9), d.setdefault('n', 9), sorted(d))
for k in sorted(d):
    print(k, d[k])
print({i: i * i for i in range(5)}, dict([('a', 1)]), dict(a=1, b=2) == {'b': 2, 'a': 1}, dict(zip('ab', [1, 2])))
e = d.copy(); e.clear(); print(e, len(d), {} == {}, bool({}))
try:
    d['missing']
except KeyError as err:
    print('KeyError', err.args[0])
try:
    d[[1]] = 2
except TypeError:
    print('unhashable')
n = {}
for w in 'the cat and the dog and the bird'.split():
    n[w] = n.get(w, 0) + 1
print(sorted(n.items(), key=lambda kv: (-kv[1], kv[0])))
nested = {'l': [1, 2], 'd': {'k': 'v'}}
nested['d']['k2'] = nested['l']; nested['l'].append(3)
print(nested['d']['k2'], sorted(nested))
big = {i: str(i) for i in range(1000)}
for i in range(0, 1000, 2):
    del big[i]
print(len(big), big[999], 500 in big, sum(big))
print(list({'z': 1, 'a': 2, 'm': 3}) if False else sorted({'z': 1, 'a': 2, 'm': 3}))
k, v = {'only': 1}.popitem(); print(k, v)
print({1: 'int', 1.0: 'float', True: 'bool'})
