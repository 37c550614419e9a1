"""Frames of the learning curves of a run: what a browser does not have yet, in one binary message that it asks for.

A browser says what it has, and gets the next frame when there is something new: one is under way at a time, so that
frames of a slow connection are left out, never queued. All numbers are little endian. A question is five uint32:
generation, segments, rows, version of statuses, version of bands. An answer begins with a header (`HEADER`: `SHLC`,
flags, then as `FIELDS` says, uint32 but for the last two, which are float32) and goes on with

- the networks in rows that the browser does not know, uint32 each,
- segments: rows, first points and numbers of points, uint32 each, and all their losses, float32, one after the other;
  point i is after epoch `(i + 1) * stride`,
- rungs: epochs after which the search let networks go, and how many, uint32 each,
- with the flag `BANDS` quantiles `LEVELS`, each with a float32 for every point,
- with the flag `STATUSES` the best loss (float32) and the epochs (uint32) of each row, the row in each place (int32, -1
  where nobody sits), and the status of each row, a byte, 255 before it begins, filled up to four bytes,
- a JSON object: `state`, `message`, `stage`, `metric`.

With the flag `RESET` all that the browser had is void; with `MORE` there is more, which it can ask for at once.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shoal.workbench.curve_store import CurveStore

if TYPE_CHECKING:
    from fastapi import WebSocket

RESET, MORE, BANDS, STATUSES = 1, 2, 4, 8
FIELDS = (
    "generation", "segments", "rows", "status_version", "bands_version", "stride", "reached", "trained", "total",
    "best_row", "best_epoch", "refilled", "new_rows", "new_segments", "values", "rungs", "points", "places",
    "json_bytes", "best_loss", "seconds_left",
)  # fmt: skip
HEADER = struct.Struct("<4sI19I2f")
NONE = 0xFFFFFFFF
EVERY = 0.005  # seconds between two looks at the file: what is written is on its way before the next is written
HEARTBEAT = 2.0  # seconds after which an answer comes though nothing is new
_MOST_VALUES = 250_000  # of a frame: a megabyte
_MOST_FOLLOWERS = 200
_QUESTION = struct.Struct("<5I")


class Have(NamedTuple):
    """What a browser has."""

    generation: int = 0
    segments: int = 0
    rows: int = 0
    status_version: int = 0
    bands_version: int = 0

    @classmethod
    def of(cls, question: bytes) -> Have:
        """Return what a question says; of one that makes no sense, nothing.

        Example:
            >>> Have.of(b"nonsense")
            Have(generation=0, segments=0, rows=0, status_version=0, bands_version=0)
        """
        return cls(*_QUESTION.unpack(question)) if len(question) == _QUESTION.size else cls()


def is_new(store: CurveStore, have: Have) -> bool:
    """Whether a store has anything that a browser has not."""
    return (
        have.generation != store.generation
        or have.segments < len(store.segments.rows)
        or have.status_version != store.status_version
        or have.bands_version != store.bands_version
    )


def encode(store: CurveStore, have: Have) -> bytes:
    """Return the frame of what a browser does not have.

    Example:
        >>> HEADER.unpack_from(encode(CurveStore("no such folder"), Have()))[:2] == (b"SHLC", RESET | BANDS | STATUSES)
        True
    """
    segments, rows = store.segments.rows, len(store.ids)
    reset = have.generation != store.generation or have.segments > len(segments) or have.rows > rows
    have = Have() if reset else have
    new, end = _cut(segments[have.segments :])
    bands, statuses = have.bands_version != store.bands_version, have.status_version != store.status_version
    words = {key: store.words.get(key, "") for key in ("stage", "metric")}
    said = _filled(json.dumps({"state": store.state, "message": store.message, **words}).encode(), b" ")
    rungs, points = np.array(store.rungs, "<u4").reshape(-1, 2), store.points
    values = _values(store, new)
    flags = RESET * reset + MORE * (have.segments + end < len(segments)) + BANDS * bands + STATUSES * statuses
    best, left = store.best, store.words.get("seconds_left")
    numbers = {
        "generation": store.generation,
        "segments": have.segments + end,
        "rows": rows,
        "status_version": store.status_version,
        "bands_version": store.bands_version,
        "stride": store.stride,
        "reached": store.reached,
        "trained": store.words.get("trained", 0),
        "total": store.words.get("total", 0),
        "best_row": NONE if best < 0 else best,
        "best_epoch": 0 if best < 0 else int(store.best_epoch[best]),
        "refilled": store.refilled,
        "new_rows": rows - have.rows,
        "new_segments": len(new),
        "values": len(values),
        "rungs": len(rungs),
        "points": points,
        "places": len(store.places),
        "json_bytes": len(said),
        "best_loss": float("nan") if best < 0 else float(store.best_loss[best]),
        "seconds_left": float("nan") if left is None else float(left),
    }
    parts = [
        HEADER.pack(b"SHLC", flags, *(numbers[name] for name in FIELDS)),
        store.ids[have.rows :].astype("<u4").tobytes(),
        new.T.astype("<u4").tobytes(),
        values.astype("<f4").tobytes(),
        rungs.T.tobytes(),
    ]
    if bands:
        parts.append(store.bands[:, :points].astype("<f4").tobytes())
    if statuses:
        parts += [
            store.best_loss.astype("<f4").tobytes(),
            store.epochs.astype("<u4").tobytes(),
            np.maximum(store.places, -1).astype("<i4").tobytes(),
            _filled(store.status.tobytes(), b"\xff"),
        ]
    return b"".join([*parts, said])


def _cut(segments: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the first segments, those of a row as one, and how many they were, so that a frame is not too long."""
    end = int(np.searchsorted(np.cumsum(segments[:, 2]), _MOST_VALUES)) + 1
    segments = segments[:end]
    if not len(segments):
        return segments, 0
    rows, where = np.unique(segments[:, 0], return_inverse=True)
    if len(rows) == len(segments):
        return segments, len(segments)
    first, last = np.full(len(rows), np.iinfo(np.int64).max), np.zeros(len(rows), np.int64)
    np.minimum.at(first, where.reshape(-1), segments[:, 1])
    np.maximum.at(last, where.reshape(-1), segments[:, 1] + segments[:, 2])
    return np.stack([rows, first, last - first], axis=1), len(segments)


def _values(store: CurveStore, segments: np.ndarray) -> np.ndarray:
    """Return the losses of segments, one after the other."""
    rows, first, counts = segments.T
    places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return store.losses[np.repeat(rows, counts), places]


def _filled(content: bytes, by: bytes) -> bytes:
    return content + by * (-len(content) % 4)


class Followed:
    """The stores of runs that somebody looks at; what many look at is read once.

    Example:
        >>> followed = Followed()
        >>> followed.store("runs/iris-1") is followed.store("runs/iris-1")
        True
    """

    def __init__(self) -> None:
        self._stores: dict[Path, CurveStore] = {}
        self._locks: dict[Path, asyncio.Lock] = {}
        self._followers = Counter[Path]()

    def store(self, folder: str | Path) -> CurveStore:
        """Return the store of a run folder."""
        path = Path(folder)
        return self._stores.setdefault(path, CurveStore(path))

    async def follow(self, socket: WebSocket, folder: str | Path) -> None:
        """Answer the questions of a browser until it leaves."""
        from starlette.websockets import WebSocketDisconnect

        path = Path(folder)
        if self._followers.total() >= _MOST_FOLLOWERS:
            await socket.close(1013, "too many pages look at runs; close some")
            return
        await socket.accept()
        self._followers[path] += 1
        try:
            while True:
                have = Have.of(await socket.receive_bytes())
                await socket.send_bytes(await self.answer(path, have))
        except (WebSocketDisconnect, KeyError, RuntimeError):  # gone, or a text where bytes were due
            pass
        finally:
            self._followers[path] -= 1
            if self._followers[path] <= 0:
                for kept in (self._followers, self._stores, self._locks):
                    kept.pop(path, None)

    async def answer(self, path: Path, have: Have) -> bytes:
        """Return the next frame, as soon as there is anything new, or after a while."""
        until = time.monotonic() + HEARTBEAT
        store = self.store(path)
        while True:
            async with self._locks.setdefault(path, asyncio.Lock()):
                if store.due():
                    await asyncio.to_thread(store.refresh)
                if is_new(store, have) or time.monotonic() >= until:
                    return encode(store, have)
            await asyncio.sleep(EVERY)
