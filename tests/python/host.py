"""A running pyhost whose prompt is driven like a terminal."""
import os
import select
import subprocess
import time


class Host:
    def __init__(self, command, *options):
        self.log = b''
        self._seen = b''
        self.process = subprocess.Popen(
            [*command, *options], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()

    def send(self, data):
        self.process.stdin.write(data if isinstance(data, bytes)
                                 else data.encode())

    def until(self, what, seconds=10):
        """Output up to and with `what`; fails when it does not come."""
        what = what if isinstance(what, bytes) else what.encode()
        end = time.monotonic() + seconds
        while what not in self._seen:
            left = end - time.monotonic()
            ready = left > 0 and select.select(
                [self.process.stdout], [], [], left)[0]
            data = ready and os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError('%s waiting for %r; last output %r' % (
                    'end of output' if ready else 'time-out', what,
                    self._seen[-400:]))
            self.log += data
            self._seen += data
        at = self._seen.index(what) + len(what)
        result, self._seen = self._seen[:at], self._seen[at:]
        return result.decode('utf-8', 'replace')

    def type(self, line, prompt='>>> ', seconds=10):
        """Enters a line at the prompt; what it printed, without the echo."""
        self.send(line + '\r')
        text = self.until(prompt, seconds)
        return text[:-len(prompt)].partition('\r\n')[2]
