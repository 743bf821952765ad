import asyncio
async def main():
    e, log = asyncio.Event(), []
    async def waiter(n): await e.wait(); log.append(n)
    ts = [asyncio.create_task(waiter(i)) for i in range(3)]
    await asyncio.sleep(0.01); print(log, e.is_set()); e.set()
    for t in ts: await t
    print(sorted(log), e.is_set()); e.clear(); print(e.is_set())
    lock = asyncio.Lock()
    async def crit(n, d):
        async with lock:
            print('in', n, lock.locked()); await asyncio.sleep(d); print('out', n)
    await asyncio.gather(crit(1, 0.03), crit(2, 0.01), crit(3, 0))
    print(lock.locked())
    try:
        lock.release()
    except RuntimeError:
        print('not held')
    await lock.acquire()
    t = asyncio.create_task(crit(4, 0)); await asyncio.sleep(0); t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        print('lock wait cancelled')
    lock.release(); print(lock.locked())
    q = asyncio.Queue(2)
    async def put():
        for i in range(5): await q.put(i)
        await q.put(None)
    async def get():
        got = []
        while True:
            v = await q.get()
            if v is None: return got
            got.append(v)
    _, got = await asyncio.gather(put(), get())
    print(got, q.empty())
    class Ctx:
        async def __aenter__(self): print('aenter'); return 5
        async def __aexit__(self, *a): print('aexit', a[0] is None)
    async with Ctx() as v: print(v)
asyncio.run(main())
