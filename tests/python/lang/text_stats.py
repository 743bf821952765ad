text = '''It was the best of times, it was the worst of times, it was the age of
wisdom, it was the age of foolishness, it was the epoch of belief, it was the
epoch of incredulity, it was the season of Light.'''
words = [w.strip('.,').lower() for w in text.split()]
n = {}
for w in words: n[w] = n.get(w, 0) + 1
for w, c in sorted(n.items(), key=lambda x: (-x[1], x[0]))[:8]: print('%-8s %3d %s' % (w, c, '*' * c))
print(len(words), len(n), max(words, key=len), sum(map(len, words)))
letters = {}
for ch in text.lower():
    if ch.isalpha(): letters[ch] = letters.get(ch, 0) + 1
print(''.join(sorted(letters, key=lambda c: (-letters[c], c))))
def wrap(t, w):
    line = ''
    for x in t.split():
        if len(line) + len(x) + 1 > w: yield line; line = x
        else: line = line + ' ' + x if line else x
    yield line
for l in wrap(text, 30): print('|%-30s|' % l)
def caesar(s, k): return ''.join(chr((ord(c) - 97 + k) % 26 + 97) if 'a' <= c <= 'z' else c for c in s)
print(caesar('hello, world', 3), caesar(caesar('hello', 5), -5))
def rle(s):
    out, i = [], 0
    while i < len(s):
        j = i
        while j < len(s) and s[j] == s[i]: j += 1
        out.append('%d%s' % (j - i, s[i])); i = j
    return ''.join(out)
print(rle('aaabccddddd'), ' '.join(w[0].upper() + w[1:] for w in words[:5]))
print([w for w in ('level', 'noon', 'abc') if w == ''.join(reversed(w))])
