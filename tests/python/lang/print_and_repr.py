print(repr('a\'b'), repr("a'b"), repr('a"b'), repr('\x00\x7f\n'), repr('é') == "'é'" or repr('é') == "'\\xe9'")
print([None, True, 1, 1.5, 'x', b'y', (1,), [2], {3: 4}], (), [], {})
print(str([1, 'a']), str((1, 'b')), str({'k': [1]}), '%s %r' % ('s', 's'), repr(b'\x00a"\''))
class A:
    def __repr__(self): return 'A!'
class B:
    def __str__(self): return 'B?'
print(A(), [A()], str(A()), '%s' % B(), '{}'.format(B()), '{!r}'.format(A()))
print(1e10, 1e16, 1.0, 0.1, 100.0, 1e-5, 123.456, -0.0, 1e22, 2.5e-10)
print(10 ** 20, -10 ** 20, 0xffffffff, 1 << 31, -(1 << 31))
print(type(1).__name__, type('').__name__, type([]).__name__, type(None).__name__, type(print).__name__ in ('function', 'builtin_function_or_method'))
print(*[], sep='x'); print('a', end=''); print('b'); print('c', 'd', sep='', end='|\n')
print(str(3.0), str(1 / 4), int(7.0), 7 / 7, 2 ** 0.5 > 1.41)
print('%5.1f|%-6s|%06d|%+d|%x|%o|%e' % (3.14159, 'ab', 42, 7, 255, 8, 1234.5))
print('multi'
      'part', """tri
ple""", 'esc\\aped', r'raw\n', '\101', '\t|')
