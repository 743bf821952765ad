import heapq
class Event:
    seq = 0
    def __init__(self, t, fn, *a): self.t, self.fn, self.a = t, fn, a; Event.seq += 1; self.n = Event.seq
    def __lt__(self, o): return (self.t, self.n) < (o.t, o.n)
class Sim:
    def __init__(self): self.q, self.now, self.out = [], 0, []
    def at(self, dt, fn, *a): heapq.heappush(self.q, (self.now + dt, len(self.out) + Event.seq, Event(self.now + dt, fn, *a)))
    def run(self, end):
        while self.q and self.q[0][0] <= end:
            self.now, _, e = heapq.heappop(self.q)
            e.fn(self, *e.a)
def tick(sim, name, period):
    sim.out.append((sim.now, name)); sim.at(period, tick, name, period)
s = Sim(); s.at(0, tick, 'a', 3); s.at(1, tick, 'b', 4); s.run(20)
print(s.out)
class Elevator:
    def __init__(self): self.floor, self.calls, self.path = 0, [], [0]
    def call(self, *f): self.calls.extend(f)
    def run(self):
        while self.calls:
            t = min(self.calls, key=lambda f: (abs(f - self.floor), f)); self.calls.remove(t)
            step = 1 if t > self.floor else -1
            while self.floor != t: self.floor += step; self.path.append(self.floor)
e = Elevator(); e.call(5, 2, 9, 1); e.run(); print(e.path)
from collections import deque
def josephus(n, k):
    d = deque(range(1, n + 1), n); out = []
    while d:
        for _ in range(k - 1): d.append(d.popleft())
        out.append(d.popleft())
    return out
print(josephus(10, 3))
