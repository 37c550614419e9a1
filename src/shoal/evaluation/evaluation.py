"""The evaluation of an ensemble: scores with intervals, baselines, verdicts, gathered in one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Dataset, Preparation, Split, describe
from shoal.evaluation.baselines import Learned
from shoal.evaluation.candidates import rank_candidates
from shoal.evaluation.chi_square import ChiSquare
from shoal.evaluation.conformal import coverage
from shoal.evaluation.correlated import learned_errors
from shoal.evaluation.counts import count_candidates
from shoal.evaluation.error_bars import Measured
from shoal.evaluation.examples import signal_record
from shoal.evaluation.explanation.in_passing import importance_in_passing
from shoal.evaluation.hyperparameters import importance
from shoal.evaluation.intervals import block_length, with_intervals
from shoal.evaluation.measured import measured_record, of_targets
from shoal.evaluation.noise import total_error
from shoal.evaluation.out_of_fold import OutOfFold
from shoal.evaluation.overfitting import overfitting_verdict
from shoal.evaluation.overtraining import overtraining
from shoal.evaluation.predictor import Prediction, Predictor
from shoal.evaluation.reconstructing import best_alone, scaled_inputs
from shoal.evaluation.reconstruction import reconstruction_record, simple_reconstructions
from shoal.evaluation.record import (
    ColumnRow,
    Curves,
    DataRecord,
    NetworkRow,
    PredictedRows,
    Record,
    ReplicaRow,
    Scores,
    TestRows,
)
from shoal.evaluation.scored import Scored
from shoal.evaluation.sealed import SealedRows
from shoal.evaluation.selection import selection_of
from shoal.evaluation.shuffled import Shuffled
from shoal.evaluation.verdict import beats_baselines, conclude
from shoal.evaluation.worth import error_bars_record
from shoal.networks.bottleneck import code_size
from shoal.results import Task
from shoal.taken import joined
from shoal.training.member import TrainedMember


@dataclass(frozen=True)
class Rows:
    """Prepared rows of one part of the split: features, targets in their own units (or scaled inputs), weights."""

    x: Any
    y: np.ndarray
    weights: np.ndarray | None


def prepared_rows(dataset: Dataset, preparation: Preparation, rows: np.ndarray) -> Rows:
    """Return some rows of a dataset, prepared."""
    weights, x = dataset.weights(), preparation.transform(dataset.inputs(rows))
    return Rows(x, truth_of(preparation, x, dataset.y()[rows]), None if weights is None else weights[rows])


def truth_of(preparation: Preparation, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return what the ensemble is compared with: the targets, or in a reconstruction the scaled inputs."""
    return scaled_inputs(preparation, x) if preparation.task is Task.RECONSTRUCTION else y


def best_guess(prediction: Prediction) -> np.ndarray:
    """Return what metrics compare with the truth: probabilities, or the mean."""
    guess = prediction.probabilities if prediction.probabilities is not None else prediction.mean
    assert guess is not None
    return guess


def block_of(preparation: Preparation, rows: int) -> int:
    """Return how many neighbouring rows an interval draws together: one, but more of overlapping windows."""
    recipe = preparation.recipe
    return 1 if recipe is None or recipe.window is None else block_length(rows, recipe.horizon)


def score_rows(
    predictor: Predictor,
    rows: Rows,
    seed: int,
    answering: np.ndarray | None = None,
    probabilities: np.ndarray | None = None,
) -> Scores:
    """Return every metric on some rows, with its interval; `answering` as in `Predictor.predict_features`.

    `probabilities` of the rows (or of the steps with a target), where they are known already.
    """
    if probabilities is not None:
        return _scores_of(predictor, rows, probabilities, seed)
    return score_guess(predictor, rows, best_guess(predictor.predict_features(rows.x, answering)), seed)


def score_guess(predictor: Predictor, rows: Rows, guess: np.ndarray, seed: int) -> Scores:
    """Return every metric of what was predicted for some rows, with its interval."""
    scored = Scored.of(predictor.preparation.task, rows.y, rows.weights)
    return _scores_of(predictor, rows, scored.taken(guess), seed)


def _scores_of(predictor: Predictor, rows: Rows, guess: np.ndarray, seed: int) -> Scores:
    block = block_of(predictor.preparation, len(rows.x))
    task = predictor.preparation.task
    scored = Scored.of(task, rows.y, rows.weights)
    drawing: dict[str, Any] = {"seed": seed, "block": block, "groups": scored.series}
    return with_intervals(task, scored.truth, guess, weights=scored.weights, **drawing)


def describe_data(dataset: Dataset, split: Split, predictor: Predictor, normalization: str) -> DataRecord:
    """Return what the page says of the data."""
    description = describe(dataset, split)
    preparation = predictor.preparation
    return DataRecord(
        name=dataset.name,
        source=dataset.source,
        sha256=dataset.sha256,
        task=dataset.task,
        task_name=dataset.task_name,
        targets=dataset.targets,
        classes=dataset.classes,
        feature_names=preparation.feature_names,
        columns=tuple(_column_row(column) for column in description.columns),
        notes=(*description.notes, *preparation.notes),
        warnings=description.warnings,
        rows=split.sizes,
        split=split.how,
        normalization=normalization,
        units=dict(dataset.units),
    )


def _column_row(column: Any) -> ColumnRow:
    from shoal.data.describe import shown

    return ColumnRow(
        column.name,
        str(column.kind),
        column.role,
        column.missing,
        column.distinct,
        shown(column.low),
        shown(column.high),
        column.reason,
    )


def describe_networks(members: Sequence[TrainedMember], kept: Sequence[int]) -> tuple[NetworkRow, ...]:
    """Return one row for each network; `kept` holds positions in `members`."""
    return tuple(_network_row(member, i in kept) for i, member in enumerate(members))


def _network_row(member: TrainedMember, kept: bool) -> NetworkRow:
    at = member.best_epoch - 1
    known = at >= 0
    candidate, size = member.member.hyperparameters.model_dump(mode="json"), code_size(member.network.layers)
    return NetworkRow(
        id=member.member.id,
        candidate=candidate if size is None else {"bottleneck": size, **candidate},
        status=member.status.sentence,
        parameters=member.network.parameter_count,
        epochs=len(member.train_loss),
        best_epoch=member.best_epoch,
        train_loss=float(member.train_loss[at]) if known else float("nan"),
        validation_loss=float(member.validation_loss[at]) if known else float("nan"),
        validation_metric=float(member.validation_metric[at]) if known else float("nan"),
        score=member.score,
        kept=kept,
        candidate_id=member.member.candidate,
        fold=member.member.fold,
        repeat=member.member.repeat,
    )


def describe_replicas(replicas: Sequence[TrainedMember], predictor: Predictor) -> tuple[ReplicaRow, ...]:
    """Return one row for each replica that was trained; those of the predictor are kept."""
    kept = {replica.id for replica in predictor.replicas}
    return tuple(_replica_row(replica, replica.member.id in kept) for replica in replicas)


def _replica_row(replica: TrainedMember, kept: bool) -> ReplicaRow:
    at, member = replica.best_epoch - 1, replica.member
    return ReplicaRow(
        id=member.id,
        network=member.origin,
        draw=member.draw,
        status=replica.status.sentence,
        epochs=len(replica.train_loss),
        best_epoch=replica.best_epoch,
        train_loss=float(replica.train_loss[at]) if at >= 0 else float("nan"),
        validation_loss=float(replica.validation_loss[at]) if at >= 0 else float("nan"),
        kept=kept,
    )


def gather_curves(members: Sequence[TrainedMember], task: Task) -> Curves:
    """Return all learning curves as arrays, NaN behind the end of each."""
    epochs = max(len(member.train_loss) for member in members)

    def padded(name: str) -> np.ndarray:
        table = np.full((len(members), epochs), np.nan, np.float32)
        for i, member in enumerate(members):
            curve = getattr(member, name)
            table[i, : len(curve)] = curve
        return table

    metric = "accuracy" if task is Task.CLASSIFICATION else "rmse"
    return Curves(padded("train_loss"), padded("validation_loss"), padded("validation_metric"), metric)


def evaluate(
    predictor: Predictor,
    members: Sequence[TrainedMember],
    kept: Sequence[int],
    dataset: Dataset,
    split: Split,
    sealed: SealedRows,
    baselines: Learned,
    measured: Measured,
    *,
    folds: OutOfFold | None = None,
    repeats: int = 1,
    settings: dict[str, Any],
    seed: int,
    command: str,
    normalization: str,
    space: tuple[tuple[str, str], ...],
    seconds: dict[str, float],
    versions: dict[str, str],
    shuffled: Shuffled | None = None,
    replicas: Sequence[TrainedMember] = (),
) -> Record:
    """Open the test rows once and return everything that the run has to say; `baselines` have learned before.

    With `folds` the validation scores are those of each row's members that were judged on it, and the training scores
    those of the members that learned from it. Probabilities of validation rows are calibrated by what other rows say,
    as `measured` has them. `shuffled` is the label-shuffle baseline, `replicas` are all that were trained.
    """
    task = dataset.task
    taught = split.train if folds is None else split.train[folds.known]
    train = prepared_rows(dataset, predictor.preparation, taught)
    validation = prepared_rows(dataset, predictor.preparation, split.validation)
    networks, curves = describe_networks(members, kept), gather_curves(members, task)
    alone = task is Task.RECONSTRUCTION  # a reconstruction goes through one code
    scored = best_alone(predictor) if alone else predictor
    judge = scored if folds is None else folds.judge(scored)
    known = best_guess(judge.predict_features(train.x, None if folds is None else folds.learned))
    asked = None if folds is None else folds.judged
    on_validation = judge.predict_features(validation.x, asked)
    unseen, calibrated = best_guess(on_validation), measured.after
    scores = {
        "train": score_guess(scored, train, known, seed),
        "validation": score_guess(scored, validation, unseen, seed)
        if calibrated is None
        else score_rows(scored, validation, seed, probabilities=calibrated),
    }

    table, truth, weights = sealed.open()
    x = predictor.preparation.transform(table)
    truth = truth_of(predictor.preparation, x, truth)
    prediction = scored.predict_features(x, groups=scored.groups_of(table))
    outside = None if scored.region is None else scored.region.outside(x)
    reconstruction = None
    others = baselines(x)
    if alone:
        reconstruction = reconstruction_record(predictor, members, dataset, split, train.x, (x, truth))
        others = simple_reconstructions(train.y, truth, reconstruction.bottleneck, train.weights, seed)
    entries = Scored.of(task, truth, weights)
    block = block_of(predictor.preparation, len(truth))
    scores["test"], compared, comparison, others = compare(task, entries, prediction, others, seed, block)
    overfitting = overfitting_verdict(
        curves.train_loss,
        curves.validation_loss,
        list(kept),
        len(split.validation) if folds is None else folds.judging,
        best_epoch=np.asarray([row.best_epoch - 1 for row in networks]),
        judged_on="validation rows" if folds is None else "rows that they did not learn from",
    )
    sizes = {
        "rows": len(sealed),
        "kept": 1 if alone else len(kept),
        "trained": len(members),
        "targets": len(dataset.targets),
        "steps": 0 if entries.series is None else len(entries.truth),
    }
    verdict = conclude(task, scores["test"], comparison, overfitting, **sizes)
    picture = None
    if task is Task.CLASSIFICATION and len(dataset.classes) == 2 and entries.series is None:
        own = [networks[place] for place in kept]
        epochs = np.asarray([row.best_epoch for row in own]), np.asarray([row.epochs for row in own])
        parts = (train.y, known, train.weights), (truth, best_guess(prediction), weights)
        picture = overtraining(dataset.classes, *parts, overfitting, epochs, shuffled, settings.get("signal"))
    with_errors = None
    if predictor.measured is not None:
        of_test = of_rows(predictor, dataset, split.test, prediction, truth, weights, split, seed)
        rest = validation.y, validation.weights, split, seed
        of_validation = of_rows(predictor, dataset, split.validation, on_validation, *rest)
        file = None if dataset.covariance is None else dataset.covariance.name
        with_errors = measured_record(predictor, of_test, of_validation, settings.get("replicas"), file)
    best = members[kept[0]]
    if alone:
        error_bars, test_rows = None, TestRows(truth[:, :0], weights)
    else:
        groups = entries.series if dataset.roles.group is None else _groups_of_entries(dataset, split, entries)
        test_rows = _test_rows(prediction, entries, groups)
        held = Scored.of(task, validation.y, validation.weights)
        error_bars = error_bars_record(predictor, measured, held, prediction, entries, outside, groups, seed)
    times = dataset.times()
    in_time = {"persistence": others.get("persistence"), "times": None if times is None else times[split.test]}
    predicted = {}
    if not alone:
        predicted = kept_rows(split, (validation, unseen), entries, entries.taken(best_guess(prediction)))
    selection, without = selection_of(predicted, settings, dataset.classes, seed)
    data = describe_data(dataset, split, predictor, normalization)
    return Record(
        data=replace(data, warnings=(*data.warnings, without)) if without else data,
        networks=networks,
        curves=curves,
        scores=scores,
        baselines=compared,
        verdict=verdict,
        hyperparameters=_importance(networks, (split.folds or 1) * repeats),
        test_rows=test_rows,
        best_network=best.network,
        best_parameters=best.parameters,
        outputs=predictor.head.output_names(dataset.targets) if task is Task.REGRESSION else (),
        settings=settings,
        command=command,
        seed=seed,
        seconds=seconds,
        versions=versions,
        test_openings=sealed.openings,
        search_space=space,
        cv=split.folds,
        rolling=None if split.rolling is None else {"train": len(train.x), "validation": len(validation.x)},
        repeats=repeats,
        signals=None if reconstruction else signal_record(predictor, table, prediction, truth, **in_time),
        reconstruction=reconstruction,
        error_bars=error_bars,
        overtraining=picture,
        predicted=predicted,
        counts=count_candidates([m.member.candidate for m in members], [m.parts for m in members]),
        measured=with_errors,
        selection=selection,
        importance=importance_in_passing(judge, dataset, split, validation, asked, seed),
        replicas=describe_replicas(replicas, predictor),
    )


def kept_rows(
    split: Split, validation: tuple[Rows, np.ndarray], test: Scored, guess: np.ndarray
) -> dict[str, PredictedRows]:
    """Return the validation rows (but those of steps) and the test rows with what was predicted for them."""
    kept = {"test": PredictedRows(split.test, test.truth, guess, test.weights, test.series)}
    if test.present is None:
        rows, said = validation
        kept["validation"] = PredictedRows(split.validation, rows.y, said, rows.weights)
    return kept


def of_rows(
    predictor: Predictor,
    dataset: Dataset,
    rows: np.ndarray,
    prediction: Prediction,
    truth: np.ndarray,
    weights: np.ndarray | None,
    split: Split,
    seed: int,
) -> dict[str, ChiSquare]:
    """Return chi-square and pulls of each target on some rows with measured errors; `seed` names replicas' draws."""
    errors, inputs = dataset.y_err(), dataset.inputs(rows)
    assert errors is not None
    if isinstance(inputs, pl.DataFrame):
        prediction = predictor.with_input_errors(prediction, inputs)
    if dataset.covariance is None or not dataset.covariance.correlated:
        return of_targets(prediction, truth, errors[rows], weights)
    sigma = total_error(errors[rows], prediction.input_spread)[:, 0]
    learned = learned_errors(predictor, dataset, split, rows, seed, sigma)
    return of_targets(prediction, truth, errors[rows], weights, dataset.covariance.of(rows), learned)


def compare(
    task: Task, scored: Scored, prediction: Prediction, others: dict[str, np.ndarray], seed: int, block: int
) -> tuple[Scores, dict[str, Scores], tuple[bool, str], dict[str, np.ndarray]]:
    """Return the scores of the ensemble and of the baselines, who is better, and what the baselines predict."""
    truth, weights, guess = scored.truth, scored.weights, scored.taken(best_guess(prediction))
    others = {name: scored.taken(other) for name, other in others.items()}
    drawing: dict[str, Any] = {"seed": seed, "block": block, "groups": scored.series}
    own = with_intervals(task, truth, guess, weights=weights, **drawing)
    compared = {name: with_intervals(task, truth, other, weights=weights, **drawing) for name, other in others.items()}
    return own, compared, beats_baselines(task, truth, guess, others, weights, **drawing), others


def _importance(networks: Sequence[NetworkRow], each: int) -> tuple[tuple[str, float, str], ...]:
    """Return which hyperparameters mattered for the scores of the candidates; each has so many networks."""
    ranked = rank_candidates([n.candidate_id for n in networks], [n.score for n in networks], each)
    ranked.sort(key=lambda standing: standing.candidate)
    tried = [networks[standing.members[0]].candidate for standing in ranked]
    return tuple(importance(tried, np.asarray([standing.score for standing in ranked])))


def joined_rows(a: Rows, b: Rows) -> Rows:
    """Return the rows of two parts together."""
    weights = None
    if a.weights is not None and b.weights is not None:
        weights = np.concatenate([a.weights, b.weights])
    return Rows(joined(a.x, b.x), np.concatenate([a.y, b.y]), weights)


def _groups_of_entries(dataset: Dataset, split: Split, entries: Scored) -> np.ndarray:
    """Return the number of the group of each test row, or of each of their steps."""
    groups = dataset.groups()
    assert groups is not None
    _, own = np.unique(groups[split.test], return_inverse=True)
    return own if entries.present is None else np.broadcast_to(own[:, None], entries.present.shape)[entries.present]


def _test_rows(prediction: Prediction, scored: Scored, groups: np.ndarray | None) -> TestRows:
    truth, weights, series = scored.truth, scored.weights, scored.series
    if scored.present is not None:
        prediction = prediction.at(scored.present)
    if prediction.probabilities is not None:
        held = None
        if prediction.sets is not None:
            held = coverage(prediction.sets[np.arange(len(truth)), truth], weights, groups)
        return TestRows(truth, weights, probabilities=prediction.probabilities, coverage=held, series=series)
    assert prediction.low is not None
    assert prediction.high is not None
    inside = (truth >= prediction.low) & (truth <= prediction.high)
    return TestRows(
        truth,
        weights,
        mean=prediction.mean,
        std=prediction.std,
        low=prediction.low,
        high=prediction.high,
        coverage=coverage(inside, weights, groups),
        series=series,
    )
