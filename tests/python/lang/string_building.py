s = ''
for i in range(300): s += chr(97 + i % 26)
print(len(s), s[:30], s[-5:])
print('\n'.join('%2d %s' % (i, '#' * (i * i % 17)) for i in range(12)))
t = s
for a, b in (('a', '1'), ('xyz', '-'), ('mno', '')): t = t.replace(a, b)
print(t[:40], len(t))
print(' '.join(''.join(reversed(w)) for w in 'the quick brown fox'.split()))
def table(rows):
    w = [max(len(str(r[i])) for r in rows) for i in range(len(rows[0]))]
    return '\n'.join(' | '.join('{:<{}}'.format(str(c), n) for c, n in zip(r, w)).rstrip() for r in rows)
print(table([('name', 'n', 'note'), ('alpha', 10, 'x'), ('b', 2000, 'longer note')]))
print('a-b_c d'.replace('-', ' ').replace('_', ' ').split(), '%s' * 3 % (1, 2, 3), 'x'.join('abc'), '=' * 20)
b = bytearray()
for i in range(256): b += bytes([i])
print(len(b), sum(b), bytes(b[65:91]), b.find(b'abc'))
print(''.join(sorted('the quick brown fox')).strip(), ''.join(c for c in 'Hello' if c not in 'aeiou'))
parts = 'k1=v1;k2=v2;k3'.split(';')
print([tuple(p.split('=')) for p in parts], dict(p.split('=') for p in parts if '=' in p) == {'k1': 'v1', 'k2': 'v2'})
print(max('apple', 'banana', key=len), 'b' > 'a', 'abc' < 'abd', 'Z' < 'a', '' < 'a', 'a' * 0 == '')
