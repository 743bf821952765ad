print('{} {} {}'.format(1, 'a', None), '{1} {0}'.format('a', 'b'), '{x} {y}'.format(x=1, y=2))
print('{:5}|{:<5}|{:>5}|{:^5}|{:*^7}|'.format(1, 2, 3, 4, 5))
print('{:d} {:x} {:X} {:o} {:b} {:#x} {:c}'.format(42, 255, 255, 8, 5, 255, 65))
print('{:,} {:+d} {: d} {:05d}'.format(1234567, 5, 5, 42))
print('{:.2f} {:10.3f} {:e} {:g} {:%}'.format(3.14159, 2.71828, 12345.6789, 0.0001, 0.25))
print('{!r} {!s}'.format('a', 'a'), '{{}} {}'.format(1))
print('{0[1]} {0}'.format([1, 2]) if False else '{} {}'.format([1, 2], {'a': 1}))
print('{:>{w}}|{:.{p}f}'.format('x', 2.71828, w=6, p=2))
w, v, name = 8, 3.14159, 'pi'
print(f'{name} = {v:.3f}|{name:>{w}}|{w * 2}|{name!r}')
print(f'{{literal}} {1 + 1} {"nested"} {[i for i in range(3)]}')
print(f'{v:{w}.2f}|{w:04d}|{w:#x}')
print('%(a)s-%(b)03d' % {'a': 'x', 'b': 7}, '%s' % [1, 2], '%r' % 'q', '%6.2f|%-8s|' % (1.5, 'ab'))
for bad in ('{} {}', '{z}'):
    try:
        bad.format(1)
    except (IndexError, KeyError) as e:
        print(type(e).__name__)
