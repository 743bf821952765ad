print(1.5 + 2, 3 / 2, 7 // 2.0, 7.5 % 2, -7.5 % 2, 2 ** 0.5, 2.0 ** -1)
print(0.1 + 0.2 == 0.3, abs(-2.5), 1e3, 1.5e-3, 1e100 * 10)
print(float('1.25'), float('-1e3'), float('inf'), float('-inf'), float('nan') != float('nan'))
print(int(2.7), round(2.5), round(3.5), round(-2.5), round(2.567, 2), round(1234.5, -2))
print(1.0 == 1, 1.0 is 1, hash(1.0) == hash(1)) if False else print(1.0 == 1, 2.5 > 2, 2.5 < 3)
print(float('inf') > 1e308, -float('inf') < 0, 1e308 * 10 == float('inf'))
print('%.3f %.0f %e %g %g' % (3.14159, 2.7, 12345.678, 1e-7, 123456789.0))
print('{:.2f} {:8.3f}| {:<8.1f}| {:+.1f} {:08.2f}'.format(3.14159, 2.5, 2.5, 2.5, -2.5))
print(divmod(7.5, 2), divmod(-7.5, 2))
for bad in ('', 'abc', '1.2.3'):
    try:
        float(bad)
    except ValueError:
        print('bad', bad)
try:
    1.0 / 0
except ZeroDivisionError:
    print('zero')
s = 0.0
for i in range(1, 1000):
    s += 1 / (i * i)
print('%.6f' % s)
