# Imported while an image is on trial. The firmware calls _ask() to put its
# question to healthy() of /flash/healthy.py; see firmware/python/health.c.
import sys
import _board


def _ask():
    'None: healthy; else what it did instead.'
    space = {'__name__': 'healthy'}
    try:
        with open('/flash/healthy.py') as f:
            exec(compile(f.read(), 'healthy.py', 'exec'), space)
        if 'healthy' not in space:
            return 'is missing'
        return None if space['healthy']() else 'said no'
    except KeyboardInterrupt:
        raise
    except BaseException as e:
        sys.print_exception(e)
        text = str(e)
        return 'raised ' + type(e).__name__ + (text and ': ' + text)


_board.on_healthy(_ask)
