import _board


def heartbeat(*on):
    return _board.heartbeat(*[bool(b) for b in on])
