def bisect(f, a, b):
    for _ in range(60):
        m = (a + b) / 2
        if f(a) * f(m) <= 0: b = m
        else: a = m
    return a
print('%.9f' % bisect(lambda x: x * x - 2, 0, 2), '%.9f' % bisect(lambda x: x ** 3 - x - 1, 1, 2))
def simpson(f, a, b, n):
    h = (b - a) / n
    return h / 3 * sum((1 if i in (0, n) else 4 if i % 2 else 2) * f(a + i * h) for i in range(n + 1))
import math
print('%.8f' % simpson(math.sin, 0, math.pi, 100), '%.8f' % simpson(lambda x: x * x, 0, 3, 10))
def euler(f, y, t, h, n):
    for _ in range(n): y += h * f(t, y); t += h
    return y
print('%.6f' % euler(lambda t, y: -2 * y, 1.0, 0, 0.001, 1000))
def pi_digits(n):
    q, r, t, k, m, x, out = 1, 0, 1, 1, 3, 3, []
    while len(out) < n:
        if 4 * q + r - t < m * t:
            out.append(m); q, r, m = 10 * q, 10 * (r - m * t), 10 * (3 * q + r) // t - 10 * m
        else:
            q, r, t, k, m, x = q * k, (2 * q + r) * x, t * x, k + 1, (q * (7 * k + 2) + r * x) // (t * x), x + 2
    return ''.join(map(str, out))
print(pi_digits(60))
def isqrt(n):
    x = n
    while True:
        y = (x + n // x) // 2
        if y >= x: return x
        x = y
print(isqrt(2 * 10 ** 60), isqrt(10 ** 20))
def mean(l): return sum(l) / len(l)
def std(l): m = mean(l); return (sum((x - m) ** 2 for x in l) / len(l)) ** 0.5
d = [2, 4, 4, 4, 5, 5, 7, 9]; print(mean(d), '%.4f' % std(d), sorted(d)[len(d) // 2])
def egcd(a, b): return (a, 1, 0) if b == 0 else (lambda g, x, y: (g, y, x - a // b * y))(*egcd(b, a % b))
print(egcd(240, 46), pow(3, 65537, 1000003), [n for n in range(2, 60) if pow(2, n - 1, n) == 1 or n == 2])
