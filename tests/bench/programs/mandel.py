def bench():
    inside = 0
    for y in range(40):
        for x in range(60):
            cr, ci = x / 30 - 1.5, y / 20 - 1.0
            zr = zi = 0.0
            for _ in range(40):
                zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
                if zr * zr + zi * zi > 4.0:
                    break
            else:
                inside += 1
    return inside
