TEXT = "the board runs the script and the script blinks the light of the board " * 60

def bench():
    total = 0
    for _ in range(12):
        count = {}
        for word in TEXT.split():
            count[word] = count.get(word, 0) + 1
        total += len(",".join(sorted(count, key=lambda w: (-count[w], w))))
    return total
