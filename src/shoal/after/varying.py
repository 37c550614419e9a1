"""How much the result of a finished run moves when its inputs are shifted or reweighted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shoal.after.opening import as_run
from shoal.after.rows import ChosenRows, choose_rows, labelled, same_events
from shoal.after.selecting import signal_of
from shoal.data import ReadOptions
from shoal.data.raw import read_any
from shoal.errors import DataError, SettingError, ShoalWarning, listing, suggest
from shoal.evaluation.cuts import Events, choose_cut, yields_of
from shoal.evaluation.scoring import Rows, best_guess
from shoal.evaluation.systematics.observables import Observable, Sample, of_numbers, several_classes, two_classes
from shoal.evaluation.systematics.shifts import Systematics, effect_of, errors_of, measure, scalars_of, shift_between
from shoal.evaluation.systematics.variations import SHIFTS, Side, Variation, read_variations
from shoal.results import Task
from shoal.run import Run
from shoal.statistics.significance import Yields

BINS = {Task.CLASSIFICATION: 20, Task.REGRESSION: 10}
Listener = Callable[[int, int, str], None]


def systematics(
    run: Run | str | Path,
    variations: str | Path | Mapping[str, Any],
    data: Any = None,
    *,
    cut: float | None = None,
    signal_yield: float | None = None,
    background_yield: float | None = None,
    background_uncertainty: float | None = None,
    signal: str | None = None,
    bins: int | None = None,
    quantity: str | None = None,
    prune: bool = False,
    options: ReadOptions | None = None,
    progress: Listener | None = None,
) -> Systematics:
    """Vary the inputs of a finished run and return how far its result moves.

    Each variation shifts columns, changes weights or takes another table, up and down. Looked at are the scores; of two
    classes the histograms of the score and, at a cut, the efficiencies; with yields the significance; of several
    classes how many rows are taken for each; of numbers mean prediction, bias and RMSE, also in bins of the prediction.

    Args:
        run: a run or its folder; it predicts from the columns of a table.
        variations: the file `variations.toml`, or a dict of the same form, see `evaluation.systematics.variations`.
        data: labelled rows, as for `Run.evaluate`; by default the test rows, read again from the source of the run,
            which counts as one more use of them. The data of the fit give its test rows, too.
        cut: keep rows with a score of it or more; with yields by default the cut that the validation rows choose.
        signal_yield: expected signal events before the cut; by default that of the fit.
        background_yield: expected background events before the cut.
        background_uncertainty: relative uncertainty of the background, e.g. 0.1.
        signal: the class that is the signal; by default that of the fit, or the one named so, else the second.
        bins: of histograms; default 20 of scores, 10 of numbers.
        quantity: the number that decides, e.g. `roc_auc`; by default significance, signal efficiency, ROC area or bias.
        prune: leave shifts out of the totals that are compatible with none, on both sides.
        options: how to read text files.
        progress: is told how many variations are done, of how many, and the name of the next.

    Returns:
        The shifts with their statistical errors, also as polars frames in `.frame` and `.bins`.

    Raises:
        SettingError: variations, yields, cut or quantity that make no sense, or a run that predicts no table rows.
        DataError: a column or file is missing, or holds something else than numbers.
        RunError: the test rows cannot be read again.

    Example:
        >>> import shoal, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tiny = {"networks": 2, "hidden": (4,), "epochs": 2, "batch_size": 32, "page": False}
        ...     run = shoal.fit("iris", out=folder + "/iris", **tiny)
        ...     found = shoal.systematics(run, {"ruler": {"columns": ["petal length (cm)"], "scale": 0.02}})
        >>> found.frame["variation"].unique(maintain_order=True).to_list()
        ['ruler', 'total']
    """
    run = as_run(run)
    folder = Path() if isinstance(variations, Mapping) else Path(variations).parent
    varied = read_variations(variations)
    _check_run(run)
    yields = _yields(run, signal_yield, background_yield, background_uncertainty)
    wanted = cut is not None or yields is not None or signal is not None
    number = signal_of(run, signal) if wanted or _two_classes(run) else None
    if cut is None and yields is not None and number is not None:
        cut = choose_cut(Events.of(run.folder.scored("validation"), number), yields)
    chosen = choose_rows(run, data, options)
    study = Study(run, chosen, folder, options, int(run.metrics["seed"]))
    study.check(varied)
    nominal = study.sample(study.rows(chosen.table))
    looked = _observables(run, nominal, number, bins, cut, yields)
    main = _deciding(scalars_of(looked), quantity, two=number is not None)
    found = study.found(varied, nominal, looked, progress or _silent)
    found = replace(found, main=main, cut=cut, yields_text=_told(yields), pruned=prune)
    if chosen.own:
        run.count_opening()
    return found


@dataclass(frozen=True)
class Study:
    """A run with the rows that are varied.

    Attributes:
        run: that predicts.
        chosen: the rows.
        folder: that of the file of variations; other tables stand in it.
        options: how to read them.
        seed: of resamples and noise.
    """

    run: Run
    chosen: ChosenRows
    folder: Path
    options: ReadOptions | None
    seed: int

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the run, or none."""
        return self.run.predictor.preparation.classes

    def check(self, varied: tuple[Variation, ...]) -> None:
        """Check all variations before anything is computed; warn of weights that the networks saw."""
        encoders = {encoder.column: encoder for encoder in self.run.predictor.preparation.encoders}
        for variation in varied:
            variation.check(self.chosen.table, self.classes, self.folder)
            for name in variation.columns:
                kind = encoders[name].kind if name in encoders else "number"
                if kind != "number":
                    raise DataError(f"{variation.where}: {name!r} is a {kind} for this run; only numbers are shifted")
            if variation.way in ("weight", "factor"):
                seen = {getattr(variation, f"{variation.way}_{side}") for side in variation.sides} & encoders.keys()
                if seen:
                    self._warn(
                        f"{variation.where}: {listing(sorted(seen))} is a feature of this run, which learned from "
                        "weights; leave them out of the fit (--ignore)"
                    )

    def rows(self, table: pl.DataFrame) -> Rows:
        """Return labelled rows of a table."""
        return labelled(self.run, table)

    def sample(self, rows: Rows, like: Sample | None = None) -> Sample:
        """Return rows with what the run predicts for them, their weights scaled to the sums of `like` by class."""
        guess = best_guess(self.run.predictor.predict_features(rows.x))
        weights = np.ones(len(guess)) if rows.weights is None else rows.weights
        if like is not None:
            weights = self._scaled(rows.y, weights, like)
        return Sample(rows.y, guess, weights, weights, guess)

    def found(
        self, varied: tuple[Variation, ...], nominal: Sample, looked: tuple[Observable, ...], progress: Listener
    ) -> Systematics:
        """Return what all variations do."""
        known = measure(looked, nominal, self.seed, self.chosen.groups)
        effects = []
        for done, variation in enumerate(varied):
            progress(done, len(varied), variation.name)
            sides, same, changed = {}, True, False
            for side, sample in self.samples(variation, nominal):
                same = same and _same_rows(sample, nominal)
                changed = changed or not same or _differs(sample, nominal)
                groups = self.chosen.groups if same else None
                own = measure(looked, sample, self.seed if same else self.seed + 1, groups)
                sides[side] = shift_between(known, own, paired=same)
            if not changed:
                self._warn(f"{variation.where} changes nothing{self._why(variation)}")
            effects.append(effect_of(variation, known, sides, same_rows=same, changed=changed))
        progress(len(varied), len(varied), "")
        errors = errors_of(looked, nominal, known)
        count = len(nominal.weights)
        weighted = bool((nominal.weights != 1.0).any())
        found = looked, known.values, errors, tuple(effects), count, self.chosen.what, ""
        return Systematics(*found, weighted=weighted)

    def samples(self, variation: Variation, nominal: Sample) -> Iterator[tuple[Side, Sample]]:
        """Give the sides of a variation with the rows as it makes them."""
        for side in variation.sides:
            if variation.way == "file":
                yield side, self._other(variation, side, nominal)
            elif variation.way in SHIFTS:
                rows = self.rows(variation.shifted(self.chosen.table, side, self.seed))
                yield side, replace(self.sample(rows), before=nominal.before, placed=nominal.placed)
            else:
                arguments = self.chosen.table, side, nominal.weights, nominal.truth, self.classes
                yield side, replace(nominal, weights=variation.reweighted(*arguments))

    def _other(self, variation: Variation, side: Side, nominal: Sample) -> Sample:
        """Return the rows of another table, or of its part that holds the same events."""
        raw = read_any(variation.file(side, self.folder), self.options or ReadOptions())
        if raw.signals is not None:
            raise DataError(f"{variation.where}: {raw.source} holds {raw.signals.kind}, not a table")
        try:
            rows = self.rows(same_events(self.run, self.chosen, raw.table))
            sample = self.sample(rows, like=nominal)
        except DataError as error:
            raise DataError(f"{variation.where}: {raw.source}: {error}") from None
        return replace(sample, placed=nominal.placed) if _same_rows(sample, nominal) else sample

    def _scaled(self, truth: np.ndarray, weights: np.ndarray, like: Sample) -> np.ndarray:
        """Return weights that add up, class by class, to those of another sample: how many rows there are is chance."""
        parts = range(len(self.classes)) if self.classes else (None,)
        scaled = np.array(weights)
        for part in parts:
            own = slice(None) if part is None else truth == part
            total = float(like.weights[slice(None) if part is None else like.truth == part].sum())
            sum_of_own = float(weights[own].sum())
            if not sum_of_own > 0 and total != 0:
                of = "" if part is None else f" of class {self.classes[part]!r}"
                raise DataError(f"the weights of its rows{of} add up to {sum_of_own:g}; expected more than zero")
            scaled[own] *= total / sum_of_own if sum_of_own > 0 else 1.0
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


def _check_run(run: Run) -> None:
    preparation = run.predictor.preparation
    if run.reconstructs or preparation.signals is not None:
        what = "reconstructs" if run.reconstructs else f"predicts from {preparation.signals.kind}"  # type: ignore[union-attr]
        raise SettingError(f"systematics vary the columns of a table and what is predicted from it; {run.name} {what}")


def _two_classes(run: Run) -> bool:
    return len(run.predictor.preparation.classes) == 2


def _yields(run: Run, signal: float | None, background: float | None, uncertainty: float | None) -> Yields | None:
    """Return the expected yields: those given, or those of the fit."""
    kept = yields_of(run.folder.config["settings"])
    if signal is None and background is None:
        if uncertainty is None:
            return kept
        if kept is None:
            raise SettingError("background_uncertainty is that of expected yields; give signal_yield, background_yield")
        return replace(kept, uncertainty=uncertainty)
    if signal is None or background is None:
        missing = "signal_yield" if signal is None else "background_yield"
        raise SettingError(f"a significance needs the yields of signal and background; give {missing}")
    return Yields(signal, background, uncertainty or 0.0)


def _observables(
    run: Run, nominal: Sample, signal: int | None, bins: int | None, cut: float | None, yields: Yields | None
) -> tuple[Observable, ...]:
    """Return what is looked at."""
    preparation = run.predictor.preparation
    bins = BINS[preparation.task] if bins is None else bins
    if not 1 <= bins <= 1000:
        raise SettingError(f"bins must be from 1 to 1000, got {bins}")
    if preparation.task is Task.REGRESSION:
        return of_numbers(nominal, preparation.targets, bins)
    if signal is None:
        return several_classes(nominal, preparation.classes)
    if cut is not None and not 0 <= cut <= 1:
        raise SettingError(f"cut is on the score, a probability from 0 to 1, got {cut:g}")
    Events(nominal.guess[:, signal], nominal.truth == signal, nominal.weights)  # shares of both classes mean something
    return two_classes(nominal, preparation.classes, signal, bins, cut, yields)


def _deciding(names: tuple[str, ...], asked: str | None, *, two: bool) -> str:
    """Return the number that decides: the one that is asked for, or the first that says most."""
    if asked is None:
        usual = ("significance", "signal_efficiency", "roc_auc" if two else "log_loss")
        biases = [name for name in names if name.startswith("bias")]
        return next(name for name in (*usual, *biases) if name in names)
    if asked not in names:
        raise SettingError(f"quantity must be one of {listing(names)}, got {asked!r}.{suggest(asked, names)}")
    return asked


def _same_rows(sample: Sample, nominal: Sample) -> bool:
    """Whether rows are the nominal ones, as far as the targets tell; they are then resampled in pairs."""
    return sample is nominal or np.array_equal(sample.truth, nominal.truth)


def _differs(sample: Sample, nominal: Sample) -> bool:
    return not (np.array_equal(sample.guess, nominal.guess) and np.array_equal(sample.weights, nominal.weights))


def _told(yields: Yields | None) -> str:
    if yields is None:
        return ""
    uncertain = f" ± {100 * yields.uncertainty:g} %" if yields.uncertainty else ""
    return f"{yields.signal:g} signal and {yields.background:g}{uncertain} background events"


def _silent(done: int, count: int, name: str) -> None:
    """Tell nobody."""
