def popcount(n):
    c = 0
    while n: n &= n - 1; c += 1
    return c
print([popcount(n) for n in (0, 1, 255, 1 << 70, (1 << 70) - 1)])
def rev(n, w): return int(''.join(reversed('{:0{}b}'.format(n, w))), 2) if False else sum(((n >> i) & 1) << (w - 1 - i) for i in range(w))
print(rev(0b10010110, 8), rev(1, 16), hex(rev(0xf0, 32)))
def gray(n): return n ^ n >> 1
print([gray(i) for i in range(8)], ['{:03b}'.format(gray(i)) for i in range(8)])
x = 0
for i in (3, 5, 40, 63): x |= 1 << i
print(hex(x), [i for i in range(64) if x >> i & 1], x & -x, (x & -x) == 8)
x &= ~(1 << 5); print(hex(x), x ^ x, ~x & 0xff)
def lfsr(s):
    while True: yield s & 1; s = s >> 1 ^ (0xb400 if s & 1 else 0)
g = lfsr(0xace1); print(''.join(str(next(g)) for _ in range(48)))
def f32(n): return n & 0xffffffff
h = 0x811c9dc5
for b in b'wipy': h = f32((h ^ b) * 0x01000193)
print(hex(h), f32(-1), f32(1 << 32))
print([(-5) >> 1, -5 & 3, -5 | 3, -5 ^ 3, ~-1, 5 & -2])
