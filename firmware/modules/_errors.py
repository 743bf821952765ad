# The exceptions that C raises; see native_raise().
import _board


def _text(t):
    return str(t, 'utf-8')


_board.raisers(
    lambda n, t: OSError(n, _text(t)) if t else OSError(n),
    lambda n, t: ValueError(_text(t)),
    lambda n, t: TypeError(_text(t)),
    lambda n, t: KeyError(_text(t)),
    lambda n, t: NotImplementedError(_text(t)),
    lambda n, t: RuntimeError(_text(t)))
