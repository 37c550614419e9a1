"""The evaluation of an ensemble: scores with intervals, baselines, verdicts, gathered in one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Dataset, Split
from shoal.evaluation.baselines.label_shuffle import Shuffled
from shoal.evaluation.baselines.tabular import Learned
from shoal.evaluation.describing import describe_data, describe_networks, describe_replicas, gather_curves
from shoal.evaluation.error_bar_checks import error_bars_record
from shoal.evaluation.examples import signal_record
from shoal.evaluation.explanation.in_passing import importance_in_passing
from shoal.evaluation.overfitting import overfitting_verdict
from shoal.evaluation.overtraining import overtraining
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.pulls.chi_square import ChiSquare
from shoal.evaluation.pulls.summary import measured_record, of_targets
from shoal.evaluation.reconstruction import reconstruction_record, simple_reconstructions
from shoal.evaluation.record import (
    NetworkRow,
    Record,
    Scores,
    TestRows,
)
from shoal.evaluation.scoring import Rows, best_guess, block_of, prepared_rows, score_guess, score_rows, truth_of
from shoal.evaluation.sealed import SealedRows
from shoal.evaluation.selection import selection_of
from shoal.evaluation.verdict import beats_baselines, conclude
from shoal.prediction.autoencoder import best_alone
from shoal.prediction.conformal import coverage
from shoal.prediction.correlated_errors import learned_errors
from shoal.prediction.error_bars import Measured
from shoal.prediction.intrinsic_scatter import total_error
from shoal.prediction.out_of_fold import OutOfFold
from shoal.prediction.predictor import Prediction, Predictor
from shoal.prediction.scored import Scored
from shoal.results import Task
from shoal.search.results.importance import HyperparameterImportance, hyperparameter_importance
from shoal.search.results.optimism import estimate_optimism
from shoal.search.results.ranking import rank_candidates
from shoal.statistics.bootstrap import with_intervals
from shoal.training.member import TrainedMember


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

    importance = importance_in_passing(judge, dataset, split, validation, asked, seed)  # while baselines are fitted

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
        counts=estimate_optimism([m.member.candidate for m in members], [m.parts for m in members]),
        measured=with_errors,
        selection=selection,
        importance=importance,
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


def _importance(networks: Sequence[NetworkRow], each: int) -> tuple[HyperparameterImportance, ...]:
    """Return which hyperparameters mattered for the scores of the candidates; each has so many networks."""
    ranked = rank_candidates([n.candidate_id for n in networks], [n.score for n in networks], each)
    ranked.sort(key=lambda standing: standing.candidate)
    tried = [networks[standing.members[0]].candidate for standing in ranked]
    return tuple(hyperparameter_importance(tried, np.asarray([standing.score for standing in ranked])))


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
