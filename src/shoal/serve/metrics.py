"""Counts and times of requests, in the text that Prometheus reads; of several processes together."""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from shoal.serve.problems import App, Message, Receive, Scope, Send

STATUSES = (200, 400, 401, 403, 404, 405, 406, 408, 413, 415, 422, 500, 503)
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_NO_RUN = ""  # of requests that asked for none
_STATUS, _ROWS, _SECONDS, _BUCKET = 0, len(STATUSES), len(STATUSES) + 1, len(STATUSES) + 2
_WIDTH = _BUCKET + len(BUCKETS) + 1
RUN, ROWS = "shoal.run", "shoal.rows"
"""Keys of an ASGI scope under which an app leaves which run was asked, and of how many rows."""


class Counters:
    """Counters of one process, beside those of others.

    Args:
        runs: the names of the runs.
        path: a file that processes share, where there are several; each writes its own part, any reads all.
        worker, workers: which process this is, from 0, and how many there are.

    Example:
        >>> counters = Counters(["iris"])
        >>> counters.count("iris", 200, 0.003, rows=50)
        >>> [line for line in counters.text().splitlines() if line.startswith("shoal_rows_total")]
        ['shoal_rows_total{run="iris"} 50']
    """

    def __init__(self, runs: Sequence[str], path: Path | None = None, worker: int = 0, workers: int = 1) -> None:
        self.runs = {name: number for number, name in enumerate((_NO_RUN, *runs))}
        self.workers, size = workers, len(self.runs) * _WIDTH
        if path is None:
            self._all = memoryview(bytearray(8 * size * workers)).cast("d")
        else:
            with path.open("r+b") as file:
                file.truncate(8 * size * workers)
                self._all = memoryview(mmap.mmap(file.fileno(), 0)).cast("d")
        self._size, self._own = size, worker * size

    def count(self, run: str, status: int, seconds: float, rows: int = 0) -> None:
        """Count a request that was answered."""
        start = self._own + self.runs.get(run, 0) * _WIDTH
        nearest = status if status in STATUSES else 500 if status >= 500 else 400 if status >= 400 else 200
        self._all[start + _STATUS + STATUSES.index(nearest)] += 1
        self._all[start + _ROWS] += rows
        self._all[start + _SECONDS] += seconds
        bucket = next((i for i, most in enumerate(BUCKETS) if seconds <= most), len(BUCKETS))
        self._all[start + _BUCKET + bucket] += 1

    def text(self) -> str:
        """Return all counters in Prometheus' text format."""
        return "".join(f"{line}\n" for line in self._lines())

    def _sums(self, number: int) -> list[float]:
        """Return the counters of a run over all processes."""
        starts = [worker * self._size + number * _WIDTH for worker in range(self.workers)]
        return [sum(self._all[start + i] for start in starts) for i in range(_WIDTH)]

    def _lines(self) -> Iterator[str]:
        each = {f'run="{_escaped(name)}"': self._sums(number) for name, number in self.runs.items()}
        yield "# HELP shoal_requests_total Requests that were answered, by status; run is empty where none was asked."
        yield "# TYPE shoal_requests_total counter"
        for run, sums in each.items():
            for status, count in zip(STATUSES, sums, strict=False):
                if count:
                    yield f'shoal_requests_total{{{run},status="{status}"}} {count:.0f}'
        yield "# HELP shoal_rows_total Rows that were predicted."
        yield "# TYPE shoal_rows_total counter"
        yield from (f"shoal_rows_total{{{run}}} {sums[_ROWS]:.0f}" for run, sums in each.items() if run != 'run=""')
        yield "# HELP shoal_request_seconds Time from a request to its answer."
        yield "# TYPE shoal_request_seconds histogram"
        for run, sums in each.items():
            total = 0.0
            for most, count in zip([*map(str, BUCKETS), "+Inf"], sums[_BUCKET:], strict=True):
                total += count
                yield f'shoal_request_seconds_bucket{{{run},le="{most}"}} {total:.0f}'
            yield f"shoal_request_seconds_sum{{{run}}} {sums[_SECONDS]!r}"
            yield f"shoal_request_seconds_count{{{run}}} {total:.0f}"


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class Counting:
    """ASGI middleware that counts each request when its answer has gone out."""

    def __init__(self, app: App, counters: Counters) -> None:
        self.app, self.counters = app, counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            if status:
                rows = scope.get(ROWS, 0) if status == 200 else 0
                self.counters.count(scope.get(RUN, _NO_RUN), status, time.perf_counter() - start, rows)
