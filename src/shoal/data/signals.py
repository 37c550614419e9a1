"""Images and series: inputs with neighbourhoods, one for each row of a table that holds everything else."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from shoal.codec import PlainRecord
from shoal.data.series.interpolation import interpolate
from shoal.data.series.recipe import Recipe
from shoal.data.series.step_targets import StepTargets
from shoal.errors import DataError, listing
from shoal.row_view import TakenRows, aligned_empty, is_aligned

SignalKind = Literal["images", "series"]
PADDED = -1e9
"""What a step behind the end of a series holds in every channel once the series is prepared."""
VALUES_AT_ONCE = 16_000_000


@dataclass(frozen=True, eq=False)
class Signals:
    """Images or series as they were read.

    Attributes:
        kind: `images` or `series`.
        values: `(rows, height, width, channels)` or `(rows, time, channels)`, in the number type of the file; some rows
            of images are taken from the array of all when they are needed.
        channels: their names.
        lengths: `(rows,)`, the number of real steps of each series; None where all are real.
        targets: of each step of a series; None where each series has one target, or none is known.
    """

    kind: SignalKind
    values: Any
    channels: tuple[str, ...]
    lengths: np.ndarray | None = None
    targets: StepTargets | None = None

    def __post_init__(self) -> None:
        axes = {"images": 4, "series": 3}[self.kind]
        if self.values.ndim != axes or len(self.channels) != self.values.shape[-1]:
            shape = "(rows, height, width, channels)" if axes == 4 else "(rows, time, channels)"
            raise DataError(f"{self.kind} must have shape {shape}, got {self.values.shape}")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: np.ndarray) -> Signals:
        if self.kind == "images":
            return replace(self, values=TakenRows.of(self.values, rows))
        lengths = None if self.lengths is None else self.lengths[rows]
        targets = None if self.targets is None else self.targets[rows]
        return Signals(self.kind, self.values[rows], self.channels, lengths, targets)

    def aligned(self) -> Signals:
        """Return images in memory that devices can use as it is, a copy where they are not yet; series as they are."""
        if self.kind != "images" or isinstance(self.values, TakenRows) or is_aligned(self.values):
            return self
        values = aligned_empty(self.values.shape, self.values.dtype)
        values[...] = self.values
        return replace(self, values=values)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image or series."""
        return self.values.shape[1:]

    def interpolated(self) -> tuple[Signals, int]:
        """Return series with missing values filled in linearly in time, and how many; images as they are."""
        if self.kind != "series":
            return self, 0
        values, count = interpolate(self.values, self.lengths, self.channels)
        return (replace(self, values=values), count) if count else (self, 0)

    def without(self, missing: Mapping[str, Sequence[float]]) -> Signals:
        """Return series in which some values of a channel are missing, NaN; images as they are.

        Args:
            missing: by channel.
        """
        values, copied = self.values, False
        for i, name in enumerate(self.channels if self.kind == "series" else ()):
            lost = np.isin(self.values[:, :, i], missing.get(name, ()))
            if lost.any():
                values = values if copied else values.astype(np.result_type(values.dtype, np.float32))
                values[:, :, i][lost] = np.nan
                copied = True
        return replace(self, values=values) if copied else self

    def real_values(self) -> np.ndarray:
        """Return `(all real steps or pixels, channels)`."""
        values = np.asarray(self.values)
        if self.lengths is not None:
            values = values[np.arange(self.shape[0]) < self.lengths[:, None]]
        return values.reshape(-1, len(self.channels))

    def sha256(self) -> str:
        """Return a checksum of content, shape and number type."""
        digest = hashlib.sha256(f"{self.kind}\0{self.values.dtype}\0{self.values.shape}\0{self.channels}".encode())
        if self.lengths is not None:
            digest.update(np.asarray(self.lengths, np.int64).tobytes())
        for i in range(0, len(self), _rows_at_once(self.values)):
            some = np.ascontiguousarray(self.values[i : i + _rows_at_once(self.values)])
            digest.update(some.reshape(-1).view(np.uint8).data)  # without a copy
        return digest.hexdigest()

    def ranges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return lowest, highest and mean value of each channel, `(channels,)` each, over the real steps or pixels."""
        channels, count = len(self.channels), 0
        low, high, total = np.full(channels, np.inf), np.full(channels, -np.inf), np.zeros(channels)
        once = _rows_at_once(self.values)
        for i in range(0, len(self), once):
            values = self[np.arange(i, min(i + once, len(self)))].real_values()
            if len(values):
                low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
                total, count = total + values.sum(axis=0, dtype=np.float64), count + len(values)
        return low, high, total / max(count, 1)

    def digests(self) -> list[bytes]:
        """Return a short checksum of each image or series, by which copies are found."""
        lengths = [None] * len(self) if self.lengths is None else self.lengths.tolist()
        pairs = zip(self.values, lengths, strict=True)
        return [hashlib.blake2b(values[:length].tobytes(), digest_size=16).digest() for values, length in pairs]


@dataclass(frozen=True, eq=False)
class SignalPreparation(PlainRecord):
    """What the training rows say of images or series: their shape, and mean and scale of each channel.

    Images stay in the number type in which they were stored, an eighth or a quarter of float32, and are scaled in the
    first layer of every network; series are scaled here.
    """

    kind: SignalKind
    shape: tuple[int, ...]
    channels: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    padded: bool
    per_step: bool = False
    recipe: Recipe | None = None

    @classmethod
    def fit(
        cls, signals: Signals, rows: np.ndarray, normalization: str, recipe: Recipe | None = None
    ) -> SignalPreparation:
        """Fit mean and standard deviation of each channel on the training rows; `none` leaves values as they are.

        `recipe` says how series were cut from a table, if they were; it is kept to cut other tables alike.
        """
        padded = signals.lengths is not None
        channels = len(signals.channels)
        if normalization == "none":
            mean, scale = np.zeros(channels), np.ones(channels)
        else:
            mean, scale = _mean_and_scale(signals, np.asarray(rows, np.int64))
        numbers = tuple(map(float, mean)), tuple(map(float, scale))
        per_step = signals.targets is not None
        return cls(signals.kind, signals.shape, signals.channels, *numbers, padded, per_step, recipe)

    def transform(self, signals: Any) -> np.ndarray:
        """Return what networks take: images as they are, series float32, scaled and padded.

        Raises:
            DataError: another kind, size or number of channels than in training.
        """
        if not isinstance(signals, Signals) or signals.kind != self.kind:
            kind = signals.kind if isinstance(signals, Signals) else "a table"
            raise DataError(f"the model was trained on {self.kind}, got {kind}")
        if self.kind == "images":
            if signals.shape != self.shape:
                raise DataError(f"the model was trained on images of {_by(self.shape)}, got {_by(signals.shape)}")
            return signals.values
        return self._series(signals)

    def scaled(self, x: Any) -> np.ndarray:
        """Return prepared rows as the layers behind the scaling see them, each in one line `(rows, numbers)`."""
        if self.kind == "images":
            mean, scale = (np.asarray(numbers, np.float32) for numbers in (self.mean, self.scale))
            x = (np.asarray(x, np.float32) - mean) / scale
        return np.asarray(x, np.float32).reshape(len(x), -1)

    def unscaled(self, z: np.ndarray) -> np.ndarray:
        """Return images or series `(rows, *shape)` float64 in their own units from scaled numbers `(rows, numbers)`."""
        values = np.asarray(z, np.float64).reshape(len(z), *self.shape)
        return np.asarray(values * np.asarray(self.scale) + np.asarray(self.mean))

    def _series(self, signals: Signals) -> np.ndarray:
        signals, _ = signals.interpolated()
        steps, channels = self.shape
        length, given = signals.shape
        if given != channels:
            raise DataError(
                f"the model was trained on series of {channels} channels ({listing(self.channels)}), got {given}"
            )
        if length > steps or (length < steps and not self.padded):
            most = "at most " if self.padded else ""
            raise DataError(f"the model was trained on series of {most}{steps} steps, got {length}")
        scaled = (signals.values - np.asarray(self.mean)) / np.asarray(self.scale)
        prepared = np.full((len(signals), steps, channels), PADDED, np.float32)
        prepared[:, :length] = scaled
        if signals.lengths is not None:
            prepared[np.arange(steps) >= signals.lengths[:, None]] = PADDED
        return prepared

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON, without `per_step` and `recipe` where there are none."""
        return {name: value for name, value in super().to_dict().items() if value or name not in ("per_step", "recipe")}


def _mean_and_scale(signals: Signals, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each channel over the real steps or pixels, in few passes of few rows."""
    count, total, squares = 0.0, np.zeros(len(signals.channels)), np.zeros(len(signals.channels))
    first = np.asarray(signals.values[rows[:1]], np.float64).reshape(-1, len(signals.channels))
    shift = first[:1].mean(axis=0)  # squares of numbers far from zero would lose what they differ by
    once = _rows_at_once(signals.values)
    for i in range(0, len(rows), once):
        values = np.asarray(signals[rows[i : i + once]].real_values(), np.float64) - shift
        count += len(values)
        total += values.sum(axis=0)
        squares += (values**2).sum(axis=0)
    mean = total / max(count, 1.0)
    scale = np.sqrt(np.maximum(squares / max(count, 1.0) - mean**2, 0.0))
    return mean + shift, np.where(scale > 0.0, scale, 1.0)


def _rows_at_once(values: np.ndarray) -> int:
    return max(1, VALUES_AT_ONCE // max(1, math.prod(values.shape[1:])))


def _by(shape: tuple[int, ...]) -> str:
    height, width, channels = shape
    return f"{height} × {width} pixels with {channels} channel{'s' if channels > 1 else ''}"
