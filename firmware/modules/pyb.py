# The first firmware's module, as the manual's page uses it.
import _board
import time as _time
import machine as _machine
from machine import Pin, RTC, WDT, SD, Timer

freq = _machine.freq
main = _machine.main
millis = _time.ticks_ms
micros = _time.ticks_us
delay = _time.sleep_ms
udelay = _time.sleep_us
unique_id = _machine.unique_id
disable_irq = _machine.disable_irq
enable_irq = _machine.enable_irq


def reset():
    _machine.reset()


def rng():
    return _machine.rng()


def elapsed_millis(start):
    return _time.ticks_diff(_time.ticks_ms(), start)


class HeartBeat:
    def enable(self):
        _board.heartbeat(True)

    def disable(self):
        _board.heartbeat(False)
