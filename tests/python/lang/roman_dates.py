def roman(n):
    r = ''
    for v, s in ((1000, 'M'), (900, 'CM'), (500, 'D'), (400, 'CD'), (100, 'C'), (90, 'XC'), (50, 'L'), (40, 'XL'), (10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I')):
        while n >= v: r += s; n -= v
    return r
def back(s):
    v = {'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100, 'D': 500, 'M': 1000}
    t = 0
    for i, c in enumerate(s): t += -v[c] if i + 1 < len(s) and v[c] < v[s[i + 1]] else v[c]
    return t
print([roman(n) for n in (1, 4, 9, 14, 40, 90, 400, 1994, 2026)], all(back(roman(n)) == n for n in range(1, 500)))
def leap(y): return y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)
def weekday(y, m, d):
    t = (0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4)
    y -= m < 3
    return (y + y // 4 - y // 100 + y // 400 + t[m - 1] + d) % 7
print([y for y in range(1896, 1912) if leap(y)], weekday(2026, 11, 21), weekday(2000, 1, 1))
import time
print(time.gmtime(0)[:6], time.gmtime(1000000000)[:6], time.gmtime(951782400)[:3])
def days(y, m, d): return 365 * y + y // 4 - y // 100 + y // 400 + (153 * (m + 12 * (m < 3) - 3) + 2) // 5 + d - 365 * (m < 3)
print(days(2026, 11, 21) - days(2026, 11, 1))
