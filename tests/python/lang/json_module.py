import json
v = {'a': [1, 2.5, None, True, False], 's': 'q"\\\n\u00e9', 'n': {'x': -3}}
t = json.dumps(v)
print(json.loads(t) == v, json.loads('[1, 2, {"k": "v"}]'), json.dumps([1, 'a', None, True]))
print(json.dumps('tab\there'), json.loads('"\\u0041\\n"'), json.loads(' { } '), json.loads('[]'))
print(json.loads('-1.5e2'), json.loads('0'), json.loads('true'), json.loads('null'))
print(json.dumps({'one': 1}), json.dumps((1, 2)), json.dumps(1.5))
for bad in ('{', '[1,', 'nul', ''):
    try:
        json.loads(bad); print('accepted', bad)
    except ValueError:
        print('bad', bad)
import io
f = io.StringIO()
json.dump({'k': [1, 2]}, f)
print(f.getvalue(), json.load(io.StringIO('{"z": 1}')))
big = {'k%d' % i: list(range(i)) for i in range(30)}
print(json.loads(json.dumps(big)) == big)
deep = []
for i in range(50):
    deep = [deep]
print(len(json.dumps(deep)))
