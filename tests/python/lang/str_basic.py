s = 'hello, World'
print(s, len(s), s[0], s[-1], s[1:4], s[5:], s[:-6])
print(s + '!', s * 2, 'ell' in s, s == 'hello, World', s < 'i')
print(s.upper(), s.lower(), s.find('o'), s.rfind('o'), s.find('zz'), s.index('W'), s.count('l'))
print(s.replace('l', 'L'), s.replace('l', 'L', 2), s.startswith('hell'), s.endswith('d'))
print('  pad '.strip() + '|', 'xxaxx'.strip('x'), '..a'.lstrip('.'), 'a..'.rstrip('.'))
print('a,b,,c'.split(','), ' a  b '.split(), 'a-b-c'.split('-', 1), 'a-b-c'.rsplit('-', 1))
print('-'.join(['x', 'y', 'z']), ''.join(reversed('abc')))
print('a=b=c'.partition('='), 'a=b=c'.rpartition('='), 'abc'.partition('='))
print('l1\nl2\r\nl3'.split('\n'), 'tab\there', 'q\'uote "d"', repr('a\nb\t\\'), repr("it's"))
print('abc'.isalpha(), '123'.isdigit(), ' '.isspace(), 'Ab'.isupper(), 'ab'.islower())
print(ord('A'), chr(97), chr(0x20ac), '\x41\u0042', len('\u20ac'))
print('%s %d %5d|%-5d|%05d %x %c %%' % ('s', 3, 4, 5, 6, 255, 'c'))
try:
    'abc'.index('z')
except ValueError:
    print('not found')
try:
    'a' + 1
except TypeError:
    print('type')
print('x'.center(5) + '|', min('hello'), max('hello'), sorted('hello'))
