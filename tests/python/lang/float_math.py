import math
for f in (math.sin, math.cos, math.tan, math.exp, math.sqrt, math.log):
    print(['%.6f' % f(x) for x in (0.5, 1.0, 2.0)])
print('%.6f %.6f' % (math.pi, math.e))
print(math.floor(-1.5), math.ceil(-1.5), math.trunc(-1.5), math.floor(2.7))
print('%.6f' % math.atan2(1, -1), '%.4f' % math.degrees(1), '%.4f' % math.radians(180))
print(math.isnan(float('nan')), math.isinf(float('inf')), math.isfinite(1.0))
print(math.fabs(-3), math.fmod(7, 3), math.modf(2.5), math.frexp(8.0), math.ldexp(0.5, 4))
print('%.4f %.4f' % (math.pow(2, 0.5), math.log(8, 2)), math.copysign(3, -0.0))
try:
    math.sqrt(-1)
except ValueError:
    print('domain')
def newton(x):
    g = x
    for _ in range(30):
        g = (g + x / g) / 2
    return g
print('%.9f' % newton(2))
