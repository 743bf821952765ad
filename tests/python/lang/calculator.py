# A recursive-descent parser with errors that name their place.
class Bad(Exception): pass
class Parser:
    def __init__(self, text): self.t, self.i = text, 0
    def peek(self):
        while self.i < len(self.t) and self.t[self.i] == ' ': self.i += 1
        return self.t[self.i] if self.i < len(self.t) else ''
    def take(self): c = self.peek(); self.i += 1; return c
    def number(self):
        s = self.i
        while self.i < len(self.t) and (self.t[self.i].isdigit() or self.t[self.i] == '.'): self.i += 1
        if s == self.i: raise Bad('number expected at %d' % s)
        n = self.t[s:self.i]
        return float(n) if '.' in n else int(n)
    def atom(self):
        c = self.peek()
        if c == '(':
            self.take(); v = self.sum()
            if self.take() != ')': raise Bad('missing ) at %d' % (self.i - 1))
            return v
        if c == '-': self.take(); return -self.atom()
        return self.number()
    def power(self):
        v = self.atom()
        if self.peek() == '^': self.take(); return v ** self.power()
        return v
    def product(self):
        v = self.power()
        while self.peek() in ('*', '/', '%'):
            op, w = self.take(), self.power()
            v = v * w if op == '*' else v / w if op == '/' else v % w
        return v
    def sum(self):
        v = self.product()
        while self.peek() in ('+', '-'):
            v = v + self.product() if self.take() == '+' else v - self.product()
        return v
def calc(t):
    p = Parser(t); v = p.sum()
    if p.peek(): raise Bad('unexpected %s at %d' % (p.peek(), p.i))
    return v
for t in ('1+2*3', '(1+2)*3', '2^3^2', '-(4-6)*2.5', '10/4', '7 % 4 + 1', '2*(3', '4+', '1 2', '((1))'):
    try:
        print(t, '=', calc(t))
    except Bad as e:
        print(t, 'error:', e)
try:
    calc('1/0')
except ZeroDivisionError:
    print('division')
