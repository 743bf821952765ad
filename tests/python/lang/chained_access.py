data = {'users': [{'name': 'ann', 'tags': ['x', 'y'], 'addr': {'city': 'Ulm', 'zip': 89073}}, {'name': 'bob', 'tags': [], 'addr': None}]}
print(data['users'][0]['addr']['city'], data['users'][-1]['addr'], len(data['users'][0]['tags'][1:]))
def dig(d, *path, default=None):
    for p in path:
        try:
            d = d[p]
        except (KeyError, IndexError, TypeError):
            return default
    return d
print(dig(data, 'users', 0, 'tags', 1), dig(data, 'users', 1, 'addr', 'city', default='?'), dig(data, 'none'))
data['users'][1]['addr'] = dict(data['users'][0]['addr'])
data['users'][1]['addr']['city'] = 'Köln'
print(data['users'][0]['addr']['city'], data['users'][1]['addr']['city'])
def walk(d, path=''):
    if isinstance(d, dict):
        for k in sorted(d): yield from walk(d[k], path + '/' + k)
    elif isinstance(d, list):
        for i, x in enumerate(d): yield from walk(x, path + '/%d' % i)
    else: yield path, d
for p, v in walk(data): print(p, v)
def merge(a, b):
    r = dict(a)
    for k, v in b.items(): r[k] = merge(r[k], v) if isinstance(v, dict) and isinstance(r.get(k), dict) else v
    return r
print(sorted(merge({'a': {'x': 1}, 'b': 2}, {'a': {'y': 3}, 'b': 4}).items(), key=lambda t: t[0])[1], sorted(merge({'a': {'x': 1}}, {'a': {'y': 3}})['a'].items()))
l = [[1, [2, 3]], [4]]
l[0][1][0] = 'deep'; l[1] += [5]; l[1][0], l[0][0] = l[0][0], l[1][0]
print(l, l[0][1][-1], [x for y in l for x in y if not isinstance(x, list)])
