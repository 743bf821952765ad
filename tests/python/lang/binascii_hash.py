import binascii, hashlib
print(binascii.hexlify(b'\x00\xffabc'), binascii.unhexlify(b'00ff61'))
print(binascii.b2a_base64(b'hello world'), binascii.a2b_base64(b'aGVsbG8='))
print(binascii.hexlify(hashlib.sha256(b'abc').digest()))
h = hashlib.sha256(); h.update(b'a' * 1000); h.update(b'b'); print(binascii.hexlify(h.digest()))
print(binascii.crc32(b'123456789'), hex(binascii.crc32(b'')))
import base64
print(base64.b64encode(b'\x00\x01\x02'), base64.b64decode(b'AAEC'), base64.b16encode(b'hi'))
try:
    binascii.unhexlify(b'0')
except ValueError:
    print('odd')
def crc16(d):
    c = 0xffff
    for b in d:
        c ^= b
        for _ in range(8): c = c >> 1 ^ 0xa001 if c & 1 else c >> 1
    return c
print(hex(crc16(b'123456789')))
