"""The validation curves of a run as a server keeps them, read from its folder while it trains or when it is done."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import RunError
from shoal.results import Status
from shoal.runs import live_file, lock, log
from shoal.runs.live_file import LiveRecord, LiveTail

MOST_POINTS = 1024  # of a curve; of longer ones every second epoch is kept, or every fourth, ...
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
WAITING = 255  # the status of a network that nobody has told of
_MOST_NETWORKS = 1_000_000  # a larger number in a file is damage
_SORTED_AT_ONCE = 400_000  # losses, some ten milliseconds; bands may lag behind
_BANDS_EVERY, _LOOK_EVERY = 0.25, 1.0  # seconds


class Growing:
    """Rows of numbers that are added at the end.

    Example:
        >>> numbers = Growing(2)
        >>> numbers.add(np.array([[1, 2], [3, 4]]))
        >>> numbers.rows.tolist()
        [[1, 2], [3, 4]]
    """

    def __init__(self, width: int) -> None:
        self._all, self._size = np.zeros((256, width), np.int64), 0

    def add(self, rows: np.ndarray) -> None:
        """Add rows."""
        while self._size + len(rows) > len(self._all):
            self._all = np.concatenate([self._all, np.zeros_like(self._all)])
        self._all[self._size : self._size + len(rows)] = rows
        self._size += len(rows)

    @property
    def rows(self) -> np.ndarray:
        """All that were added."""
        return self._all[: self._size]


class CurveStore:
    """The curves of one run; `refresh` reads what has come.

    Attributes:
        generation: another number where all that was handed out before no longer holds.
        ids: the number of the network in each row.
        losses: `(rows, points)`, NaN where there is none; point i is after epoch `(i + 1) * stride`.
        segments: `(segments, 3)`, in the order in which they came: row, first point, points.
        status: of each row, a `Status` or `WAITING`; `status_version` counts its changes.
        best_loss, best_epoch, epochs: of each row.
        bands: `(levels, points)`, quantiles over the networks that have a loss there; `bands_version` counts changes.
        places: who sits where, -1 where nobody does; `refilled` counts who came after another one had left.
        words: what was told last: stage, trained, total, seconds_left, metric.
        state: `waiting`, `training`, `stopped`, `finished` or `gone`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.generation, self.status_version, self.bands_version = secrets.randbelow(2**31), 0, 0  # new in each process
        self.words: dict[str, Any] = {}
        self.state, self.message = "waiting", ""
        self._tail = LiveTail(self.folder)
        self._log: tuple[int, int] | None = None
        self._looked = self._banded = -float("inf")
        self._begin()

    def _begin(self) -> None:
        self.generation += 1
        self.status_version += 1
        self.bands_version += 1
        self.stride, self.reached, self.refilled = 1, 0, 0
        self.ids = np.zeros(0, np.int64)
        self.losses = np.full((64, 64), np.nan, np.float32)
        self.segments = Growing(3)
        self.status = np.zeros(0, np.uint8)
        self.best_loss, self.best_epoch, self.epochs = np.zeros(0, np.float32), np.zeros(0, np.int64), self.ids
        self.places = np.zeros(0, np.int64)
        self.bands = np.full((len(LEVELS), 64), np.nan, np.float32)
        self.words = {}
        self._row_of = np.full(64, -1, np.int64)
        self._dirty = np.zeros(64, bool)

    @property
    def points(self) -> int:
        """How many points the longest curve has."""
        return min(self.reached // self.stride, self.losses.shape[1])

    @property
    def best(self) -> int:
        """The row of the network with the lowest loss, -1 before there is one."""
        return int(self.best_loss.argmin()) if np.isfinite(self.best_loss).any() else -1

    @property
    def rungs(self) -> list[tuple[int, int]]:
        """After which epochs the search let networks go, and how many each time; 32 at most."""
        epochs, counts = np.unique(self.epochs[self.status == Status.CUT], return_counts=True)
        largest = np.sort(np.argsort(-counts, kind="stable")[:32])
        return [(int(epochs[i]), int(counts[i])) for i in largest]

    def due(self) -> bool:
        """Whether `refresh` has something to do; costs microseconds."""
        now = time.monotonic()
        waits = self._dirty.any() and now - self._banded >= _BANDS_EVERY
        return self._tail.grown() or bool(waits) or now - self._looked >= _LOOK_EVERY

    def refresh(self) -> None:
        """Read what has come since the last time; a damaged or deleted folder ends in a state, never in an error."""
        if self._tail.changed():
            self._begin()
        news = False
        for record in self._tail.read():
            news = True
            self._take(record)
        now = time.monotonic()
        if news:
            self.state, self.message, self._looked = "training", "", now
        elif now - self._looked >= _LOOK_EVERY:
            self._looked = now
            self._look()
        if self._dirty.any() and now - self._banded >= _BANDS_EVERY:
            self._banded = now
            self._make_bands()

    def _look(self) -> None:
        """Find out how far the run is where its file tells nothing new."""
        path = self.folder / log.NAME
        if not self.folder.is_dir():
            self.state, self.message = "gone", f"The folder {str(self.folder)!r} was moved or deleted."
        elif (self.folder / live_file.NAME).exists():
            self.state = "stopped" if lock.writer(self.folder) is None else "training"
        elif path.is_file():
            self._read_log(path)
        else:
            self.state = "waiting"

    def _read_log(self, path: Path) -> None:
        try:
            status = path.stat()
            if self._log == (status.st_mtime_ns, status.st_ino) and self.state == "finished":
                return
            networks, curves = log.read_networks(path), log.read_curves(path)
            self._log = status.st_mtime_ns, status.st_ino
        except (RunError, OSError) as error:
            self.state, self.message = "stopped", str(error)
            return
        self._begin()
        self.words = {"trained": networks.height, "total": networks.height, "metric": "validation loss"}
        which, counts = np.unique(curves["network"].to_numpy(), return_counts=True)
        losses = curves["validation_loss"].cast(float).fill_null(np.nan).to_numpy()
        self._pieces(which, np.zeros_like(which), counts, losses.astype(np.float32))
        codes = {status.code: int(status) for status in Status}
        statuses = np.array([codes.get(text, 0) for text in networks["status"]], np.int64)
        self._moves(networks["id"].to_numpy(), np.full(networks.height, -1), statuses)
        self.state, self.message = "finished", ""

    def _take(self, record: LiveRecord) -> None:
        if record.kind == "WORD":
            self.words |= record.words or {}
        elif record.kind == "PIEC":
            self._pieces(*record.arrays)
        elif record.kind == "MOVE":
            self._moves(*record.arrays)

    def _moves(self, networks: np.ndarray, places: np.ndarray, statuses: np.ndarray) -> None:
        rows = self._rows(networks)
        known = rows >= 0
        rows, places, statuses = rows[known], places[known], statuses[known]
        self.status[rows] = statuses
        self.status_version += 1
        if len(places) and places.max() >= len(self.places):
            more = min(int(places.max()) + 1, _MOST_NETWORKS) - len(self.places)
            self.places = np.concatenate([self.places, np.full(more, -2)])  # -2: nobody has ever sat there
        for row, place, status in zip(rows.tolist(), places.tolist(), statuses.tolist(), strict=True):
            if not 0 <= place < len(self.places):
                continue
            if status == Status.RUNNING:
                self.refilled += self.places[place] == -1
                self.places[self.places == row] = -1
                self.places[place] = row
            elif self.places[place] == row:
                self.places[place] = -1

    def _rows(self, networks: np.ndarray) -> np.ndarray:
        """Return the rows of networks, new ones for those that are new; -1 for numbers that make no sense."""
        networks = np.where((networks >= 0) & (networks < _MOST_NETWORKS), networks, -1).astype(np.int64)
        highest = int(networks.max(initial=0))
        if highest >= len(self._row_of):
            self._row_of = np.concatenate([self._row_of, np.full(2 * highest + 1 - len(self._row_of), -1)])
        asked = networks[networks >= 0]
        new = np.unique(asked[self._row_of[asked] < 0])
        if len(new):
            count = len(self.ids)
            self._row_of[new] = np.arange(count, count + len(new))
            self.ids = np.concatenate([self.ids, new])
            self.status = np.concatenate([self.status, np.full(len(new), WAITING, np.uint8)])
            self.best_loss = np.concatenate([self.best_loss, np.full(len(new), np.inf, np.float32)])
            self.best_epoch = np.concatenate([self.best_epoch, np.zeros(len(new), np.int64)])
            self.epochs = np.concatenate([self.epochs, np.zeros(len(new), np.int64)])
            self._room(len(self.ids), 0)
            self.status_version += 1
        return np.where(networks >= 0, self._row_of[np.maximum(networks, 0)], -1)

    def _room(self, rows: int, points: int) -> None:
        """Make the table large enough."""
        had = self.losses.shape
        if rows > had[0] or points > had[1]:
            wider = np.full((_doubled(had[0], rows), _doubled(had[1], points)), np.nan, np.float32)
            wider[: had[0], : had[1]] = self.losses
            self.losses = wider
            columns = wider.shape[1] - had[1]
            self.bands = np.pad(self.bands, ((0, 0), (0, columns)), constant_values=np.nan)
            self._dirty = np.pad(self._dirty, (0, columns))

    def _pieces(self, networks: np.ndarray, before: np.ndarray, counts: np.ndarray, losses: np.ndarray) -> None:
        rows, ends = self._rows(networks), before + counts
        self._lengthen(int(ends[counts > 0].max(initial=0)))
        starts = np.cumsum(counts) - counts
        pairs, group = np.unique(np.stack([before, counts]), axis=1, return_inverse=True)
        for number, (first, count) in enumerate(pairs.T.tolist()):
            members = np.flatnonzero((group.reshape(-1) == number) & (rows >= 0))
            if count and len(members):
                self._block(rows[members], first, losses[starts[members][:, None] + np.arange(count)])

    def _block(self, rows: np.ndarray, before: int, losses: np.ndarray) -> None:
        """Take losses `(rows, epochs)` after the same epoch."""
        finite = np.where(np.isfinite(losses), losses, np.inf)
        place = finite.argmin(axis=1)
        lowest = finite[np.arange(len(rows)), place]
        better = lowest < self.best_loss[rows]
        self.best_loss[rows[better]] = lowest[better]
        self.best_epoch[rows[better]] = before + 1 + place[better]
        self.epochs[rows] = before + losses.shape[1]
        first = before // self.stride
        last = (before + losses.shape[1]) // self.stride
        if last > first:
            kept = losses[:, (np.arange(first, last) + 1) * self.stride - 1 - before]
            self.losses[rows, first:last] = kept
            self._dirty[first:last] = True
            self.segments.add(np.stack([rows, np.full_like(rows, first), np.full_like(rows, last - first)], axis=1))

    def _lengthen(self, epochs: int) -> None:
        """Make room for so many epochs; where they are very many, keep every second one of what there is."""
        self.reached = max(self.reached, epochs)
        before = self.stride
        while self.reached > MOST_POINTS * self.stride:
            self.losses = self.losses[:, 1::2].copy()
            self.stride *= 2
        self._room(len(self.ids), self.reached // self.stride)
        if self.stride == before:
            return
        self.generation += 1
        self.segments, count = Growing(3), len(self.ids)
        counts = np.minimum(self.epochs // self.stride, self.losses.shape[1])
        whole = np.stack([np.arange(count), np.zeros(count, np.int64), counts], axis=1)
        self.segments.add(whole[counts > 0])
        self.bands = np.full((len(LEVELS), self.losses.shape[1]), np.nan, np.float32)
        self._dirty = np.arange(self.losses.shape[1]) < self.reached // self.stride

    def _make_bands(self) -> None:
        """Compute the quantiles of columns that changed, of so many that a page does not notice."""
        columns = np.flatnonzero(self._dirty)
        most = max(8, _SORTED_AT_ONCE // max(1, len(self.ids)))
        columns = np.concatenate([columns[: most // 2], columns[most // 2 :][-(most - most // 2) :]])
        self.bands[:, columns] = quantiles(self.losses[: len(self.ids), columns])
        self._dirty[columns] = False
        self.bands_version += 1
        self.status_version += 1  # with it go epochs and best losses


def quantiles(values: np.ndarray) -> np.ndarray:
    """Return the quantiles `LEVELS` of each column, of its finite values; NaN where there is none.

    Example:
        >>> quantiles(np.array([[1.0], [2.0], [np.nan], [3.0]], np.float32))[1:4, 0].tolist()
        [1.5, 2.0, 2.5]
    """
    ordered = np.sort(np.where(np.isfinite(values), values, np.inf), axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    place = np.multiply.outer(np.array(LEVELS), np.maximum(count - 1, 0))
    low = place.astype(np.int64)
    share, columns = (place - low).astype(np.float32), np.arange(values.shape[1])
    if not len(values):
        return np.full(place.shape, np.nan, np.float32)
    ordered[~np.isfinite(ordered)] = np.nan
    below, above = ordered[low, columns], ordered[np.minimum(low + 1, np.maximum(count - 1, 0)), columns]
    return (below + share * (above - below)).astype(np.float32)


def _doubled(had: int, needed: int) -> int:
    return had if needed <= had else max(needed, 2 * had)
