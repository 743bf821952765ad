class Traffic:
    table = {('red', 'go'): 'green', ('green', 'warn'): 'yellow', ('yellow', 'stop'): 'red'}
    def __init__(self): self.state, self.log, self.hooks = 'red', [], {}
    def on(self, state):
        def deco(fn): self.hooks.setdefault(state, []).append(fn); return fn
        return deco
    def send(self, event):
        new = self.table.get((self.state, event))
        if new is None: raise ValueError('%s in %s' % (event, self.state))
        self.log.append((self.state, event, new)); self.state = new
        for h in self.hooks.get(new, ()): h(self)
t = Traffic()
@t.on('green')
def go(m): print('cars move', len(m.log))
@t.on('red')
def halt(m): print('cars halt', m.state)
for e in ('go', 'warn', 'go', 'stop', 'stop'):
    try:
        t.send(e)
    except ValueError as err:
        print('refused:', err)
print(t.log)
def parse_csv(line):
    out, cur, q = [], '', False
    for c in line:
        if q:
            if c == '"': q = False
            else: cur += c
        elif c == '"': q = True
        elif c == ',': out.append(cur); cur = ''
        else: cur += c
    return out + [cur]
print(parse_csv('a,"b,c",,d'), parse_csv(''))
def co():
    total, n = 0, 0
    while True:
        x = yield (total / n if n else None)
        if x is None: return
        total += x; n += 1
c = co(); next(c)
print([c.send(x) for x in (10, 20, 30)])
