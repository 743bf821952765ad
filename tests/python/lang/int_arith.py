# Integer operators and their rounding.
for a in (7, -7, 0, 12345):
    for b in (3, -3, 1, 1000):
        print(a + b, a - b, a * b, a // b, a % b, divmod(a, b))
print(2 ** 10, (-2) ** 3, 2 ** 0, pow(3, 4), pow(3, 4, 5))
print(7 & 3, 7 | 8, 7 ^ 2, ~7, 1 << 20, -1 >> 3, 1 << 40 >> 38)
print(-7 // 2, -7 % 2, 7 // -2, 7 % -2)
print(abs(-5), int('42'), int('-0x1f', 16), int('z', 36), int('0b101', 0))
print(bin(10), oct(64), hex(255), bin(-5), hex(-255))
print(True + True, True * 3, int(True))
x = 5
x += 3; x -= 1; x *= 4; x //= 3; x %= 5; x **= 3; x <<= 2; x >>= 1; x |= 1; x &= 7; x ^= 2
print(x)
for bad in ('', 'x1', '1.5', '0x'):
    try:
        print(int(bad))
    except ValueError:
        print('bad', bad)
try:
    1 // 0
except ZeroDivisionError:
    print('zero')
