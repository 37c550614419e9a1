"""The variations of the inputs of a finished run, carried out on its rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from shoal.after.nominal_rows import NominalRows, labelled_rows, same_events
from shoal.data import ReadOptions
from shoal.data.new_rows import refined_as_fitted
from shoal.data.raw import read_any
from shoal.errors import DataError, ShoalWarning, listing, suggest
from shoal.evaluation.scoring import Rows, best_guess
from shoal.evaluation.systematics.observables import Observable, Sample
from shoal.evaluation.systematics.shifts import ResampledValues, VariationEffect, effect_of, measure, shift_between
from shoal.evaluation.systematics.variations import SHIFTS, Side, Variation
from shoal.run import Run


@dataclass(frozen=True)
class VariationStudy:
    """A run with the rows that are varied.

    Attributes:
        run: that predicts.
        nominal: the rows as they are.
        folder: that of the file of variations; other tables stand in it.
        options: how to read them.
        seed: of resamples and noise.
    """

    run: Run
    nominal: NominalRows
    folder: Path
    options: ReadOptions | None
    seed: int

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the run, or none."""
        return self.run.predictor.preparation.classes

    def check(self, variations: Sequence[Variation]) -> None:
        """Check all variations before anything is computed; warn of weights that the networks saw."""
        encoders = {encoder.column: encoder for encoder in self.run.predictor.preparation.encoders}
        for variation in variations:
            variation.check(self.nominal.table, self.classes, self.folder)
            cut = sorted(self.run.preparation.rules.depend_on(variation.columns))
            if cut and self.nominal.of_test:
                self._warn(
                    f"{variation.where}: the cut {cut[0]!r} is not made again on the test rows, which hold none that "
                    "failed it; give other labelled rows (--data FILE) to vary its edge, too"
                )
            for name in variation.columns:
                kind = encoders[name].kind if name in encoders else "number"
                if kind != "number":
                    raise DataError(f"{variation.where}: {name!r} is a {kind} for this run; only numbers are shifted")
            if seen := set(variation.weight_columns.values()) & encoders.keys():
                self._warn(
                    f"{variation.where}: {listing(sorted(seen))} is a feature of this run, which learned from weights; "
                    "leave them out of the fit (--ignore)"
                )

    def nominal_sample(self) -> Sample:
        """Return the rows as they are with what the run predicts for them."""
        return self._cut(self._sample(labelled_rows(self.run, self.nominal.table)), self.nominal.passed)

    @staticmethod
    def _cut(sample: Sample, passed: np.ndarray | None) -> Sample:
        """Return a sample in which rows that fail the cuts count nothing, so that the same rows are resampled."""
        if passed is None:
            return sample
        weights = np.where(passed, sample.weights, 0.0)
        return replace(sample, weights=weights, before=weights)

    def measured(self, observables: Sequence[Observable], sample: Sample, *, paired: bool = True) -> ResampledValues:
        """Return all numbers on a sample; `paired`: under the resamples of the rows as they are."""
        if paired:
            return measure(observables, sample, self.seed, self.nominal.groups)
        return measure(observables, sample, self.seed + 1)

    def _sample(self, rows: Rows, like: Sample | None = None) -> Sample:
        """Return rows with what the run predicts for them, their weights scaled to the sums of `like` by class."""
        guess = best_guess(self.run.predictor.predict_features(rows.x))
        weights = np.ones(len(guess)) if rows.weights is None else rows.weights
        if like is not None:
            weights = self._scaled(rows.y, weights, like)
        return Sample(rows.y, guess, weights, weights, guess)

    def effects(
        self,
        variations: Sequence[Variation],
        observables: Sequence[Observable],
        sample: Sample,
        values: ResampledValues,
        tell: Callable[[str], None],
    ) -> Iterator[VariationEffect]:
        """Give what each variation does to the numbers, whose values on the nominal sample are known."""
        for number, variation in enumerate(variations):
            tell(f"variation {number + 1} of {len(variations)} · {variation.name}")
            sides, same_rows, changed = {}, True, False
            for side, varied in self._varied(variation, sample):
                same_rows = same_rows and _same_rows(varied, sample)
                changed = changed or not same_rows or _differs(varied, sample)
                varied_values = self.measured(observables, varied, paired=same_rows)
                sides[side] = shift_between(values, varied_values, paired=same_rows)
            if not changed:
                self._warn(f"{variation.where} changes nothing{self._why(variation)}")
            yield effect_of(variation, values, sides, same_rows=same_rows, changed=changed)

    def _varied(self, variation: Variation, nominal: Sample) -> Iterator[tuple[Side, Sample]]:
        """Give the sides of a variation with the rows as it makes them."""
        for side in variation.sides:
            if variation.way == "file":
                yield side, self._other(variation, side, nominal)
            elif variation.way in SHIFTS:
                table, passed = self._derived_and_cut(variation.shifted(self.nominal.table, side, self.seed))
                varied = self._cut(self._sample(labelled_rows(self.run, table)), passed)
                yield side, replace(varied, before=nominal.before, placed=nominal.placed)
            else:
                arguments = self.nominal.table, side, nominal.weights, nominal.truth, self.classes
                varied = replace(nominal, weights=variation.reweighted(*arguments))
                yield side, replace(self._cut(varied, self.nominal.passed), before=nominal.before)

    def _derived_and_cut(self, shifted: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray | None]:
        """Return shifted rows with derived columns, and which pass the cuts, where rows that fail are among them."""
        preparation = self.run.preparation
        if self.nominal.passed is None:
            return preparation.rules.derived_anew(shifted), None
        refined, _ = refined_as_fitted(shifted, preparation)
        return refined.table, refined.passed

    def _other(self, variation: Variation, side: Side, nominal: Sample) -> Sample:
        """Return the rows of another table, or of its part that holds the same events."""
        raw = read_any(variation.file(side, self.folder), self.options or ReadOptions())
        if raw.signals is not None:
            raise DataError(f"{variation.where}: {raw.source} holds {raw.signals.kind}, not a table")
        try:
            refined, _ = refined_as_fitted(raw.table, self.run.preparation)
            refined.check_passed()
            table = same_events(self.run, self.nominal, refined.table)
            if table is refined.table and refined.passed is not None:
                table = table.filter(refined.passed)
            rows = labelled_rows(self.run, table)
            sample = self._sample(rows, like=nominal)
        except DataError as error:
            raise DataError(f"{variation.where}: {raw.source}: {error}") from None
        return replace(sample, placed=nominal.placed) if _same_rows(sample, nominal) else sample

    def _scaled(self, truth: np.ndarray, weights: np.ndarray, like: Sample) -> np.ndarray:
        """Return weights that add up, class by class, to those of another sample: how many rows there are is chance."""
        scaled = np.array(weights)
        for number in range(len(self.classes)) if self.classes else (None,):
            rows = slice(None) if number is None else truth == number
            wanted = float(like.weights[slice(None) if number is None else like.truth == number].sum())
            total = float(weights[rows].sum())
            if not total > 0 and wanted != 0:
                of = "" if number is None else f" of class {self.classes[number]!r}"
                raise DataError(f"the weights of its rows{of} add up to {total:g}; expected more than zero")
            scaled[rows] *= wanted / total if total > 0 else 1.0
        return scaled

    def _why(self, variation: Variation) -> str:
        features = self.run.predictor.preparation.input_columns
        strange = [name for name in variation.columns if name not in features]
        if not strange:
            return ""
        near = suggest(strange[0], features)
        return f": {listing(strange)} is no feature of this run; its features are {listing(features)}.{near}"

    @staticmethod
    def _warn(text: str) -> None:
        warnings.warn(text, ShoalWarning, stacklevel=5)


def _same_rows(sample: Sample, nominal: Sample) -> bool:
    """Whether rows are the nominal ones, as far as the targets tell; they are then resampled in pairs."""
    return sample is nominal or np.array_equal(sample.truth, nominal.truth)


def _differs(sample: Sample, nominal: Sample) -> bool:
    return not (np.array_equal(sample.guess, nominal.guess) and np.array_equal(sample.weights, nominal.weights))
