"""From a request to what a run says: the one way that all adapters take."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from shoal.data.raw import Raw
from shoal.errors import RunError, listing, suggest
from shoal.resources import available_cores
from shoal.serve.bodies import read_json, read_table, unpacked
from shoal.serve.limits import Limits
from shoal.serve.metrics import ROWS, RUN
from shoal.serve.problems import Refused, Scope
from shoal.serve.served import TOGETHER, Answer, Batcher, Said, ServedRun, stamp_of

_LARGE = 100_000  # bytes, of which decoding would keep others waiting


class Asking:
    """The runs of a server, and how they are asked.

    Args:
        paths: the folder of each run, by the name under which it is served; links may be turned to other runs.
        limits: of the server.

    Raises:
        RunError: a folder holds no finished run.
    """

    def __init__(self, paths: Mapping[str, str | Path], limits: Limits) -> None:
        self.paths, self.limits = {name: Path(path) for name, path in paths.items()}, limits
        self.pool: Executor = ThreadPoolExecutor(max(2, available_cores()), "shoal-predict")
        self._batchers = {name: Batcher(ServedRun.load(name, path), self.pool) for name, path in self.paths.items()}
        self._mutex = threading.Lock()
        self.problems: dict[str, str] = {}
        self._refused: dict[str, tuple[Any, ...]] = {}

    @property
    def runs(self) -> dict[str, ServedRun]:
        """The runs by name, as they are served now."""
        return {name: batcher.served for name, batcher in self._batchers.items()}

    def run(self, name: str) -> ServedRun:
        """Return a run; 404 if there is none of the name."""
        return self.batcher(name).served

    def batcher(self, name: str) -> Batcher:
        """Return what asks a run; 404 if there is none of the name."""
        if name not in self._batchers:
            known = listing(map(repr, self._batchers))
            raise Refused(404, f"there is no run {name!r}; served are: {known}.{suggest(name, self._batchers)}")
        return self._batchers[name]

    def renew(self) -> list[str]:
        """Look whether folders hold other runs now, read those, and return in sentences what came of it.

        A run that cannot be read leaves the one before in its place. Requests that are under way keep their run.
        """
        return [sentence for name in self.paths if (sentence := self._renewed(name))]

    def _renewed(self, name: str) -> str:
        stamp = stamp_of(self.paths[name])
        if stamp in (self._batchers[name].served.stamp, self._refused.get(name)):
            return ""
        try:
            served = ServedRun.load(name, self.paths[name])
        except Exception as error:  # whatever is wrong with a new run, the old one goes on
            reason = str(error) if isinstance(error, RunError) else f"{type(error).__name__}: {error}"
            self._refused[name], self.problems[name] = stamp, reason
            return f"{name}: the new run is not served, the one before stays: {reason}"
        self._batchers[name] = Batcher(served, self.pool)
        self.problems.pop(name, None)
        return f"{name}: now serving {stamp[0]}"

    def open(self, name: str, path: str | Path, most: int = 8) -> None:
        """Read a run when it is first asked for, or anew if its folder holds another one now.

        Args:
            name: under which it is asked from now on.
            path: its folder.
            most: how many runs stay in memory, those that were asked last.

        Raises:
            RunError: the folder holds no finished run.
        """
        batcher = self._batchers.get(name)
        if batcher is None or batcher.served.stamp != stamp_of(path):
            batcher = Batcher(ServedRun.load(name, path), self.pool)
        with self._mutex:
            others = [(key, each) for key, each in self._batchers.items() if key != name]
            self._batchers = dict([*others, (name, batcher)][-most:])

    async def in_thread(self, function: Any, *arguments: Any) -> Any:
        """Return what a function gives, called beside the loop, so that others are answered meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)

    async def json(self, body: bytes, encoding: str = "") -> Any:
        """Return the decoded JSON of a body."""
        if encoding:
            body = await self.in_thread(unpacked, body, encoding, self.limits.body)
        return await self.in_thread(read_json, body) if len(body) > _LARGE else read_json(body)

    async def of_json(self, scope: Scope, name: str, body: Any, *, ignore_unknown: bool = False) -> Said:
        """Return what a run says of decoded JSON: rows, columns, images or series."""
        served = self.run(name)
        if served.kind in ("images", "series"):
            raw = await self.in_thread(served.signals_of, body)
            return await self._said(scope, served, raw)
        read = partial(served.columns.read, body, ignore_unknown=ignore_unknown)
        small = _rows_in(body) <= TOGETHER
        return await self.of_columns(scope, name, read() if small else await self.in_thread(read))

    async def of_columns(self, scope: Scope, name: str, columns: dict[str, list[Any]]) -> Said:
        """Return what a run says of columns that were checked."""
        batcher = self.batcher(name)
        rows = len(next(iter(columns.values())))
        self._count(scope, name, rows)
        if rows <= TOGETHER:
            return await batcher.ask(columns, rows)
        raw, notes = await self.in_thread(batcher.served.raw_of, columns)
        return (await self.in_thread(batcher.served.answer, raw, notes)).said

    async def _said(self, scope: Scope, served: ServedRun, raw: Raw) -> Said:
        self._count(scope, served.name, len(raw.inputs) if raw.signals is not None else raw.table.height)
        return (await self.in_thread(served.answer, raw)).said

    async def of_table(
        self, scope: Scope, name: str, body: bytes, media: str, encoding: str = "", *, ignore_unknown: bool = False
    ) -> Answer:
        """Return what a run says of a body of CSV or Arrow, as a table."""
        served = self.run(name)
        if served.kind in ("images", "series"):
            raise Refused(415, f'{name} takes {served.kind}, which no table holds; send JSON, {{"{served.kind}": […]}}')

        def read() -> tuple[Raw, tuple[str, ...]]:
            raw, notes = served.as_fitted(
                read_table(unpacked(body, encoding, self.limits.body), media, self.limits.body)
            )
            known = served.columns.check(raw.table.columns, ignore_unknown=ignore_unknown)
            refined = raw.refined and raw.refined._replace(table=raw.refined.table.select(known))
            return raw._replace(table=raw.table.select(known), refined=refined), notes

        raw, notes = await self.in_thread(read)
        self._count(scope, name, raw.table.height)
        return await self.in_thread(served.answer, raw, notes)

    def _count(self, scope: Scope, name: str, rows: int) -> None:
        scope[RUN], scope[ROWS] = name, rows
        if rows > self.limits.rows:
            raise Refused(
                413, f"expected {self.limits.rows:,} rows at most, got {rows:,}; send them in several requests"
            )


def _rows_in(body: Any) -> int:
    """Return how many rows a body may hold, before it is checked."""
    if isinstance(body, Mapping):
        return max((len(value) for value in body.values() if isinstance(value, list)), default=1)
    return len(body) if isinstance(body, list) else 1
