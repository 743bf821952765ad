def bench():
    n = 60000
    flags = bytearray(b"\x01" * n)
    for i in range(2, 250):
        if flags[i]:
            for j in range(i * i, n, i):
                flags[j] = 0
    return sum(flags)
