"""The `.ts` files of the archive of time series: a header of `@` lines, then one series with its label on each line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from shoal.data.readers.base import Content, Reader
from shoal.data.readers.files import extension_of, load_bytes
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.roles import Roles
from shoal.data.signals import Signals
from shoal.errors import DataError, listing

_COPIES = 2  # as read, and as prepared for training


@dataclass(frozen=True)
class _TsHeader:
    """What the `@` lines say: the name of the target (None without labels) and the labels that may come."""

    target: str | None = None
    labels: tuple[str, ...] = ()
    data_at: int = 0

    @property
    def numbers(self) -> bool:
        """Whether the target is measured."""
        return self.target == "target"


class TsReader(Reader):
    """Series in the `.ts` format of the UCR and UEA archives, of equal or unequal lengths.

    A line of data holds the channels of one series, separated by `:`, then its label; a channel holds numbers
    separated by `,`, with `?` or `NaN` where one is missing. Series shorter than the longest are padded.

    Source: Bagnall et al., The UEA multivariate time series classification archive, 2018, arXiv:1811.00075.
    """

    name = "time series"
    extensions = (".ts",)
    gives_signals = True

    def takes(self, path: Path, options: ReadOptions) -> bool:
        """Return whether the file is named `.ts`."""
        del options
        return extension_of(path) in self.extensions and path.is_file()

    def read(self, path: Path, options: ReadOptions) -> Content:
        """Return the series and their labels; the options say nothing about them.

        Raises:
            DataError: no `@data` line, a value that is no number, another number of channels than in the first
                series, a label that the header does not name; with the number of the line.
        """
        del options
        lines = load_bytes(path).decode("utf-8", errors="replace").splitlines()
        header = _header(lines, path)
        series: list[np.ndarray] = []
        labels: list[str] = []
        for number, line in enumerate(lines[header.data_at :], header.data_at + 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            where = f"{path} line {number}"
            channels, label = _parts(text, header, where)
            series.append(_values(channels, where))
            labels.append(label)
            first, last = series[0].shape[1], series[-1].shape[1]
            if last != first:
                raise DataError(f"{where}: {last} channels, but the first series has {first}; all must have as many")
        if not series:
            raise DataError(f"{path} has no series behind @data; expected one on each line")
        roles = Roles(target=[header.target] if header.target else [])
        return Content(_table(labels, header, path), roles, _padded(series, path))


def _header(lines: list[str], path: Path) -> _TsHeader:
    target: str | None = None
    labels: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if not text.startswith("@"):
            raise DataError(f"{path} line {number}: expected a line that begins with @ before @data, got {text[:40]!r}")
        key, *words = text[1:].split() or [""]
        key, yes = key.lower(), bool(words) and words[0].lower() == "true"
        if key == "data":
            return _TsHeader(target, labels, number)
        if key == "timestamps" and yes:
            raise DataError(f"{path} line {number}: values with timestamps are not read; write values only")
        if key == "classlabel" and yes:
            target, labels = "class", tuple(words[1:])
        elif key == "targetlabel" and yes:
            target = "target"
    raise DataError(f"{path} has no line @data; expected the header of a .ts file, then @data, then the series")


def _parts(text: str, header: _TsHeader, where: str) -> tuple[list[str], str]:
    """Return the channels of a line and its label, empty where there is none."""
    parts = [part.strip() for part in text.split(":")]
    if header.target is None:
        return parts, ""
    if len(parts) < 2:
        raise DataError(f"{where}: expected values, then ':' and the {header.target}, got no ':'")
    label = parts[-1]
    if header.labels and label not in header.labels:
        raise DataError(f"{where}: the class {label!r} is none of those after @classLabel: {listing(header.labels)}")
    return parts[:-1], label


def _values(channels: list[str], where: str) -> np.ndarray:
    """Return `(time, channels)` numbers, NaN where one is missing."""
    read = [_numbers(text, where) for text in channels]
    lengths = {len(channel) for channel in read}
    if len(lengths) > 1:
        each = listing(str(len(channel)) for channel in read)
        raise DataError(f"{where}: the channels of a series must be equally long, got {each}")
    return np.stack(read, axis=1)


def _numbers(text: str, where: str) -> np.ndarray:
    tokens = text.replace("?", "nan").split(",")
    try:
        return np.asarray(tokens, np.float64)
    except ValueError:
        place = next(i for i, token in enumerate(tokens) if not _is_number(token))
        given = text.split(",")[place].strip()
        raise DataError(f"{where}: value {place + 1} must be a number or '?', got {given[:40]!r}") from None


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _padded(series: list[np.ndarray], path: Path) -> Signals:
    lengths = np.asarray([len(steps) for steps in series], np.int64)
    channels = series[0].shape[1]
    check_room(
        _COPIES * 4 * len(series) * int(lengths.max()) * channels,
        f"{path}: {len(series):,} series are filled up to {lengths.max():,} steps of {channels:,} channels",
        "Cut the longest series, or leave them out.",
    )
    values = np.zeros((len(series), int(lengths.max()), channels), np.float32)
    for i, steps in enumerate(series):
        values[i, : len(steps)] = steps
    names = ("value",) if channels == 1 else tuple(f"channel {i}" for i in range(channels))
    return Signals("series", values, names, lengths if np.ptp(lengths) else None)


def _table(labels: list[str], header: _TsHeader, path: Path) -> pl.DataFrame:
    if header.target is None:
        return pl.DataFrame({"row": range(len(labels))})
    known = pl.Series(header.target, [None if label in ("?", "") else label for label in labels], dtype=pl.String)
    if not header.numbers:
        return pl.DataFrame([known])
    numbers = known.cast(pl.Float64, strict=False)
    lost = known.is_not_null() & numbers.is_null()
    if lost.any():
        row = int(lost.arg_max() or 0)
        raise DataError(f"{path}: the target of series {row + 1} must be a number, got {known[row]!r}")
    return pl.DataFrame([numbers])
