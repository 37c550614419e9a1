"""A run that is served: read once, then asked by many; small requests that wait are answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from shoal.data.new_rows import beside_all_rows, read_as_fitted
from shoal.data.output import joined
from shoal.data.raw import Raw
from shoal.data.readers import ReadOptions, options_alike
from shoal.data.readers.signals.arrays import signals_from_arrays
from shoal.data.roles import Roles
from shoal.data.signals import Signals
from shoal.errors import counted
from shoal.run import Run, RunOfTargets, load
from shoal.serve.columns import Column, Columns, columns_of
from shoal.serve.problems import Refused

TOGETHER = 2048
"""The most rows that are answered together; a request with more is answered alone."""
AT_ONCE = 0.02
"""Seconds up to which requests are answered on the loop of the server: with a thread beside it, each of its pauses for
the network would wait for the thread (`sys.getswitchinterval`). All others wait no longer than this."""


class Said(NamedTuple):
    """What a run says of the rows of one request, by column, and in sentences what to know of it."""

    columns: dict[str, list[Any]]
    notes: tuple[str, ...] = ()


class Answer(NamedTuple):
    """The same as a table."""

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def said(self) -> Said:
        """The answer by column."""
        return Said(self.frame.to_dict(as_series=False), self.notes)


@dataclass(frozen=True, eq=False)
class ServedRun:
    """A finished run, wholly in memory.

    Attributes:
        name: under which it is served.
        run: as `shoal.load` returns it.
        stamp: what tells whether its folder holds another run now; see `stamp_of`.
    """

    name: str
    run: Run
    stamp: tuple[Any, ...] = ()

    @classmethod
    def load(cls, name: str, path: str | Path) -> ServedRun:
        """Read a run, so that its folder is not needed any more.

        Raises:
            RunError: the folder holds no finished run.
        """
        stamp = stamp_of(path)
        served = cls(name, load(path), stamp)
        _ = (
            served.run.metrics,
            served.example,
        )  # a first answer, so that none of the next has to wait for what is loaded
        return served

    @cached_property
    def parts(self) -> tuple[Run, ...]:
        """The run, or those of each of its targets."""
        return tuple(self.run.targets.values()) if isinstance(self.run, RunOfTargets) else (self.run,)

    @cached_property
    def kind(self) -> str:
        """What it takes: `table`, `images` or `series`; of windows of a table `steps`."""
        signals = self.run.preparation.signals
        if signals is None:
            return "table"
        return signals.kind if signals.recipe is None else "steps"

    @cached_property
    def columns(self) -> Columns:
        """The columns that it takes; none of images and series."""
        if self.kind == "table":
            every = [columns_of(part.predictor) for part in self.parts]
            return Columns([column for columns in every for column in columns])
        recipe = self.run.preparation.recipe
        if recipe is None:
            return Columns([])
        formats = self.run.preparation.reading.formats
        steps = [
            Column(name, "number", what="a channel of the series", form=formats.get(name)) for name in recipe.channels
        ]
        beside = {recipe.time: "orders the rows", recipe.series: "says to which series a row belongs"}
        steps += [
            Column(name, "any", True, what) for name, what in beside.items() if name and name not in recipe.channels
        ]
        known = {column.name for column in steps}
        return Columns(
            steps + [Column(name, "any", False, "the target") for name in recipe.target if name not in known]
        )

    @cached_property
    def together(self) -> bool:
        """Whether rows of several requests may be answered in one go: each answer must hang on its row alone."""
        plain = all(column.kind != "any" for column in self.columns)
        redrawn = any(part.predictor.input_errors for part in self.parts)  # by the place of a row among others
        return self.kind == "table" and plain and not self.run.preparation.rules and not redrawn

    @cached_property
    def example(self) -> pl.DataFrame:
        """What it answers to one row of which nothing is known: the columns of all its answers."""
        preparation = self.run.preparation
        if self.kind == "table":
            names = [column for column in self.columns if column.name in preparation.input_columns]
            raw = Raw("row", "a row", pl.DataFrame([column.series([None]) for column in names]), Roles())
        else:
            assert preparation.signals is not None
            zeros = np.zeros((1, *preparation.signals.shape))
            signals = Signals(preparation.signals.kind, zeros, preparation.signals.channels)
            raw = Raw("row", "a row", pl.DataFrame({"row": [0]}), Roles(), signals)
        return self.answer(raw).frame

    def raw_of(self, columns: Mapping[str, list[Any]]) -> tuple[Raw, tuple[str, ...]]:
        """Return columns that were checked as data of the run, and in sentences what is to be said of them."""
        raw = Raw("rows", "the rows", self.columns.table_of(columns), Roles())
        return self.as_fitted(raw) if self.run.preparation.rules or self.kind == "steps" else (raw, ())

    def as_fitted(self, raw: Raw) -> tuple[Raw, tuple[str, ...]]:
        """Return data as the fit would have them, in its units, and in sentences what was done."""
        return read_as_fitted(raw, self.run.preparation, ReadOptions())

    def signals_of(self, body: Any) -> Raw:
        """Return images or series of a JSON body, `{"images": […]}` or `{"series": […]}`; 422 if it holds others."""
        fitted = self.run.preparation.signals
        assert fitted is not None
        form = "[height][width][channels]" if fitted.kind == "images" else "[steps][channels]"
        what = f'{{"{fitted.kind}": […]}}, a list of {fitted.kind}, each numbers {form} of {list(fitted.shape)}'
        values = body.get(fitted.kind) if isinstance(body, Mapping) and len(body) == 1 else None
        if not isinstance(values, list) or not values:
            raise Refused(422, f"expected {what}")
        if not _types_in(values) <= {int, float}:
            raise Refused(422, f"expected {what}; got something else than numbers")
        try:
            each = [np.asarray(value, np.float64 if fitted.kind == "series" else None) for value in values]
        except (ValueError, TypeError, OverflowError):
            raise Refused(422, f"expected {what}; one of them has lists of unlike lengths") from None
        return _stacked(each, fitted.kind, what, options_alike(ReadOptions(), each[0], fitted))

    def answer(self, raw: Raw, notes: Sequence[str] = ()) -> Answer:
        """Return what the run says of data, with the columns that `shoal predict` adds to a table.

        Raises:
            DataError: a value cannot be used.
        """
        table, frame, more = self._said(raw)
        unknown = self.run.unknown_categories(table) if raw.signals is None and self.kind == "table" else {}
        more += [f"column {name!r}: {counted(count, 'value')} not seen in training" for name, count in unknown.items()]
        full = beside_all_rows(raw, joined(table, frame))
        if self.kind in ("table", "images", "series") and full.height >= len(raw.table):
            given = raw.table.columns if raw.refined is None else raw.refined.table.columns
            full = full.select(name for name in full.columns if name not in given)
        return Answer(full, (*notes, *more))

    def frame_of(self, columns: Mapping[str, list[Any]]) -> pl.DataFrame:
        """Return an answer by columns as a table, each of the type that the run's answers have."""
        types = self.example.schema
        return pl.DataFrame([pl.Series(name, values, types.get(name)) for name, values in columns.items()])

    def _said(self, raw: Raw) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
        if self.run.reconstructs:
            said = self.run.reconstruct_table if self.kind == "table" else self.run.encode_table
            return *said(raw), []
        table, prediction, notes = self.run.predict_read(raw)
        return table, prediction.frame().drop("row", strict=False), list(notes)


def _types_in(values: list[Any]) -> set[type]:
    """Return the types of the values of nested lists: NumPy would take true for 1, and "1" as well."""
    types = set(map(type, values))
    return (types - {list}).union(*(_types_in(value) for value in values if type(value) is list))


def _stacked(each: list[np.ndarray], kind: str, what: str, options: ReadOptions) -> Raw:
    """Return images or series as data; series may have unlike numbers of steps."""
    lengths = np.asarray([len(values) if values.ndim else 0 for values in each])
    if kind == "series" and all(values.ndim == 1 for values in each):
        each = [values[:, None] for values in each]
    shapes = {values.shape[1:] if kind == "series" else values.shape for values in each}
    if len(shapes) != 1 or each[0].dtype.kind not in "iuf" or not lengths.all():
        raise Refused(422, f"expected {what}; got {kind} of unlike shapes, or no numbers")
    if any(not np.isfinite(values).all() for values in each):
        raise Refused(422, f"expected {what}; got NaN or an infinite number")
    padded = np.zeros((len(each), lengths.max(), *each[0].shape[1:]), each[0].dtype)
    for place, values in zip(padded, each, strict=True):
        place[: len(values)] = values
    table, roles, signals, *_ = signals_from_arrays(padded, None, options, "the body")
    if signals is not None and kind == "series" and len(set(lengths.tolist())) > 1:
        signals = Signals("series", signals.values, signals.channels, lengths)
    return Raw("body", "the body", table, roles, signals)


def stamp_of(path: str | Path) -> tuple[Any, ...]:
    """Return what changes when a folder, or the link that leads to it, holds another run."""
    real = Path(path).resolve()
    stamp: list[Any] = [str(real)]
    for name in ("config.toml", "metrics.json"):
        try:
            status = (real / name).stat()
            stamp.append((status.st_ino, status.st_mtime_ns, status.st_size))
        except OSError:
            stamp.append(None)
    return tuple(stamp)


class Batcher:
    """Answers small requests to one run, all that came in while it was busy in one go.

    An ensemble asks each of its networks once for all rows, so that fifty rows take hardly longer than one.

    Args:
        served: the run.
        pool: where it works.
    """

    def __init__(self, served: ServedRun, pool: Executor) -> None:
        self.served, self.pool = served, pool
        self._waiting: list[tuple[dict[str, list[Any]], int, asyncio.Future[Said]]] = []
        self._task: asyncio.Task[None] | None = None
        self._seconds = 2 * AT_ONCE  # that the last requests took

    async def ask(self, columns: dict[str, list[Any]], rows: int) -> Said:
        """Return what the run says of rows.

        Raises:
            ShoalError: a value cannot be used.
        """
        future: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._waiting.append((columns, rows, future))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._next()
                if not batch:
                    continue
                asked = [columns for columns, *_ in batch]
                start = loop.time()
                if self._seconds <= AT_ONCE:
                    said = self._answered(asked)
                else:
                    said = await loop.run_in_executor(self.pool, self._answered, asked)
                self._seconds = 0.5 * (self._seconds + loop.time() - start)
                await asyncio.sleep(0)  # those who wait for the answers, and whoever came meanwhile
                for (*_, future), each in zip(batch, said, strict=True):
                    if future.done():  # the client went away, or the time was up
                        continue
                    if isinstance(each, Exception):
                        future.set_exception(each)
                    else:
                        future.set_result(each)
        finally:
            self._task = None

    def _next(self) -> list[tuple[dict[str, list[Any]], int, asyncio.Future[Said]]]:
        """Return requests with the same columns, as many as may be answered together."""
        waiting = [each for each in self._waiting if not each[2].done()]
        batch: list[tuple[dict[str, list[Any]], int, asyncio.Future[Said]]] = []
        rows, left = 0, []
        for each in waiting:
            alike = not batch or (self.served.together and each[0].keys() == batch[0][0].keys())
            if alike and (not batch or rows + each[1] <= TOGETHER):
                batch.append(each)
                rows += each[1]
            else:
                left.append(each)
        self._waiting = left
        return batch

    def _answered(self, batch: list[dict[str, list[Any]]]) -> list[Said | Exception]:
        """Return what is said to each request; what is wrong with one is no matter of the others."""
        if len(batch) > 1:
            merged = {name: [value for columns in batch for value in columns[name]] for name in batch[0]}
            together = self._alone(merged)
            # sentences count and number rows, so that each request needs its own
            if isinstance(together, Said) and not together.notes:
                return _split(together, [len(next(iter(columns.values()))) for columns in batch])
        return [self._alone(columns) for columns in batch]

    def _alone(self, columns: dict[str, list[Any]]) -> Said | Exception:
        try:
            return self.served.answer(*self.served.raw_of(columns)).said
        except Exception as error:
            return error


def _split(said: Said, rows: list[int]) -> list[Said | Exception]:
    parts: list[Said | Exception] = []
    start = 0
    for count in rows:
        parts.append(Said({name: values[start : start + count] for name, values in said.columns.items()}))
        start += count
    return parts
