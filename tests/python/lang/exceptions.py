def f(n):
    try:
        if n == 0: raise ValueError('v')
        if n == 1: return 'ret'
        if n == 2: [][1]
        if n == 3: {}['k']
        if n == 4: int('x')
        if n == 5: None.foo
        return 'ok'
    except (IndexError, KeyError) as e:
        return type(e).__name__
    except ValueError as e:
        return 'VE ' + str(len(e.args))
    except Exception as e:
        return 'other ' + type(e).__name__
    else:
        return 'else'
    finally:
        print('finally', n)
for i in range(7):
    print(f(i))
try:
    try:
        1 / 0
    finally:
        print('cleanup')
except ZeroDivisionError:
    print('caught')
try:
    try:
        raise KeyError('inner')
    except KeyError:
        raise RuntimeError('outer')
except RuntimeError as e:
    print(e)
try:
    try:
        raise OSError(5, 'text')
    except OSError as e:
        print(e.errno, e.args)
        raise
except OSError:
    print('reraised')
class A(Exception): pass
class B(A): pass
for x in (A, B):
    try:
        raise x('m')
    except B:
        print('B')
    except A as e:
        print('A', e)
def g():
    for i in range(3):
        try:
            if i == 1: continue
            if i == 2: break
            print('body', i)
        finally:
            print('fin', i)
g()
def h():
    try:
        return 'try'
    finally:
        print('in finally')
print(h())
def k():
    while True:
        try:
            return 1
        finally:
            break
    return 2
print(k())
try:
    raise ValueError
except ValueError as e:
    print(repr(str(e)), e.args)
try:
    raise TypeError('x')
except TypeError as e:
    print('typed', e)
try:
    exec('x = = 1')
except SyntaxError:
    print('syntax')
try:
    raise 5
except TypeError:
    print('not an exception')
e = None
print([issubclass(c, LookupError) for c in (IndexError, KeyError, ValueError)], issubclass(ZeroDivisionError, ArithmeticError))
try:
    raise StopIteration(3)
except StopIteration as e:
    print(e.value)
