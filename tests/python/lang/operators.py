class N:
    def __init__(s, v): s.v = v
    def __repr__(s): return 'N(%s)' % s.v
    def __add__(s, o): return N('%s+%s' % (s.v, o.v if isinstance(o, N) else o))
    def __radd__(s, o): return N('%s r+ %s' % (o, s.v))
    def __sub__(s, o): return N('%s-%s' % (s.v, o))
    def __rsub__(s, o): return N('%s r- %s' % (o, s.v))
    def __iadd__(s, o): s.v = '%s+=%s' % (s.v, o); return s
    def __truediv__(s, o): return 'div'
    def __floordiv__(s, o): return 'fdiv'
    def __mod__(s, o): return 'mod'
    def __pow__(s, o): return 'pow'
    def __lshift__(s, o): return 'shl'
    def __rshift__(s, o): return 'shr'
    def __and__(s, o): return 'and'
    def __or__(s, o): return 'or'
    def __xor__(s, o): return 'xor'
    def __invert__(s): return 'inv'
    def __pos__(s): return 'pos'
    def __neg__(s): return 'neg'
    def __abs__(s): return 'abs'
    def __eq__(s, o): return s.v == getattr(o, 'v', o)
    def __lt__(s, o): return s.v < o.v
    def __le__(s, o): return s.v <= o.v
    def __gt__(s, o): return s.v > o.v
    def __ge__(s, o): return s.v >= o.v
    def __hash__(s): return hash(s.v)
a, b = N('a'), N('b')
print(a + b, a + 1, 1 + a, a - 1, 1 - a)
a += 5
print(a, a / 1, a // 1, a % 1, a ** 1, a << 1, a >> 1, a & 1, a | 1, a ^ 1, ~a, +a, -a, abs(a))
print(N(1) == N(1), N(1) == 1, N(1) != N(2), N(1) < N(2), N(2) <= N(2), N(3) > N(2), N(1) >= N(2))
print({N(1): 'one'}[N(1)], N(1) in [N(1)], max(N(1), N(3), N(2)))
try:
    object() + 1
except TypeError:
    print('unsupported')
