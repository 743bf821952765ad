# Tasks, events, locks and streams: the part of CPython's asyncio that
# MicroPython users know. One loop, no threads. Time is board time.
import _board, select, sys
from time import sleep_us



class CancelledError(BaseException):
    pass


class TimeoutError(Exception):
    pass


class Task:
    def __init__(self, coro):
        self.coro = coro
        self.finished = False
        self.value = None      # what it returned
        self.error = None      # or raised
        self.noticed = False   # somebody has seen the error
        self._throw = None     # raised at its await next time it runs
        self._turn = 0         # its valid entry in the queue, 0: none
        self._wait = None      # list or stream it sleeps on
        self._waiters = []     # tasks that await this one

    def done(self):
        return self.finished

    def cancel(self):
        if self.finished or self is _current:
            if self is _current:
                raise RuntimeError("can't cancel self")
            return False
        # A task that awaits another hands the cancellation down to it.
        if isinstance(self._wait, Task) and not self._wait.finished:
            return self._wait.cancel() or self._wake(CancelledError())
        self._wake(CancelledError())
        return True

    def _wake(self, error=None):
        wait = self._wait
        if isinstance(wait, Task):
            wait = wait._waiters
        if isinstance(wait, list) and self in wait:
            wait.remove(self)
        self._wait = None
        if error is not None:
            self._throw = error
        _push(self, 0)
        return True

    def __iter__(self):
        self.noticed = True
        if not self.finished:
            _current._wait = self
            self._waiters.append(_current)
            yield
        if self.error is not None:
            raise self.error
        return self.value

    __await__ = __iter__

    def result(self):
        self.noticed = True
        if self.error is not None:
            raise self.error
        return self.value


_queue = []     # [when_us, order, task], a heap
_order = 0
_current = None
_streams = {}   # id: [stream, waiting reader, waiting writer]
_poll = None


def _push(task, when):
    global _order
    _order += 1
    task._turn = _order
    entry = (when, _order, task)
    # A heap by hand: heapq compares whole tuples, and tasks have no order.
    q = _queue
    q.append(entry)
    i = len(q) - 1
    while i > 0:
        p = (i - 1) >> 1
        if q[p][0] < when or (q[p][0] == when and q[p][1] < entry[1]):
            break
        q[i] = q[p]
        i = p
    q[i] = entry


def _pop():
    q = _queue
    top = q[0]
    last = q.pop()
    n = len(q)
    if n:
        i = 0
        while True:
            c = 2 * i + 1
            if c >= n:
                break
            if c + 1 < n and q[c + 1][:2] < q[c][:2]:
                c += 1
            if last[:2] < q[c][:2]:
                break
            q[i] = q[c]
            i = c
        q[i] = last
    return top


def _sleep_until(when):
    _push(_current, when)
    yield


def sleep_ms(ms):
    return _sleep_until(_board.now_us() + max(0, ms) * 1000)


async def sleep(s, result=None):
    await _sleep_until(_board.now_us() + max(0, s) * 1000000)
    return result


# ---- the loop ----

def _end(task, value, error):
    task.finished = True
    task.value, task.error = value, error
    for t in task._waiters:
        t._wait = None
        _push(t, 0)
    if error is not None and not task._waiters and \
            not isinstance(error, CancelledError):
        # Shown when nobody has come for it by the next round.
        _push(task, 0)
    task._waiters = ()


def _step(task):
    global _current
    if task.finished:
        if not task.noticed:
            _exception_handler(_loop, {
                'message': "Task exception wasn't retrieved",
                'exception': task.error, 'future': task})
        return
    error, task._throw = task._throw, None
    _current = task
    try:
        if error is None:
            task.coro.send(None)
        else:
            task.coro.throw(error)
    except StopIteration as e:
        _end(task, e.value, None)
    except (CancelledError, Exception) as e:
        _end(task, None, e)
    finally:
        _current = None


def _wait(us):
    # Until something is due; None: for ever.
    if _streams:
        ms = 1000 if us is None else int(us + 999) // 1000
        for stream, event in _poll.poll(min(ms, 1000)):
            _ready(stream, event)
    elif us is None or us > 0:
        sleep_us(100000 if us is None else int(min(us, 1000000)))


def _run(until):
    while True:
        while _queue and _queue[0][2]._turn != _queue[0][1]:
            _pop()
        if not _queue and not _streams:
            if until is None:
                return
            raise RuntimeError('every task waits for another')
        us = _queue[0][0] - _board.now_us() if _queue else None
        if _streams or us is None or us > 0:
            _wait(0 if us is not None and us < 0 else us)
        # Those due now; what they add waits for the next round.
        now, last = _board.now_us(), _order
        while _queue and _queue[0][0] <= now and _queue[0][1] <= last:
            _, turn, task = _pop()
            if task._turn != turn:
                continue
            task._turn = 0
            _step(task)
            if task is until and task.finished:
                task.noticed = True
                task._turn = -1
                if task.error is not None:
                    raise task.error
                return task.value


def create_task(coro):
    if not hasattr(coro, 'send'):
        raise TypeError('coroutine expected')
    task = Task(coro)
    _push(task, 0)
    return task


def run(coro):
    _reset()
    return _run(create_task(coro))


def _reset():
    global _poll, _current
    _queue[:] = []
    _streams.clear()
    _poll = _current = None


def current_task():
    if _current is None:
        raise RuntimeError('no running event loop')
    return _current


def iscoroutine(x):
    return hasattr(x, 'send') and hasattr(x, 'throw')


def _task_of(x):
    return x if isinstance(x, Task) else create_task(x)


# ---- several at once ----

async def wait_for_ms(awaitable, ms):
    if ms is None:
        return await awaitable
    task = _task_of(awaitable)
    me, late = _current, []

    async def watch():
        await sleep_ms(ms)
        if not task.finished:
            late.append(1)
            task.cancel()

    watcher = create_task(watch())
    try:
        return await task
    except CancelledError:
        if late:
            raise TimeoutError()
        task.cancel()
        raise
    finally:
        watcher.cancel()


def wait_for(awaitable, timeout):
    return wait_for_ms(awaitable, None if timeout is None else timeout * 1000)


async def gather(*aws, return_exceptions=False):
    tasks = [_task_of(a) for a in aws]
    results, first = [], None
    try:
        for t in tasks:
            try:
                results.append(await t)
            except Exception as e:
                if not return_exceptions:
                    raise
                results.append(e)
            except CancelledError as e:
                # The task's own, or ours?
                if not t.finished:
                    raise
                if not return_exceptions:
                    raise
                results.append(e)
    except CancelledError:
        for t in tasks:
            t.cancel()
        raise
    finally:
        for t in tasks:
            t.noticed = True
    return results


# ---- events and locks ----

def _sleep_on(waiting):
    _current._wait = waiting
    waiting.append(_current)
    yield


def _wake_all(waiting):
    while waiting:
        waiting[0]._wake()


class Event:
    def __init__(self):
        self._set = False
        self._waiting = []

    def is_set(self):
        return self._set

    def set(self):
        self._set = True
        _wake_all(self._waiting)

    def clear(self):
        self._set = False

    async def wait(self):
        if not self._set:
            await _sleep_on(self._waiting)
        return True


class ThreadSafeFlag:
    # May be set from a callback; the loop looks at it now and then.
    def __init__(self):
        self._set = False

    def set(self):
        self._set = True

    def clear(self):
        self._set = False

    async def wait(self):
        while not self._set:
            await sleep_ms(2)
        self._set = False


class Lock:
    def __init__(self):
        self._owner = None  # a task, or the task the lock was handed to
        self._waiting = []

    def locked(self):
        return self._owner is not None

    async def acquire(self):
        if self._owner is None and not self._waiting:
            self._owner = _current
            return True
        me = _current
        try:
            await _sleep_on(self._waiting)
        except CancelledError:
            if self._owner is me:
                self.release()
            raise
        return True

    def release(self):
        if self._owner is None:
            raise RuntimeError('Lock not acquired')
        self._owner = None
        if self._waiting:
            self._owner = self._waiting[0]
            self._owner._wake()

    async def __aenter__(self):
        await self.acquire()
        return self

    async def __aexit__(self, *exc):
        self.release()


class Condition:
    def __init__(self, lock=None):
        self._lock = lock or Lock()
        self.acquire, self.release = self._lock.acquire, self._lock.release
        self.locked = self._lock.locked
        self._waiting = []

    async def wait(self):
        self.release()
        try:
            await _sleep_on(self._waiting)
        finally:
            await self.acquire()
        return True

    async def wait_for(self, predicate):
        while not predicate():
            await self.wait()
        return predicate()

    def notify(self, n=1):
        for _ in range(min(n, len(self._waiting))):
            self._waiting[0]._wake()

    def notify_all(self):
        self.notify(len(self._waiting))

    async def __aenter__(self):
        await self.acquire()
        return self

    async def __aexit__(self, *exc):
        self.release()


class Queue:
    def __init__(self, maxsize=0):
        self.maxsize = maxsize
        self._items = []
        self._getters, self._putters = [], []

    def qsize(self):
        return len(self._items)

    def empty(self):
        return not self._items

    def full(self):
        return 0 < self.maxsize <= len(self._items)

    async def get(self):
        while not self._items:
            await _sleep_on(self._getters)
        return self.get_nowait()

    def get_nowait(self):
        if not self._items:
            raise QueueEmpty()
        item = self._items.pop(0)
        if self._putters:
            self._putters[0]._wake()
        return item

    async def put(self, item):
        while self.full():
            await _sleep_on(self._putters)
        self.put_nowait(item)

    def put_nowait(self, item):
        if self.full():
            raise QueueFull()
        self._items.append(item)
        if self._getters:
            self._getters[0]._wake()


class QueueEmpty(Exception):
    pass


class QueueFull(Exception):
    pass


# ---- streams ----

def _wait_io(stream, write):
    global _poll
    if _poll is None:
        _poll = select.poll()
    entry = _streams.get(id(stream))
    if entry is None:
        entry = _streams[id(stream)] = [stream, None, None]
    if entry[1 + write] is not None:
        raise RuntimeError('two tasks wait for the same stream')
    me = _current
    entry[1 + write] = me
    _register(entry)
    try:
        yield
    finally:
        if entry[1 + write] is me:
            entry[1 + write] = None
            _register(entry)


def _register(entry):
    mask = (select.POLLIN if entry[1] else 0) | \
        (select.POLLOUT if entry[2] else 0)
    if mask:
        _streams[id(entry[0])] = entry
        _poll.register(entry[0], mask)
    elif _streams.pop(id(entry[0]), None):
        _poll.unregister(entry[0])


def _ready(stream, event):
    entry = _streams.get(id(stream))
    if entry is None:
        return
    for i, mask in ((1, ~select.POLLOUT), (2, ~select.POLLIN)):
        if entry[i] is not None and event & mask:
            task, entry[i] = entry[i], None
            _push(task, 0)
    _register(entry)


class Stream:
    def __init__(self, s, e={}):
        self.s = s
        self.e = e
        self.out_buf = b''

    def get_extra_info(self, name):
        return self.e.get(name)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        await self.wait_closed()

    def close(self):
        pass

    async def wait_closed(self):
        self.s.close()

    async def read(self, n=-1):
        whole = b''
        while True:
            await _wait_io(self.s, 0)
            part = self.s.read(n)
            if part is not None:
                if n >= 0:
                    return part
                if not part:
                    return whole
                whole = part if not whole else whole + part

    async def readinto(self, buf):
        await _wait_io(self.s, 0)
        return self.s.readinto(buf)

    async def readexactly(self, n):
        whole = b''
        while n:
            await _wait_io(self.s, 0)
            part = self.s.read(n)
            if part is not None:
                if not part:
                    raise EOFError
                whole = part if not whole else whole + part
                n -= len(part)
        return whole

    async def readline(self):
        whole = b''
        while True:
            await _wait_io(self.s, 0)
            part = self.s.readline()
            if part is not None:
                if not part:
                    return whole
                whole = part if not whole else whole + part
                if whole[-1:] in (b'\n', '\n'):
                    return whole

    def write(self, buf):
        if not self.out_buf:
            n = self.s.write(buf)
            if n == len(buf):
                return
            if n is not None:
                buf = buf[n:]
        self.out_buf += buf

    async def drain(self):
        if not self.out_buf:
            return await sleep_ms(0)
        at, buf = 0, memoryview(self.out_buf)
        while at < len(buf):
            await _wait_io(self.s, 1)
            n = self.s.write(buf[at:])
            if n is not None:
                at += n
        self.out_buf = b''


StreamReader = StreamWriter = Stream


async def open_connection(host, port, ssl=None, server_hostname=None):
    import socket
    ai = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    s = socket.socket(ai[0], ai[1], ai[2])
    s.setblocking(False)
    try:
        s.connect(ai[-1])
    except OSError as e:
        if e.errno != 115:
            raise
    stream = Stream(s)
    await _wait_io(s, 1)
    return stream, stream


class Server:
    def close(self):
        self.task.cancel()

    async def wait_closed(self):
        try:
            await self.task
        except CancelledError:
            pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        self.close()
        await self.wait_closed()

    async def _serve(self, s, callback):
        try:
            while True:
                await _wait_io(s, 0)
                try:
                    peer, address = s.accept()
                except OSError:
                    continue
                peer.setblocking(False)
                stream = Stream(peer, {'peername': address})
                create_task(callback(stream, stream))
        finally:
            s.close()


async def start_server(callback, host, port, backlog=5, ssl=None):
    import socket
    address = socket.getaddrinfo(host, port)[0][-1]
    s = socket.socket()
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(address)
    s.listen(backlog)
    server = Server()
    server.task = create_task(server._serve(s, callback))
    return server


# ---- the loop as an object ----

def _default_handler(loop, context):
    print(context['message'], file=sys.stderr)
    print('future:', context['future'], 'coro=', context['future'].coro,
          file=sys.stderr)
    sys.print_exception(context['exception'], sys.stderr)


_exception_handler = _default_handler


class Loop:
    def create_task(self, coro):
        return create_task(coro)

    def run_forever(self):
        self._stop = Event()
        _run(create_task(self._stop.wait()))

    def run_until_complete(self, aw):
        return _run(_task_of(aw))

    def stop(self):
        self._stop.set()

    def close(self):
        pass

    def time(self):
        return _board.now_us() / 1000000

    def set_exception_handler(self, handler):
        global _exception_handler
        _exception_handler = handler or _default_handler

    def get_exception_handler(self):
        return None if _exception_handler is _default_handler \
            else _exception_handler

    def call_exception_handler(self, context):
        _exception_handler(self, context)

    def default_exception_handler(self, loop, context):
        _default_handler(loop, context)


_loop = Loop()


def get_event_loop():
    return _loop


get_running_loop = get_event_loop


def new_event_loop():
    _reset()
    return _loop
