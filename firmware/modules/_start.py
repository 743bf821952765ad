# Runs in __main__ before boot.py and leaves nothing behind there. Files of the
# user do not count yet: whatever they are called, the board starts.
import sys
sys.path[:] = ['.board', '.frozen']
import _board, _errors, _os
_os.extend()
if _board.on_trial():
    import _trial
    del _trial
sys.path[:] = ['', '.board', '.frozen', '/flash', '/flash/lib']
del sys, _board, _errors, _os
