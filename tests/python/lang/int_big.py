# Integers without limit.
a = 123456789012345678901234567890
b = 987654321098765432109876543210
print(a + b, b - a, a - b, a * b)
print(b // a, b % a, -b // a, -b % a, divmod(b, -a))
print(a ** 5, 2 ** 200, 2 ** 64 - 1, -2 ** 63)
print(a & b, a | b, a ^ b, ~a, a << 70, b >> 33, -b >> 33)
print(a == a + 0, a < b, a > b, a != b, hash(a) == hash(a + 0))
print(int('9' * 40), str(10 ** 50), len(str(2 ** 1000)))
print(hex(a), int(hex(a), 16) == a, bin(2 ** 65))
f = 1
for i in range(1, 60):
    f *= i
print(f)
print(pow(a, 3, 1000007), pow(2, 200, 10 ** 9 + 7))
x, y = 1, 1
for i in range(300):
    x, y = y, x + y
print(x)
print(int(1e20), int(-1e18), float(2 ** 70), 2 ** 70 / 2 ** 69)
print((2 ** 100).to_bytes(16, 'big'), int.from_bytes(b'\x01' * 12, 'little'))
