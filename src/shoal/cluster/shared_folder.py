"""A folder by which a driver and its workers speak: no ports and no database, files that are whole or not there.

| path | what it holds |
| --- | --- |
| `jobs/<job>.safetensors` | what the lots of a job share |
| `waiting/<lot>.safetensors` | a lot that nobody trains |
| `taken/<lot>~<worker>.safetensors` | one that a worker has: claimed by renaming, touched while it trains |
| `done/<lot>.safetensors` | what a lot left |
| `failed/<lot>.json` | why a worker could not train it |
| `open` | there while a driver is at work; workers leave when it is gone again |
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Container, Iterator
from pathlib import Path

from shoal.cluster.executor import Result
from shoal.cluster.job import Arrays, Document, Job, job_from_parts
from shoal.cluster.lots import Lot, lot_from_parts, lot_to_parts
from shoal.errors import RunError
from shoal.runs.arrays_file import arrays_to_bytes
from shoal.runs.writing import cannot_write, write_atomically

NAME = "work"
MENDING = "Delete it; its networks are trained once more."


class SharedFolder:
    """The folder of one run, by which lots go out and results come back.

    Args:
        path: of the folder; it is made when something is written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._listed: list[str] = []  # what waited at the last look

    def post_job(self, job: Job) -> None:
        """Write what the lots of a job share, unless it is there."""
        path = self.path / "jobs" / f"{job.key}.safetensors"
        if not path.exists():
            write_atomically(path, parts_to_bytes(job.document, job.arrays))

    def job(self, key: str) -> Job:
        """Return the job of this key; RunError if it is damaged."""
        return job_from_parts(key, *read_parts(self.path / "jobs" / f"{key}.safetensors"))

    def post(self, lot: Lot, seconds: float | None = None) -> None:
        """Offer a lot, to be trained for so many seconds at most."""
        document, arrays = lot_to_parts(lot)
        data = parts_to_bytes({**document, "seconds": seconds}, arrays)
        write_atomically(self.path / "waiting" / f"{lot.key}.safetensors", data)

    def claim(self, worker: str) -> tuple[Lot, float | None] | None:
        """Take a lot that waits, with its seconds; None where none does. Only one worker gets each.

        Workers begin at different places of the list, which each reads anew only when it is through.
        """
        if not self._listed:
            names = _names(self.path / "waiting")
            at = zlib.crc32(worker.encode()) % max(1, len(names))
            self._listed = [*names[at:], *names[:at]][::-1]
        while self._listed:
            name = self._listed.pop()
            path, taken = self.path / "waiting" / name, self._taken(Path(name).stem, worker)
            try:
                taken.parent.mkdir(exist_ok=True)
                os.utime(path)  # or it would look long taken
                path.rename(taken)
            except FileNotFoundError:
                continue  # another was faster
            except OSError as error:
                raise cannot_write(taken, error) from error
            document, arrays = read_parts(taken)
            return lot_from_parts(document, arrays), document["seconds"]
        return None

    def touch(self, key: str, worker: str) -> None:
        """Say that the worker of a lot still lives."""
        with contextlib.suppress(OSError):
            os.utime(self._taken(key, worker))

    def give_back(self, key: str, worker: str) -> None:
        """Let a lot that a worker took wait again; nothing happens if it does not have it."""
        with contextlib.suppress(FileNotFoundError):
            self._taken(key, worker).rename(self.path / "waiting" / f"{key}.safetensors")

    def _taken(self, key: str, worker: str) -> Path:
        return self.path / "taken" / f"{key}~{worker}.safetensors"

    def finish(self, key: str, worker: str, result: Result) -> None:
        """Write what a lot left."""
        write_atomically(self.path / "done" / f"{key}.safetensors", parts_to_bytes(*result))
        self._remove(self._taken(key, worker))

    def fail(self, key: str, why: str) -> None:
        """Write why a lot could not be trained."""
        write_atomically(self.path / "failed" / f"{key}.json", json.dumps({"why": why}))

    def failures(self) -> dict[str, str]:
        """Return why lots could not be trained, by their keys, and forget it."""
        told = {}
        for name in _names(self.path / "failed"):
            path = self.path / "failed" / name
            told[path.stem] = json.loads(path.read_text(encoding="utf-8"))["why"]
            self._remove(path)
        return told

    def results(self, job: str, wanted: Container[str] | None = None) -> Iterator[tuple[str, Result]]:
        """Give what lots of a job left, all or those that are wanted, by their keys."""
        for name in _names(self.path / "done"):
            key = Path(name).stem
            if key.startswith(f"{job}-") and (wanted is None or key in wanted):
                yield key, read_parts(self.path / "done" / name)

    def takers(self) -> list[tuple[str, str]]:
        """Return which lots are in training, and the worker of each."""
        parts = (Path(name).stem.partition("~") for name in _names(self.path / "taken"))
        return [(key, worker) for key, _, worker in parts]

    def beats(self) -> dict[tuple[str, str], int]:
        """Return when each lot and worker gave the last sign, by the clock of the folder's machine, nanoseconds."""
        beats = {}
        for taker in self.takers():
            with contextlib.suppress(FileNotFoundError):
                beats[taker] = self._taken(*taker).stat().st_mtime_ns
        return beats

    def keys(self, kind: str) -> list[str]:
        """Return the lots that are `waiting` or `done`."""
        return [Path(name).stem for name in _names(self.path / kind)]

    def withdraw(self, key: str) -> None:
        """Offer a lot no longer."""
        self._remove(self.path / "waiting" / f"{key}.safetensors")

    def forget_job(self, key: str) -> None:
        """Remove what belongs to a job."""
        for kind in ("waiting", "taken", "done", "failed"):
            for name in _names(self.path / kind):
                if name.startswith(f"{key}-"):
                    self._remove(self.path / kind / name)
        self._remove(self.path / "jobs" / f"{key}.safetensors")

    @property
    def is_open(self) -> bool:
        """Whether a driver is at work, or was killed at it."""
        return (self.path / "open").exists()

    def open(self) -> None:
        """Say that a driver is at work."""
        write_atomically(self.path / "open", "")

    def close(self) -> None:
        """Say that there is nothing more to do."""
        self._remove(self.path / "open")

    def _remove(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def parts_to_bytes(document: Document, arrays: Arrays) -> bytes:
    """Return plain data and arrays as the bytes of one file: the length of the JSON, the JSON, safetensors."""
    text = json.dumps(document).encode()
    return len(text).to_bytes(8, "little") + text + arrays_to_bytes(arrays)


def read_parts(path: Path) -> tuple[Document, Arrays]:
    """Return what `parts_to_bytes` made a file of.

    Raises:
        RunError: missing, or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = path.read_bytes()
        size = 8 + int.from_bytes(data[:8], "little")
        document, arrays = json.loads(data[8:size]), load(data[size:])
    except OSError as error:
        raise RunError(f"cannot read {str(path)!r}: {error.strerror or error}.") from error
    except (ValueError, OverflowError, MemoryError, SafetensorError) as error:
        raise RunError(f"{str(path)!r} is damaged ({error}). {MENDING}") from error
    return document, {name: np_array.copy() for name, np_array in arrays.items()}


def _names(folder: Path) -> list[str]:
    """Return the names of the whole files of a folder, none where it is missing."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    return []
