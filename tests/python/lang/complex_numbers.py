a = 1 + 2j
b = 3 - 1j
print(a + b, a - b, a * b)
print(a.real, a.imag, abs(3 + 4j))
print(a == complex(1, 2), a != b, -a, +a)
print('%.3f %.3f' % ((a / b).real, (a / b).imag))
z = 0j
for i in range(5):
    z = z * z + (0.1 + 0.2j)
print('%.6f %.6f' % (z.real, z.imag))
def mandel(c, n=20):
    z = 0
    for i in range(n):
        z = z * z + c
        if abs(z) > 2:
            return i
    return n
for y in range(-6, 7, 2):
    print(''.join('%x' % min(15, mandel(complex(x / 10, y / 5))) for x in range(-20, 6, 2)))
