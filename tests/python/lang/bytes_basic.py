b = b'hello\x00\xff'
print(b, len(b), b[0], b[-1], b[1:3], list(b[:3]))
print(b + b'!', b * 2, b'ell' in b, 104 in b, b.find(b'l'), b.count(b'l'))
print(bytes(3), bytes([1, 2, 255]), bytes('é', 'utf-8'), bytes(range(5)))
print(b'a,b'.split(b','), b'-'.join([b'x', b'y']), b' s '.strip(), b'abc'.replace(b'b', b'X'))
print(b'abc' == bytearray(b'abc'), b'a' < b'b', hash(b'x') == hash(b'x'))
print(b.hex(), bytes.fromhex('00ff10'), b'AB'.lower(), b'ab'.upper())
print(b'abc'.startswith(b'ab'), b'abc'.endswith(b'c'), b'%d-%s' % (5, b'x'))
a = bytearray(b'abc')
a[0] = 120; a.append(33); a.extend(b'zz'); a[1:2] = b'--'
print(a, len(a), a[2], bytes(a), a.decode())
a += b'end'
print(a, a.find(b'end'))
try:
    b[0] = 1
except TypeError:
    print('immutable')
try:
    bytes([256])
except ValueError:
    print('range')
m = memoryview(a)
m[0] = 65
print(a, bytes(m[1:4]), len(m))
