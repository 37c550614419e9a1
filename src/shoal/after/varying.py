"""How much the result of a finished run moves when its inputs are shifted or reweighted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from shoal.after.nominal_rows import nominal_rows
from shoal.after.opening import as_run
from shoal.after.selecting import signal_of
from shoal.after.variation_study import VariationStudy
from shoal.data import ReadOptions
from shoal.errors import SettingError, listing, suggest
from shoal.evaluation.cuts import Events, choose_cut, yields_of
from shoal.evaluation.systematics.observables import Observable, Sample, of_numbers, several_classes, two_classes
from shoal.evaluation.systematics.shifts import Systematics, errors_of, scalars_of
from shoal.evaluation.systematics.variations import read_variations
from shoal.results import Task
from shoal.run import Run
from shoal.statistics.significance import Yields
from shoal.training.progress import Progress
from shoal.training.progress_lines import listener

BINS = {Task.CLASSIFICATION: 20, Task.REGRESSION: 10}


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
    progress: Progress | bool | None = None,
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
        progress: as for `fit`.

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
        ...     varied = shoal.systematics(run, {"ruler": {"columns": ["petal length (cm)"], "scale": 0.02}})
        >>> varied.frame["variation"].unique(maintain_order=True).to_list()
        ['ruler', 'total']
    """
    run = as_run(run)
    folder = Path() if isinstance(variations, Mapping) else Path(variations).parent
    sources, tell = read_variations(variations), listener(progress).stage
    _check_run(run)
    yields = _yields(run, signal_yield, background_yield, background_uncertainty)
    number, cut = _signal_and_cut(run, signal, cut, yields)
    rows = nominal_rows(run, data, options)
    study = VariationStudy(run, rows, folder, options, int(run.metrics["seed"]))
    sources = tuple(source.in_full(rows.table.columns) for source in sources)
    study.check(sources)
    sample = study.nominal_sample()
    observables = _observables(run, sample, number, bins, cut, yields)
    main = _deciding(scalars_of(observables), quantity, two=number is not None)
    values = study.measured(observables, sample)
    effects = tuple(study.effects(sources, observables, sample, values, tell))
    if rows.of_test:
        run.count_opening("systematics")
    return Systematics(
        observables=observables,
        nominal=values.values,
        error=errors_of(observables, sample, values),
        effects=effects,
        rows=len(sample.weights) if rows.passed is None else int(rows.passed.sum()),
        what=rows.what,
        main=main,
        cut=cut,
        yields_text=_yields_text(yields),
        pruned=prune,
        weighted=bool((sample.weights[slice(None) if rows.passed is None else rows.passed] != 1.0).any()),
    )


def _check_run(run: Run) -> None:
    preparation = run.predictor.preparation
    if run.reconstructs or preparation.signals is not None:
        what = "reconstructs" if run.reconstructs else f"predicts from {preparation.signals.kind}"  # type: ignore[union-attr]
        raise SettingError(f"systematics vary the columns of a table and what is predicted from it; {run.name} {what}")


def _signal_and_cut(
    run: Run, signal: str | None, cut: float | None, yields: Yields | None
) -> tuple[int | None, float | None]:
    """Return the number of the signal class, where there is one, and the cut: the one given, or the best for yields."""
    wanted = cut is not None or yields is not None or signal is not None
    number = signal_of(run, signal) if wanted or len(run.predictor.preparation.classes) == 2 else None
    if cut is None and yields is not None and number is not None:
        cut = choose_cut(Events.of(run.folder.scored("validation"), number), yields)
    return number, cut


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


def _yields_text(yields: Yields | None) -> str:
    if yields is None:
        return ""
    uncertain = f" ± {100 * yields.uncertainty:g} %" if yields.uncertainty else ""
    return f"{yields.signal:,.10g} signal and {yields.background:,.10g}{uncertain} background events"
