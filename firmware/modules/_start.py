# Runs in __main__ before boot.py and leaves nothing behind there.
import sys
sys.path[:] = ['', '.board', '.frozen', '/flash', '/flash/lib']
import _errors, _os
_os.extend()
del sys, _errors, _os
