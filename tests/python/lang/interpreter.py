# Brainfuck: a machine inside a machine inside a machine.
def run(src, inp=''):
    jump, stack = {}, []
    for i, c in enumerate(src):
        if c == '[': stack.append(i)
        elif c == ']': j = stack.pop(); jump[i], jump[j] = j, i
    mem, p, i, out, at = [0] * 100, 0, 0, [], 0
    while i < len(src):
        c = src[i]
        if c == '>': p += 1
        elif c == '<': p -= 1
        elif c == '+': mem[p] = (mem[p] + 1) & 255
        elif c == '-': mem[p] = (mem[p] - 1) & 255
        elif c == '.': out.append(chr(mem[p]))
        elif c == ',': mem[p] = ord(inp[at]) if at < len(inp) else 0; at += 1
        elif c == '[' and not mem[p] or c == ']' and mem[p]: i = jump[i]
        i += 1
    return ''.join(out)
print(run('++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.+++++++..+++.>>.<-.<.+++.------.--------.>>+.'))
print(run(',[.,]', 'echo'), run('>,>+++[-<+>]<.', 'A'))
class Stack:
    ops = {'+': lambda a, b: a + b, '-': lambda a, b: a - b, '*': lambda a, b: a * b, 'swap': None}
    def __init__(self): self.s, self.words = [], {}
    def run(self, text):
        it = iter(text.split())
        for w in it:
            if w == ':':
                name, body = next(it), []
                for x in it:
                    if x == ';': break
                    body.append(x)
                self.words[name] = ' '.join(body)
            elif w in self.words: self.run(self.words[w])
            elif w == 'dup': self.s.append(self.s[-1])
            elif w == 'swap': self.s[-1], self.s[-2] = self.s[-2], self.s[-1]
            elif w in self.ops: b, a = self.s.pop(), self.s.pop(); self.s.append(self.ops[w](a, b))
            else: self.s.append(int(w))
        return self.s
print(Stack().run(': square dup * ; : cube dup square * ; 3 square 2 cube 10 5 swap -'))
