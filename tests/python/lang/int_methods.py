print((1024).to_bytes(4, 'big'), (1024).to_bytes(4, 'little'))
print(int.from_bytes(b'\x00\x10', 'big'), int.from_bytes(b'\x10\x00', 'little'))
print([int(s, b) for s, b in (('777', 8), ('ff', 16), ('1010', 2), ('zz', 36))])
print(round(15, -1), round(25, -1), round(7), round(-13, -1))
print(max(3, 9, 2), min([4, 1, 8]), sum(range(101)), sum([1, 2], 10))
print([x for x in (-3, -2, -1, 0, 1, 2, 3) if x & 1])
print(int(3.99), int(-3.99), 10_000, 0x_ff, 0b1010_1010)
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a
print(gcd(1071, 462), gcd(2 ** 40, 6 ** 20))
def primes(n):
    s = [True] * (n + 1)
    for i in range(2, int(n ** 0.5) + 1):
        if s[i]:
            for j in range(i * i, n + 1, i):
                s[j] = False
    return [i for i in range(2, n + 1) if s[i]]
print(primes(100))
def collatz(n):
    c = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        c += 1
    return c
print([collatz(i) for i in range(1, 30)])
