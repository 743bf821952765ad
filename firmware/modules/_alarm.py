# Machine.Timer.Alarm: the list of what is due, called by the scheduler.
import _board

_due = []  # [when_us, alarm], earliest first


def _arm():
    _board.alarm(_due[0][0] if _due else 0)


def remove(alarm):
    _due[:] = [d for d in _due if d[1] is not alarm]
    _arm()


def add(alarm, start=None):
    remove(alarm)
    when = (_board.now_us() if start is None else start) + alarm._us
    _due.append([when, alarm])
    _due.sort(key=lambda d: d[0])
    _arm()


def _run(_):
    now = _board.now_us()
    try:
        while _due and _due[0][0] <= now:
            when, alarm = _due.pop(0)
            if alarm._periodic:
                add(alarm, when if now - when < alarm._us else now)
            alarm._handler(alarm._arg)
    finally:
        _arm()  # also for those behind a handler that raised


_board.on_alarm(_run)
