import sys
with open('lang_mod.py', 'w') as f:
    f.write('print("loading", __name__)\nvalue = 7\ndef get(): return value\n_private = 1\n')
sys.path.insert(0, '.') if '' not in sys.path else None
import lang_mod
print(lang_mod.value, lang_mod.get())
import lang_mod as other
print(other is lang_mod, 'lang_mod' in sys.modules)
from lang_mod import value as v, get
print(v, get())
lang_mod.value = 8
print(get(), v)
from lang_mod import *
print(value)
try:
    import no_such_module
except ImportError:
    print('ImportError')
try:
    from lang_mod import nothing
except ImportError:
    print('no name')
import os
os.remove('lang_mod.py')
os.mkdir('lang_pkg')
with open('lang_pkg/__init__.py', 'w') as f: f.write('from lang_pkg import sub\nroot = 1\n')
with open('lang_pkg/sub.py', 'w') as f: f.write('leaf = 2\nfrom . import __name__ as up\n')
import lang_pkg.sub
print(lang_pkg.root, lang_pkg.sub.leaf, lang_pkg.sub.up)
for n in ('__init__.py', 'sub.py'): os.remove('lang_pkg/' + n)
try:
    os.rmdir('lang_pkg')
except OSError:
    import shutil; shutil.rmtree('lang_pkg')
print(__name__)
