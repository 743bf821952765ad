l = list(range(10))
print(l[2:5], l[::-1], l[-3:], l[8:2:-2], l[0:100:4], l[5:2])
for v in ('abcdefghij', bytes(l), bytearray(l), tuple(l)):
    print(v[2:5], v[-3:], v[:-3], v[5:2], v[50:], v[-50:2], v[:])
print(l[:], l[100:], l[-100:3], l[3:-3], l[::4], l[7::-3])
l[2:4] = []; print(l)
l[1:1] = [91, 92]; print(l)
l[-2:] = ['x', 'y']; print(l)
del l[1:3]; print(l)
class S:
    def __getitem__(self, i):
        if isinstance(i, slice):
            return ('slice', i.start, i.stop, i.step)
        return i
s = S()
print(s[1], s[1:2], s[::3], s[:], s['k'], s[1, 2])
print(range(10)[2:8], range(10)[::-1], list(range(0, 20, 3)[1:4]), len(range(5, 50, 7)), 19 in range(5, 50, 7))
