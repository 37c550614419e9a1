"""The rows of a table that is read in parts: how many each part has, what one pass found, the training rows again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from shoal.data.stream.dealing import PARTS, TRAIN, Dealing
from shoal.data.stream.pieces import Pieces
from shoal.errors import DataError


@dataclass
class Moments:
    """Mean and scatter of a column, joined from parts (Chan, Golub and LeVeque 1983).

    Example:
        >>> moments = Moments()
        >>> for part in ([1.0, 2.0], [3.0]):
        ...     moments.add(np.asarray(part))
        >>> moments.mean, round(moments.scale**2, 6)
        (2.0, 0.666667)
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, values: np.ndarray) -> None:
        """Count more values."""
        if not len(values):
            return
        mean, count = float(values.mean()), self.count + len(values)
        apart, values = mean - self.mean, values - mean
        squares = float(np.square(values).sum())  # threads of a product would wait longer for each other than it takes
        self.squares += squares + apart**2 * self.count * len(values) / count
        self.mean, self.count = self.mean + apart * len(values) / count, count

    @property
    def scale(self) -> float:
        """The standard deviation, with divisor n."""
        return float(np.sqrt(self.squares / self.count)) if self.count else 0.0


@dataclass(frozen=True)
class RowStream:
    """A table whose rows do not fit into memory.

    Attributes:
        pieces: of its files.
        dealing: which part a row belongs to.
        counts: the rows of each part, in the order of `PARTS`.
        sampled: how many of them are in memory.
        moments: mean and scatter of each numeric column on the training rows.
        memory: bytes that the fit may take.
    """

    pieces: Pieces
    dealing: Dealing
    counts: tuple[int, int, int]
    sampled: tuple[int, int, int]
    memory: int
    moments: Mapping[str, Moments] = field(default_factory=dict)

    def training_tables(self, order: np.ndarray, columns: Collection[str]) -> Iterator[pl.DataFrame]:
        """Give some columns of the training rows of all pieces in this order of the pieces, few rows at a time."""
        needed = [name for name in self.pieces.types if name in columns or name == self.dealing.column]
        for number in order:
            for first, table in self.pieces.read(self.pieces.all[number], needed):
                trains = pl.Series(self.dealing.parts(table, first) == TRAIN)
                if trains.any():
                    yield pl.DataFrame([series.filter(trains) for series in table.get_columns()])

    def check_unchanged(self) -> None:
        """Raise DataError if a file has changed."""
        for file in self.pieces.files:
            file.check_unchanged()

    @property
    def how(self) -> str:
        """How rows were dealt, in a sentence."""
        by = "their number" if self.dealing.column is None else f"{self.dealing.column!r}"
        named = zip(("training", "validation", "the test"), self.counts, self.sampled, strict=True)
        parts = [f"{all_:,} for {name}" + (f" ({few:,} drawn)" if few < all_ else "") for name, all_, few in named]
        return f"{self.pieces.rows:,} rows dealt by a hash of {by}: {', '.join(parts)}."


@dataclass
class Drawn:
    """What one pass over all rows has drawn and counted."""

    tables: list[pl.DataFrame]
    parts: np.ndarray
    counts: tuple[int, int, int]
    moments: dict[str, Moments]

    @property
    def table(self) -> pl.DataFrame:
        """The rows that were drawn, in the order of the files."""
        return pl.concat(self.tables)


def draw(pieces: Pieces, dealing: Dealing, wanted: tuple[int, int, int], whole: tuple[str, ...] = ()) -> Drawn:
    """Draw about so many rows of each part in one pass, all with the same chance.

    Of texts and truth values, and of the columns in `whole`, the first training rows of each value are drawn beside, so
    that no class and no category is unknown.

    Raises:
        DataError: no row of a part was found.
    """
    expected = [max(1.0, size * pieces.rows) for size in dealing.sizes]
    chance = np.asarray([most / rows for most, rows in zip(wanted, expected, strict=True)])
    numeric = [name for name, kind in pieces.types.items() if kind.is_numeric()]
    levels = [name for name, kind in pieces.types.items() if kind in (pl.String, pl.Boolean) or name in whole]
    seen: dict[str, dict[object, int]] = {name: {} for name in levels}
    tables: list[pl.DataFrame] = []
    parts: list[np.ndarray] = []
    counts, moments = np.zeros(3, np.int64), {name: Moments() for name in numeric}
    for piece in pieces.all:
        for first, table in pieces.read(piece):
            part = dealing.parts(table, first)
            counts += np.bincount(part, minlength=3)
            drawn = dealing.chances(table, first) < chance[part]
            trains = part == TRAIN
            for name in levels:
                drawn |= _new_values(table.get_column(name), trains, seen[name])
            for name in numeric:
                moments[name].add(_finite(table.get_column(name), trains))
            tables.append(table[np.flatnonzero(drawn)])
            parts.append(part[drawn])
    for name, count in zip(PARTS, counts, strict=True):
        if count < 2:
            raise DataError(f"{pieces.rows:,} rows dealt by a hash: {count} are for {name}, at least 2 are needed")
    return Drawn(tables, np.concatenate(parts), (int(counts[0]), int(counts[1]), int(counts[2])), moments)


FIRST = 32  # training rows of each value
MOST_VALUES = 1000  # a column with more is no category


def _new_values(series: pl.Series, trains: np.ndarray, seen: dict[object, int]) -> np.ndarray:
    """Return which rows are among the first training rows of their value, and count them."""
    new = np.zeros(len(series), bool)
    if len(seen) > MOST_VALUES:
        return new
    for value in series.filter(pl.Series(trains)).unique():
        left = FIRST - seen.get(value, 0)
        if value is None or left <= 0:
            continue
        places = np.flatnonzero((series == value).fill_null(value=False).to_numpy() & trains)[:left]
        new[places] = True
        seen[value] = seen.get(value, 0) + len(places)
        if len(seen) > MOST_VALUES:
            break
    return new


def _finite(series: pl.Series, rows: np.ndarray) -> np.ndarray:
    """Return the finite values of some rows, `(rows,)` of truth values."""
    values = series.to_numpy()[rows].astype(np.float64, copy=False)
    finite = np.isfinite(values)
    return values if finite.all() else values[finite]
