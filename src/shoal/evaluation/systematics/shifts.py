"""How much a result moves when its inputs are varied, with the statistical error of each shift.

Let v be a number, v0 its value as it is, v+ and v- those of a variation up and down.

* The shifts are v+ - v0 and v- - v0. A side that is not given is the other one mirrored.
* Their statistical errors come from resampling the rows. Where a variation leaves the rows the same, both values are
  taken on the same resamples (the paired bootstrap; Efron and Tibshirani, 1993): shifts of the same rows are far better
  known than the values. Other tables with other rows are resampled on their own. A shift within two of its errors is
  noise as far as these rows can tell, and is marked so.
* Variations are independent and add in quadrature, upward and downward shifts each for themselves. Where both sides of
  a variation move a number the same way, the larger counts on that side and nothing on the other. Shifts that are noise
  count as well, since leaving them out would favour small samples, unless `pruned` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from shoal.evaluation.systematics.observables import Histogram, Observable, Profile, Sample
from shoal.evaluation.systematics.variations import SIDES, Side, Variation
from shoal.short_repr import ShortRepr
from shoal.statistics.bootstrap import resampled_weights, resamples_for

RESAMPLES = 400
"""Enough for errors that are known to 4 %."""
ROUNDING = 1e-12
"""Shifts that are smaller, relative to the value, are none."""
NOISE = 2.0
"""A shift within so many of its statistical errors is noise as far as the rows can tell."""


@dataclass(frozen=True)
class ResampledValues:
    """Numbers on one sample: their values `(numbers,)`, and under resamples `(resamples, numbers)`."""

    values: np.ndarray
    resampled: np.ndarray


@dataclass(frozen=True, repr=False)
class Shift(ShortRepr):
    """How one side of a variation moves the numbers: the values there, their shifts and the errors of these."""

    values: np.ndarray
    shift: np.ndarray
    error: np.ndarray

    @property
    def noise(self) -> np.ndarray:
        """Whether each shift is compatible with none."""
        return np.abs(self.shift) <= NOISE * self.error


@dataclass(frozen=True, repr=False)
class VariationEffect(ShortRepr):
    """What one variation does.

    Attributes:
        name, text: of the variation.
        sides: up and down; a side that was not given mirrors the other.
        mirrored: the side that was not given, or None.
        same_rows: whether the varied rows are the rows themselves, so that shifts were resampled in pairs.
        changed: whether anything changed in any row.
    """

    name: str
    text: str
    sides: dict[Side, Shift]
    mirrored: Side | None
    same_rows: bool
    changed: bool

    @property
    def upward(self) -> np.ndarray:
        """How far each number moves up."""
        return np.fmax(0.0, np.fmax(self.sides["up"].shift, self.sides["down"].shift))

    @property
    def downward(self) -> np.ndarray:
        """How far each number moves down, as a positive number."""
        return np.fmax(0.0, np.fmax(-self.sides["up"].shift, -self.sides["down"].shift))

    @property
    def same_sign(self) -> np.ndarray:
        """Whether both sides move a number the same way."""
        return self.sides["up"].shift * self.sides["down"].shift > 0

    @property
    def noise(self) -> np.ndarray:
        """Whether the shifts of both sides are compatible with none."""
        return self.sides["up"].noise & self.sides["down"].noise


@dataclass(frozen=True, repr=False)
class Systematics(ShortRepr):
    """What all variations do to a result.

    Attributes:
        observables: what was looked at; their numbers stand one after the other in all arrays `(numbers,)`.
        nominal, error: the values as they are, with their statistical errors.
        effects: one for each variation, in their order.
        rows, what: how many rows were varied, and what they are called.
        main: the number that decides, which the table and the tornado show.
        cut: on the score, or None. yields_text: what events are expected, or nothing.
        pruned: whether shifts that are noise on both sides are left out of the totals.
        weighted: whether the rows have weights.
    """

    observables: tuple[Observable, ...]
    nominal: np.ndarray
    error: np.ndarray
    effects: tuple[VariationEffect, ...]
    rows: int
    what: str
    main: str
    cut: float | None = None
    yields_text: str = ""
    pruned: bool = False
    weighted: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all numbers."""
        return tuple(name for observable in self.observables for name in observable.names)

    @property
    def scalars(self) -> tuple[str, ...]:
        """The names of the numbers that are no bins."""
        return scalars_of(self.observables)

    @property
    def up(self) -> np.ndarray:
        """The total systematic uncertainty upwards."""
        return self._together([effect.upward for effect in self.effects])

    @property
    def down(self) -> np.ndarray:
        """The total systematic uncertainty downwards, as a positive number."""
        return self._together([effect.downward for effect in self.effects])

    def _together(self, parts: list[np.ndarray]) -> np.ndarray:
        if self.pruned:
            parts = [np.where(effect.noise, 0.0, part) for effect, part in zip(self.effects, parts, strict=True)]
        return np.asarray(np.sqrt(np.sum(np.square(parts), axis=0)))

    def at(self, name: str) -> int:
        """Return the place of a number in the arrays."""
        return self.names.index(name)

    def where(self, observable: Observable) -> slice:
        """Return the places of the numbers of an observable."""
        start = 0
        for other in self.observables:
            if other is observable:
                return slice(start, start + len(other.names))
            start += len(other.names)
        raise ValueError("no such observable")

    def sorted(self, name: str) -> tuple[VariationEffect, ...]:
        """Return the variations, those first that move a number most."""
        at = self.at(name)
        return tuple(sorted(self.effects, key=lambda effect: -max(effect.upward[at], effect.downward[at])))

    @property
    def frame(self) -> pl.DataFrame:
        """The shifts of the numbers that are no bins, a row for each number and variation, the total last."""
        return pl.DataFrame([row for name in self.scalars for row in self._rows(name, {"quantity": name})])

    @property
    def bins(self) -> pl.DataFrame:
        """The shifts in each bin: of histograms the expected events, of profiles mean, bias and RMSE."""
        rows: list[dict[str, Any]] = []
        for observable in self.observables:
            if isinstance(observable, Histogram | Profile):
                count = len(observable.edges) - 1
                for number, name in enumerate(observable.names):
                    low, high = observable.edges[number % count : number % count + 2]
                    place = {"histogram": name.rpartition("[")[0], "bin": number % count + 1, "low": low, "high": high}
                    rows += self._rows(name, place)
        return pl.DataFrame(rows)

    def _rows(self, name: str, place: dict[str, Any]) -> Iterator[dict[str, Any]]:
        at = self.at(name)
        nominal = {"nominal": self.nominal[at], "statistical_error": self.error[at]}
        for effect in self.effects:
            row = {**place, "variation": effect.name, **nominal}
            for side in SIDES:
                shift = effect.sides[side]
                row |= {side: shift.values[at], f"shift_{side}": shift.shift[at], f"error_{side}": shift.error[at]}
            yield {**row, "noise": bool(effect.noise[at]), "mirrored": effect.mirrored or ""}
        up, down = self.up[at], -self.down[at]
        total: dict[str, Any] = {"up": self.nominal[at] + up, "shift_up": up, "error_up": None}
        total |= {"down": self.nominal[at] + down, "shift_down": down, "error_down": None}
        yield {**place, "variation": "total", **nominal, **total, "noise": False, "mirrored": ""}

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data for JSON; those of bins are in the CSV file."""
        return {
            "rows": self.rows,
            "of": self.what,
            "main": self.main,
            "cut": self.cut,
            "yields": self.yields_text or None,
            "noise_within_errors": NOISE,
            "pruned": self.pruned,
            "quantities": {name: self._number(name) for name in self.scalars},
            "variations": {
                e.name: {"text": e.text, "mirrored": e.mirrored, "same_rows": e.same_rows, "changes_rows": e.changed}
                for e in self.effects
            },
        }

    def _number(self, name: str) -> dict[str, Any]:
        at = self.at(name)
        shifts = {}
        for effect in self.effects:
            both: dict[str, Any] = {
                side: {"value": s.values[at], "shift": s.shift[at], "statistical_error": s.error[at]}
                for side, s in effect.sides.items()
            }
            shifts[effect.name] = {**both, "noise": bool(effect.noise[at]), "same_sign": bool(effect.same_sign[at])}
        total = {"up": self.up[at], "down": -self.down[at]}
        return {"nominal": self.nominal[at], "statistical_error": self.error[at], "total": total, "shifts": shifts}


def scalars_of(observables: Sequence[Observable]) -> tuple[str, ...]:
    """Return the names of the numbers that are no bins."""
    scalars = (observable for observable in observables if not isinstance(observable, Histogram | Profile))
    return tuple(name for observable in scalars for name in observable.names)


def measure(
    observables: Sequence[Observable], sample: Sample, seed: int, groups: np.ndarray | None = None
) -> ResampledValues:
    """Return all numbers on a sample and under resamples of its rows.

    Args:
        observables: what is looked at.
        sample: the rows.
        seed: of the resamples; the same seed and number of rows make the same ones.
        groups: `(rows,)` group of each row, counted from 0; whole groups are resampled.
    """
    rows = len(sample.weights)

    def look(counts: np.ndarray) -> np.ndarray:
        return np.concatenate([observable(sample, counts) for observable in observables], axis=1)

    chunks = resampled_weights(rows, None, resamples_for(rows, RESAMPLES), seed, groups=groups)
    return ResampledValues(look(np.ones((1, rows)))[0], np.concatenate([look(counts) for counts in chunks]))


def errors_of(observables: Sequence[Observable], sample: Sample, values: ResampledValues) -> np.ndarray:
    """Return the statistical error of each number `(numbers,)`: in histograms `sqrt(sum w²)`, else by the resamples."""
    errors, start = spread(values.resampled), 0
    for observable in observables:
        numbers = slice(start, start + len(observable.names))
        known = observable.errors(sample)
        if known is not None:
            errors[numbers] = np.where(np.isnan(known), errors[numbers], known)
        start = numbers.stop
    return errors


def shift_between(nominal: ResampledValues, varied: ResampledValues, *, paired: bool) -> Shift:
    """Return the shift of each number, with its error by pairs of resamples or by those of two independent samples."""
    if paired:
        with np.errstate(invalid="ignore"):  # of resamples in which negative weights leave both infinite
            error = spread(varied.resampled - nominal.resampled)
    else:
        error = np.hypot(spread(varied.resampled), spread(nominal.resampled))
    least = ROUNDING * np.abs(nominal.values)
    shift = varied.values - nominal.values
    return Shift(varied.values, np.where(np.abs(shift) <= least, 0.0, shift), np.where(error <= least, 0.0, error))


def effect_of(
    variation: Variation, nominal: ResampledValues, sides: dict[Side, Shift], *, same_rows: bool, changed: bool
) -> VariationEffect:
    """Return what a variation does; a side that is not given mirrors the other."""
    missing: Side | None = next((side for side in SIDES if side not in sides), None)
    if missing is not None:
        (given,) = sides.values()
        sides = {**sides, missing: Shift(nominal.values - given.shift, 0.0 - given.shift, given.error)}
    return VariationEffect(variation.name, variation.text, sides, missing, same_rows, changed)


def spread(resampled: np.ndarray) -> np.ndarray:
    """Return the standard deviation over the resamples of each number, of those that are known; NaN where none is."""
    known = np.isfinite(resampled)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, resampled, 0.0).sum(axis=0) / count
        squares = np.where(known, (resampled - mean) ** 2, 0.0).sum(axis=0)
        return np.asarray(np.sqrt(squares / (count - 1)))
