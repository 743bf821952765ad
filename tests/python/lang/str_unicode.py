s = 'Größe €100 日本'
print(s, len(s), s[2], s[-1], s[2:5])
b = s.encode()
print(b, len(b), b.decode() == s, str(b, 'utf-8'))
print([ord(c) for c in s])
for c in 'añ€😀':
    print(c, hex(ord(c)), c.encode('utf-8'))
print('ö' in s, s.find('€'), s.index('本'), *s.split(' '))
d = {'ключ': 'значение', 'ключ2': 2}
print(d['ключ'], *sorted(d))
print('\u00e9' == 'é', '\u20ac', '\U0001F600')
print('é'.upper() in ('É', 'é'), 'abcé'.replace('é', 'e'))
print('%s|%s|' % ('ä', 'ß'), '{}|'.format('ü'))
try:
    b'\xff\xfe'.decode()
except UnicodeError:
    print('bad utf-8')
