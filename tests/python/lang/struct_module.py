import struct
print(struct.pack('<IhB', 1, -2, 255), struct.pack('>IhB', 1, -2, 255), struct.calcsize('<IhB'))
print(struct.unpack('<IhB', b'\x01\x00\x00\x00\xfe\xff\xff'), struct.unpack('>Q', b'\x00' * 7 + b'\x05'))
print(struct.pack('<f', 1.5), struct.unpack('<d', struct.pack('<d', 3.25)), struct.pack('4s', b'ab'))
b = bytearray(8)
struct.pack_into('<HH', b, 2, 0x1234, 0x5678)
print(b, struct.unpack_from('<H', b, 4))
for f in ('b', 'B', '<h', '<H', '<i', '<I', '<q', '<Q'):
    print(f, struct.calcsize(f), struct.unpack(f, struct.pack(f, 100)))
print(struct.pack('<3B', 1, 2, 3), struct.unpack('<2H', b'\x01\x00\x02\x00'))
def packet(kind, payload): return struct.pack('>BH', kind, len(payload)) + payload
def parse(d):
    r = []
    while d:
        k, n = struct.unpack('>BH', d[:3]); r.append((k, d[3:3 + n])); d = d[3 + n:]
    return r
print(parse(packet(1, b'abc') + packet(2, b'') + packet(3, b'z')))
