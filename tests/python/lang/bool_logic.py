print(True and 0, False or 'x', not [], not 1, None or [] or 'end')
print(1 < 2 < 3, 1 < 3 < 2, 1 == 1.0 == True, 3 > 2 > 1 > 0)
print(bool(''), bool('0'), bool([]), bool([0]), bool(0.0), bool(None), bool({}))
def t(x):
    print('t', x)
    return x
print(t(0) and t(1), t(1) or t(0), t(1) and t(2) and t(3))
print('a' if 1 > 2 else 'b', 'yes' if [0] else 'no')
print(None is None, [] is [], 1 in [1, 2], 3 not in (1, 2), 'a' in 'cat')
print(any([0, '', 1]), all([1, 'a', []]), any([]), all([]))
x = None
print(x is None, x is not None, x == None)
print([i for i in range(20) if not i % 2 and i % 3 or i == 9])
