import asyncio
async def worker(n, times):
    out = []
    for t in times:
        await asyncio.sleep(t)
        print('worker', n, t)
        out.append(n * t)
    return out
async def fail(): await asyncio.sleep(0.01); raise ValueError('failed')
async def main():
    print(await asyncio.gather(worker(1, [0.01, 0.05]), worker(2, [0.03, 0.05])))
    t = asyncio.create_task(worker(3, [0.01]))
    print(await t, t.done())
    try:
        await fail()
    except ValueError as e:
        print(e)
    t = asyncio.create_task(fail())
    try:
        await t
    except ValueError as e:
        print('task', e)
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.05)
    except asyncio.TimeoutError:
        print('timeout')
    print(await asyncio.wait_for(worker(4, [0.01]), 1))
    t = asyncio.create_task(worker(5, [10]))
    await asyncio.sleep(0.01)
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        print('cancelled', t.done())
    r = await asyncio.gather(fail(), worker(6, [0.02]), return_exceptions=True)
    print(type(r[0]).__name__, r[1])
    async def cleanup():
        try:
            await asyncio.sleep(10)
        finally:
            print('cleaned')
    t = asyncio.create_task(cleanup()); await asyncio.sleep(0); t.cancel()
    await asyncio.sleep(0.01)
    return 'result'
print(asyncio.run(main()))
async def agen():
    class R:
        def __init__(self): self.i = 0
        def __aiter__(self): return self
        async def __anext__(self):
            self.i += 1
            if self.i > 3: raise StopAsyncIteration
            await asyncio.sleep(0)
            return self.i
    async for x in R(): print('async for', x)
asyncio.run(agen())
