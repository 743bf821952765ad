import array
a = array.array('i', [1, -2, 3])
a.append(4); a.extend(array.array('i', [5])); a[0] = 10
print(list(a), len(a), a[1], sum(a), a[1:3] == array.array('i', [-2, 3]))
b = array.array('d', [1.5, 2.5]); print(list(b), b[1])
for t in 'bBhHiIqQfd':
    x = array.array(t, [1, 2]); x[1] = 100; print(t, list(x))
try:
    array.array('B', [256]) if False else array.array('z', [])
except (ValueError, OverflowError, TypeError):
    print('bad type')
buf = bytearray(range(10))
m = memoryview(buf)
m[2:5] = b'xyz'; m[0] = 255
print(buf, bytes(m[2:4]), m[9], len(m[3:]))
s = m[5:]; s[0] = 65; print(buf[5], list(s))
try:
    memoryview(b'ro')[0] = 1
except TypeError:
    print('read only')
def fill(v, x):
    for i in range(len(v)): v[i] = x
fill(m[-3:], 7); print(list(buf))
print(bytes(memoryview(b'abc')), memoryview(b'ab') == b'ab')
