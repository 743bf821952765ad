print(int('12'), int(3.9), int('-7'), int(True), float('2.5'), float(3), str(12), str(1.5), bool('x'))
print(list('ab'), tuple([1, 2]), sorted(set([1, 1, 2])), dict([(1, 2)]), list({'a': 1}), list(b'ab'), bytes([65]), bytearray(b'x'))
print(int(b'42') if False else 42, complex(1, 2), chr(65), ord('B'), hex(10), oct(8), bin(2))
print(list(map(int, '1 2 3'.split())), ','.join(map(str, [1, 2, 3])), list(zip('ab', [1, 2])))
for f, x in ((int, 'a'), (float, 'b'), (int, None), (list, 5), (dict, [1]), (chr, -1), (ord, 'ab')):
    try:
        print(f(x))
    except (ValueError, TypeError) as e:
        print(type(e).__name__)
print(1 == 1.0, '1' == 1, [1] == (1,), b'a' == 'a', None == False, 0 == False, 1 in [True])
print(isinstance(1, int), isinstance('', str), isinstance([], (tuple, list)), isinstance(1.0, int), isinstance(None, type(None)))
print(3 + 2.0, 2 * 'ab', [1] * 2, 'a' 'b', True + 1.5, 7 // 2.0, 2 ** -1, 10 % 3.5)
for f in (lambda: 'a' + 1, lambda: 1 + 'a', lambda: [1] + (2,), lambda: {} + {}, lambda: None + 1, lambda: 'a' * 'b', lambda: 1 < 'a'):
    try:
        f()
    except TypeError:
        print('TypeError')
