"""Made-up runs for the tests of the report: no training, every shape that a page must bear."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.data.units import units_of_names
from shoal.evaluation.baselines.label_shuffle import Shuffled
from shoal.evaluation.chi_square import ChiSquare
from shoal.evaluation.cuts import Events, select
from shoal.evaluation.explanation.importance import Importance, ImportanceTable
from shoal.evaluation.explanation.scores import Estimate
from shoal.evaluation.record import Provenance, Record
from shoal.evaluation.topics import topics
from shoal.evaluation.topics.baselines import BaselineScores, Outcome
from shoal.evaluation.topics.best_network import BestMember
from shoal.evaluation.topics.candidates import Candidates, NetworkRow
from shoal.evaluation.topics.curves import Curves
from shoal.evaluation.topics.data import ColumnRow, DataRecord
from shoal.evaluation.topics.error_bars import BeforeAfter, ErrorBars
from shoal.evaluation.topics.examples import SignalRecord
from shoal.evaluation.topics.forecast import ForecastRows
from shoal.evaluation.topics.guessing import Guessing
from shoal.evaluation.topics.knobs import Knobs, TriedKnob, TriedValue
from shoal.evaluation.topics.labelled_steps import StepExamples
from shoal.evaluation.topics.overfitting import Overfitting, overfitting_verdict
from shoal.evaluation.topics.overtraining import overtraining
from shoal.evaluation.topics.pareto import front_of
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.evaluation.topics.processes import by_process
from shoal.evaluation.topics.pulls import MeasuredRecord, ReplicaCount
from shoal.evaluation.topics.reconstruction import ReconstructedRows, ReconstructionRecord
from shoal.evaluation.topics.replicas import ReplicaRow, Replicas
from shoal.evaluation.topics.scored_rows import ScoredRows
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.split import SplitRecord
from shoal.evaluation.topics.stream import StreamRecord
from shoal.evaluation.topics.targets import TargetScores
from shoal.evaluation.topics.training import TrainingVerdict
from shoal.evaluation.topics.verdict import Verdict
from shoal.evaluation.topics.working_points import WorkingPoints, working_points
from shoal.networks import Network
from shoal.report.figures import FigureNumbers, figure_numbers
from shoal.results import Interval, Status, Task
from shoal.search.results.importance import HyperparameterImportance
from shoal.search.results.optimism import Optimism
from shoal.statistics.metrics import metrics_for
from shoal.statistics.significance import Yields
from shoal.streams import Stream

ACTIVATIONS = ("relu", "tanh", "gelu", "sigmoid")
OPTIMIZERS = ("adam", "sgd", "rmsprop")


def network_for(inputs: int, outputs: int) -> tuple[Network, list[dict[str, np.ndarray]]]:
    """Return a small network with its first weights."""
    network = Network.parse(f"{inputs} 8:relu {outputs}:softmax" if outputs > 1 else f"{inputs} 8:relu 1")
    return network, network.initialize(Stream(0))


def population(n: int, kept: int, epochs: int, seed: int = 1) -> tuple[tuple[NetworkRow, ...], Curves]:
    """Return so many made-up networks with their curves; one in twelve diverges."""
    rng = np.random.default_rng(seed)
    rate = 10 ** rng.uniform(-4, -1.2, n)
    l2 = np.where(rng.random(n) < 0.3, 0.0, 10 ** rng.uniform(-6, -2, n))
    floor = 0.08 + 0.25 * np.abs(np.log10(rate) + 2.3) / 2 + rng.gamma(2, 0.02, n)
    t = np.arange(1, epochs + 1)
    speed = rate[:, None] * 9
    train = floor[:, None] * 0.6 + np.exp(-speed * t) + rng.normal(0, 0.004, (n, epochs)).cumsum(1).clip(-0.02, 0.02)
    validation = floor[:, None] + 1.05 * np.exp(-speed * t) + 2e-4 * t * speed + rng.normal(0, 0.006, (n, epochs))
    length = rng.integers(max(epochs // 3, 1), epochs + 1, n)
    status = [Status.STOPPED_EARLY if m < epochs else Status.FINISHED for m in length]
    for i in range(n):
        if n > 1 and i % 12 == 7:
            length[i], status[i] = max(epochs // 6, 1), Status.DIVERGED
            validation[i, : length[i]] *= 3.0 ** np.arange(length[i])
        for curve in (train, validation):
            curve[i, length[i] :] = np.nan
    score = np.nanmin(validation, axis=1)
    score[[s is Status.DIVERGED for s in status]] = np.nan
    order = np.argsort(score)[:kept]
    rows = tuple(
        NetworkRow(
            id=i,
            candidate={
                "hidden": [(8,), (16, 16), (32, 16), (64, 64, 32)][i % 4],
                "activation": (ACTIVATIONS[i % 4],),
                "optimizer": OPTIMIZERS[i % 3],
                "learning_rate": float(rate[i]),
                "l2": float(l2[i]),
                "dropout": (0.0, 0.1, 0.2, 0.3)[i % 4],
                "batch_size": 32,
                "epochs": epochs,
                "loss": None,
            },
            status=status[i],
            parameters=int([67, 403, 739, 6627][i % 4]),
            epochs=int(length[i]),
            best_epoch=int(np.nanargmin(validation[i])) + 1,
            train_loss=float(np.nanmin(train[i])),
            validation_loss=float(np.nanmin(validation[i])),
            validation_metric=float(0.99 - score[i] / 5),
            score=float(score[i]),
            kept=i in order,
        )
        for i in range(n)
    )
    metric = np.clip(1.02 - validation / 2.2, 0.2, 1.0)
    return rows, Curves(train, validation, metric, "accuracy")


def with_intervals(task: Task, truth: np.ndarray, prediction: np.ndarray) -> dict[str, Interval]:
    """Return rough but reproducible intervals of all metrics."""
    rng = np.random.default_rng(0)
    weights = rng.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), 200).astype(float)
    scores = {}
    for metric in metrics_for(task):
        low, high = np.nanquantile(metric(truth, prediction, weights), [0.025, 0.975])
        scores[metric.name] = Interval(metric(truth, prediction), float(low), float(high))
    return scores


def make_record(
    *,
    classes: tuple[str, ...] = ("setosa", "versicolor", "virginica"),
    targets: tuple[str, ...] = ("species",),
    features: tuple[str, ...] = (
        "sepal length (cm)",
        "sepal width (cm)",
        "petal length (cm)",
        "petal width (cm)",
    ),
    networks: int = 64,
    kept: int = 8,
    epochs: int = 200,
    test: int = 30,
    weights: bool = False,
    name: str = "iris",
) -> Record:
    """Return the record of a made-up run; without classes it is a regression of the targets."""
    rng = np.random.default_rng(5)
    rows, curves = population(networks, min(kept, networks), epochs)
    task = Task.CLASSIFICATION if classes else Task.REGRESSION
    row_weights = rng.normal(1.0, 0.8, test) if weights else None
    columns_of = classes or targets or ("y",)
    test_rows, predictions = (_class_rows if classes else _value_rows)(rng, test, columns_of, row_weights)
    scores = [with_intervals(task, test_rows.truth, p) for p in predictions]
    if not classes:
        curves = Curves(curves.train_loss, curves.validation_loss, np.sqrt(curves.validation_loss), "rmse")
    simple = ("most_frequent", "logistic_regression") if classes else ("mean", "linear_regression")
    columns = [ColumnRow(f, "number", "feature", i % 3, 20 + i, "0.1", "7.9") for i, f in enumerate(features)]
    columns += [ColumnRow(t, "category" if classes else "number", "target", 0, 3, "", "") for t in targets]
    columns.append(ColumnRow("row number", "identifier", "dropped", 0, 150, "1", "150", "it names each row"))
    task_name = f"{len(classes)}-class classification" if classes else f"regression, {len(targets)} targets"
    network, parameters = network_for(len(features), len(columns_of))
    data = DataRecord(
        name=name,
        source="built in",
        sha256="3b1e" * 16,
        task=task,
        task_name=task_name,
        targets=targets,
        classes=classes,
        feature_names=features,
        columns=tuple(columns),
        notes=("column 'row number' was left out: it names each row",),
        normalization="standard",
        units=units_of_names([*features, *targets]),
    )
    candidates = Candidates(
        rows,
        hyperparameters=(
            HyperparameterImportance("learning_rate", 0.46, " explains 46 % of the variance; around 0.005 is best."),
            HyperparameterImportance("activation", 0.12, " explains 12 %; relu is best."),
            HyperparameterImportance("l2", 0.07, " explains 7 %."),
            HyperparameterImportance("optimizer", 0.03, " explains 3 %."),
        ),
        space=(
            ("hidden", "1 to 3 layers of 8 to 64 units"),
            ("learning_rate", "0.0001 to 0.1, logarithmic"),
        ),
    )
    overfitting = Overfitting(
        "mild",
        "Mild overfitting: at their best epoch the validation loss is 0.11 [0.05, 0.18] above the training loss.",
        "More data or a little more L2 would help.",
        Interval(0.11, 0.05, 0.18),
    )
    sentence = "The ensemble beats the best baseline, logistic regression, by 0.08 [0.01, 0.16] in log-loss."
    opening = (
        "On 30 rows that no network had seen, the ensemble of 8 networks is right in 96.7 % [83 %, 99 %] "
        "of the cases, which is better than every simple baseline."
    )
    provenance = Provenance(
        settings={"networks": networks, "target": list(targets), "data": name},
        command=f"shoal fit {name}",
        seed=0,
        seconds={"total": 9.81, "compile": 3.2, "train": 4.1},
        versions={"shoal": "0.1.0", "numpy": "2.3.1"},
    )
    return Record(provenance, warnings=("1 row is duplicated",)).having(
        data,
        SplitRecord({"train": 96, "validation": 24, "test": test}, "64 / 16 / 20 %, stratified by class, seed 0"),
        candidates,
        curves,
        PartScores({"train": scores[0], "validation": scores[0], "test": scores[0]}),
        BaselineScores(dict(zip((*simple, "gradient_boosting"), scores[1:], strict=True)), Outcome.BETTER, sentence),
        TrainingVerdict("converged", "Training converged: the validation loss was lowest at epoch 150 (0.32)."),
        Guessing(True, Interval(0.6, 0.4, 0.8)),
        overfitting,
        Verdict(opening, opening),
        test_rows,
        BestMember(network, parameters),
        Replicas(),
        ScoredRows(),
        made_up_error_bars(test_rows),
    )


def made_up_error_bars(rows: PredictedTestRows) -> ErrorBars:
    """Return what may be said of the error bars of test rows."""
    common: dict[str, Any] = {"level": 0.95, "how": "the conformal quantile of 71 rows that trained no weight"}
    common |= {"promised": True, "outside": Interval(0.03, 0.005, 0.1, "wilson"), "outside_rows": 1}
    common |= {"outside_rate": 0.01, "parameters": (1.31,)}
    if rows.probabilities is None:
        levels = (0.5, 0.68, 0.9, 0.95)
        held = tuple(Interval(level + 0.01, level - 0.05, min(1.0, level + 0.06), "wilson") for level in levels)
        narrow = tuple(dataclasses.replace(one, value=one.value - 0.1) for one in held)
        common["pit"] = np.random.default_rng(9).uniform(size=rows.truth.shape)
        common["crps"] = {f"target {i}": Interval(0.3, 0.2, 0.4) for i in range(rows.truth.shape[1])}
        return ErrorBars(calibration="scaling", reason="scaled", levels=levels, before=narrow, after=held, **common)
    both = BeforeAfter(Interval(0.08, 0.05, 0.1, "basic bootstrap"), Interval(0.03, 0.0, 0.05, "basic bootstrap"))
    scores = {name: {"validation": both, "test": both} for name in ("calibration_error", "log_loss")}
    raw = np.sqrt(rows.probabilities)
    return ErrorBars(
        calibration="temperature",
        reason="it lowers the loss",
        scores=scores,
        set_size=1.1,
        disagreement=0.12,
        raw=raw / raw.sum(axis=1, keepdims=True),
        **common,
    )


def _class_rows(rng: Any, n: int, classes: Any, weights: Any) -> tuple[PredictedTestRows, list[np.ndarray]]:
    k = len(classes)
    truth = np.arange(n) % k
    predictions = []
    for sharpness in (4.0, 0.0, 3.0, 2.5):
        z = rng.normal(size=(n, k)) + sharpness * np.eye(k)[truth]
        predictions.append(np.exp(z) / np.exp(z).sum(1, keepdims=True))
    return PredictedTestRows(truth, weights, probabilities=predictions[0]), predictions


def _value_rows(rng: Any, n: int, targets: Any, weights: Any) -> tuple[PredictedTestRows, list[np.ndarray]]:
    k = len(targets)
    truth = rng.normal(150, 60, (n, k)) * 10.0 ** (-3 * np.arange(k))
    scale = truth.std(0)
    std = scale * rng.uniform(0.2, 0.5, (n, k))
    mean = truth + rng.normal(size=(n, k)) * std
    others = [truth + rng.normal(size=(n, k)) * scale * s for s in (1.0, 0.5, 0.4)]
    rows = PredictedTestRows(
        truth,
        weights,
        mean=mean,
        std=std,
        low=mean - 1.96 * std,
        high=mean + 1.96 * std,
        coverage=Interval(0.94, 0.88, 0.97, "wilson"),
    )
    return rows, [mean, *others]


def folded(record: Record, cv: int | None, repeats: int) -> Record:
    """Return a record whose networks are taken as candidates × repeats × folds, the first two candidates kept."""
    each = (cv or 1) * repeats
    networks = tuple(
        dataclasses.replace(
            n,
            candidate=record[Candidates].networks[n.id // each].candidate,
            candidate_id=n.id // each,
            repeat=n.id % each // (cv or 1),
            fold=None if cv is None else n.id % cv,
            score=1.0 + n.id // each + 0.1 * (n.id % each),
            status=Status.FINISHED,
            kept=n.id < 2 * each,
        )
        for n in record[Candidates].networks
    )
    rows = {"train": 120, "validation": 0, "test": 30}
    return record.having(
        dataclasses.replace(record[Candidates], networks=networks, networks_each=each),
        dataclasses.replace(record[SplitRecord], rows=rows, cv=cv, repeats=repeats),
    )


def with_knobs(record: Record) -> Record:
    """Return a record with hyperparameters that the user named: alone, with a value that diverged, and not alone."""
    rates = (1e-3, 1e-4, 1e-2, 0.1, 1.0)
    scores = (0.3, 0.9, 0.2, 0.25, float("inf"))
    alone = [
        TriedValue(v, i, s, 0.05 if s < 1 else float("nan"), s > 0.8)
        for i, (v, s) in enumerate(zip(rates, scores, strict=True))
    ]
    names = ("relu", "tanh", "leaky_relu", "hard_sigmoid", "gelu", "sigmoid")
    words = [TriedValue([name], i, 0.3 + 0.01 * i, 0.02) for i, name in enumerate(names)]
    many = [TriedValue(0.9 * (i % 30) / 30, i, 0.3 + (i % 7) ** 3 / 50, 0.03) for i in range(60)]
    rate, activation = TriedKnob("learning_rate", tuple(alone), True), TriedKnob("activation", tuple(words), True)
    return record.having(Knobs((rate, activation, TriedKnob("dropout", tuple(many), False)), 10, True))


def in_parts(record: Record) -> Record:
    """Return a record whose rows do not fit into memory."""
    rows, drawn = {"train": 800, "validation": 40, "test": 200}, {"train": 100, "validation": 40, "test": 30}
    return record.having(StreamRecord(rows, drawn, 100, 8, 2.5, "1 file with 1 row group in all. <b>Mend</b> it."))


def counted(record: Record, optimism: Optimism) -> Record:
    """Return a record whose best candidate flatters by so much, with the front that its noise makes."""
    front = front_of(record[Candidates], optimism.noise)
    return record.having(optimism, *([] if front is None else [front]))


def with_images(record: Record, shape: tuple[int, int, int] = (8, 8, 1), **changes: Any) -> Record:
    """Return a record of images with made-up filters and maps."""
    rng = np.random.default_rng(3)
    few = min(12, len(record[PredictedTestRows].truth))
    height, width, channels = shape
    signals = SignalRecord(
        kind="images",
        channels=("red", "green", "blue") if channels == 3 else tuple(f"band {i}" for i in range(channels)),
        shape=shape,
        number_type="uint8",
        rows=np.arange(few),
        values=rng.integers(0, 17, (few, *shape)).astype(np.uint8),
        filters=rng.normal(size=(16, 3, 3, channels)),
        maps=(("conv2d", rng.normal(size=(height, width, 16))), ("max_pooling2d", rng.random((height // 2, 4, 16)))),
        saliency=rng.random((few, *shape)),
    )
    return record.having(dataclasses.replace(signals, **changes))


def with_reconstruction(record: Record, shape: tuple[int, ...] = (4,), **changes: Any) -> Record:
    """Return a record of autoencoders with made-up codes and scores; rows of a table where the shape has one axis."""
    rng = np.random.default_rng(6)
    rows = len(record[PredictedTestRows].truth)
    scores = rng.gamma(2.0, 0.02, rows)
    order = np.argsort(scores)
    kind = {1: "table", 2: "series", 3: "images"}[len(shape)]

    def some(which: np.ndarray) -> ReconstructedRows:
        truth = rng.normal(size=(len(which), *shape))
        return ReconstructedRows(which, truth, truth + 0.2 * rng.normal(size=truth.shape))

    found = ReconstructionRecord(
        kind=kind,
        names=record[DataRecord].feature_names if kind == "table" else ("grey",),
        bottleneck=2,
        sizes=((1, 0.4), (2, 0.11), (3, 0.106)),
        codes=rng.normal(size=(rows, 2)),
        plane=rng.normal(size=(rows, 2)),
        plane_shares=(0.7, 0.3),
        label_name="<b>kind</b>",
        labels=np.asarray(["<i>", "b"])[np.arange(rows) % 2],
        scores=scores,
        threshold=0.12,
        false_alarm_rate=0.01,
        alarms=Interval(0.01, 0.003, 0.03, "wilson"),
        usual=some(order[:: max(1, rows // 12)][:12]),
        strangest=some(order[::-1][:12]),
        row_numbers=np.arange(1, rows + 1),
        noise=np.full(int(np.prod(shape)), 0.2),
    )
    truth = rng.normal(size=(rows, 5))
    scores_of = with_intervals(Task.RECONSTRUCTION, truth, truth + 0.3 * rng.normal(size=truth.shape))
    network, parameters = network_for(len(record[DataRecord].feature_names), len(record[DataRecord].feature_names))
    data = dataclasses.replace(record[DataRecord], task=Task.RECONSTRUCTION, task_name="reconstruction")
    return record.without(ErrorBars).having(
        data,
        BestMember(network, parameters),
        PartScores(dict.fromkeys(record[PartScores].parts, scores_of)),
        dataclasses.replace(record[BaselineScores], scores={"mean": scores_of, "pca": scores_of}),
        PredictedTestRows(truth[:, :0]),
        dataclasses.replace(found, **changes),
    )


def with_series(record: Record, steps: int = 48, channels: int = 2, **changes: Any) -> Record:
    """Return a record of series of different lengths with made-up states."""
    rng = np.random.default_rng(4)
    few = min(12, len(record[PredictedTestRows].truth))
    signals = SignalRecord(
        kind="series",
        channels=tuple(f"lead {i + 1}" for i in range(channels)),
        shape=(steps, channels),
        number_type="float64",
        rows=np.arange(few),
        values=rng.normal(size=(few, steps, channels)).cumsum(axis=1),
        lengths=np.linspace(steps // 2, steps, few).astype(int),
        saliency=rng.random((few, steps, channels)),
        states=(("lstm", np.tanh(rng.normal(size=(steps, 32)))), ("gru", rng.normal(size=(steps // 4, 4)))),
    )
    return record.having(dataclasses.replace(signals, **changes))


def with_forecast(record: Record) -> Record:
    """Return a record of windows whose last rows are a forecast by day."""
    rows = np.arange(len(record[PredictedTestRows].truth))[-150:]
    forecast = ForecastRows(rows, 18_000.0 + rows, np.roll(record[PredictedTestRows].truth[rows, 0], 1))
    day = ColumnRow("day", "date", "time", 0, len(rows), "2019-04-14", "2019-11-02")
    data = dataclasses.replace(record[DataRecord], columns=(*record[DataRecord].columns, day))
    return with_series(record.having(data, forecast), channels=1, lengths=None)


def with_labelled_steps(record: Record, steps: int = 40) -> Record:
    """Return a record of series whose steps have targets, the second half of each series without."""
    rng, few = np.random.default_rng(5), min(12, len(record[PredictedTestRows].truth))
    classes = len(record[DataRecord].classes)
    truth = (rng.integers(0, classes, (few, steps)) if classes else rng.normal(size=(few, steps))).astype(float)
    said = np.where(rng.random((few, steps)) < 0.8, truth, truth[:, ::-1])
    truth[:, steps // 2 :] = said[:, steps // 2 :] = np.nan
    bands = (None, None) if classes else (said - 1.0, said + 1.0)
    examples = StepExamples(truth, said, rng.random(few), *bands)
    series = np.arange(len(record[PredictedTestRows].truth)) // 7
    rows = dataclasses.replace(record[PredictedTestRows], series=series)
    return with_series(record.having(rows, examples), steps, saliency=None)


def with_overtraining(record: Record) -> Record:
    """Return a record of two classes with the scores of made-up training rows and a label-shuffle baseline."""
    rng = np.random.default_rng(8)
    rows, test = 400, record[PredictedTestRows]
    truth = np.arange(rows) % 2
    p = 1 / (1 + np.exp(-3 * (truth - 0.5) - rng.normal(size=rows)))
    train = truth, np.column_stack([1 - p, p]), None if test.weights is None else rng.normal(1.0, 0.8, rows)
    shuffled = Shuffled(Interval(0.51, 0.44, 0.57), Interval(0.55, 0.52, 0.58), (400, 50), 20)
    verdict = overfitting_verdict(Interval(0.4, 0.35, 0.45), Interval(0.42, 0.36, 0.48), 0.69)
    assert test.probabilities is not None
    parts = train, (test.truth, test.probabilities, test.weights)
    epochs = np.array([2, 9]), np.array([20, 9])
    return record.having(
        overtraining(record[DataRecord].classes, *parts, verdict, epochs, shuffled),
        select(scored_events(1), scored_events(2), Yields(30.0, 400.0, 0.1)),
        WorkingPoints("s", working_points(scored_events(1), scored_events(2))),
        by_process("<i>process</i>", ("<b>W", "a process with a long name", "tt") * 100, scored_events(2), None, 0.5),
    )


def scored_events(seed: int) -> Events:
    """Return made-up scores of signal and background, some with negative weights."""
    rng = np.random.default_rng(seed)
    signal = np.arange(300) % 3 == 0
    score = 1 / (1 + np.exp(-3 * (signal - 0.5) - rng.normal(size=300)))
    return Events(score, signal, np.where(rng.random(300) < 0.1, -1.0, 1.0))


def with_importance(record: Record) -> Record:
    """Return a record with a made-up importance of its columns, two of which go together."""
    names = record[DataRecord].feature_names[:4]

    def of(columns: tuple[str, ...], value: float) -> Importance:
        scores = {
            name: Estimate(value * scale, 0.05, 0.02, 0.01) for name, scale in (("log_loss", 1.0), ("accuracy", 0.3))
        }
        return Importance(columns, scores)

    groups = of(names[:2], 1.3), of(names[2:3], 0.4), of(names[3:4], -0.01)
    alone = of(names[:1], 0.5), of(names[1:2], 0.2)
    score, told = {"log_loss": 0.1, "accuracy": 0.95}, (120, 5, "validation rows", 0.7, np.eye(4), names)
    return record.having(ImportanceTable(groups, alone, score, *told))


def with_measured_errors(record: Record) -> Record:
    """Return a record of numbers whose errors were measured, with two draws of replicas."""
    pulls = {name: ChiSquare(80.0, 81.0, 0.48, 0.01, 0.1, 1.02, 0.08) for name in record[DataRecord].targets}
    scatter = {name: Interval(0.0, 0.0, 0.1, "likelihood") for name in pulls}
    columns = tuple(f"{name} error" for name in pulls)
    text = f"The scatter of {' and '.join(pulls)} about the networks agrees with its measured errors."
    parts = {"test": pulls, "validation": pulls}
    measured = MeasuredRecord(columns, parts, scatter, text, ReplicaCount(2, 2, 4, 1))
    rows = tuple(ReplicaRow(i, i % 2, i // 2, Status.FINISHED, 9, 7, 0.1, 0.2, i < 3) for i in range(4))
    return record.having(measured, Replicas(rows))


@pytest.fixture(scope="session")
def folded_record_of() -> Callable[..., Record]:
    """The maker of made-up records with folds or repeats."""
    return lambda cv, repeats, **options: folded(make_record(**options), cv, repeats)


@pytest.fixture(scope="session")
def record_of() -> Callable[..., Record]:
    """The maker of made-up records."""
    return make_record


@pytest.fixture(scope="session")
def cases() -> dict[str, Record]:
    """One record of each kind that a page must bear."""
    return make_cases()


@pytest.fixture(scope="session")
def looks() -> Any:
    """What tests look for in figures, the functions of `looks.py` beside this file."""
    spec = importlib.util.spec_from_file_location("looks", Path(__file__).with_name("looks.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def every_figure(cases: dict[str, Record]) -> dict[tuple[str, str], FigureNumbers]:
    """Every figure from one or two records that have it, by record and name; the most demanding records come first."""
    first = ("hostile", "many_classes", "regression", "long_names", "sizes", "folds")
    found: dict[tuple[str, str], FigureNumbers] = {}
    for case in [*first, *(name for name in cases if name not in first)]:
        for name, figure in figure_numbers(cases[case]).items():
            if sum(other == name for _, other in found) < 2:
                found[case, name] = figure
    return found


def with_targets(record: Record, names: tuple[str, ...]) -> Record:
    """Return the run of several targets, each of which has this record."""
    half = Interval(0.5, 0.4, 0.6)
    scores = {"subset_accuracy": half, "hamming_loss": half, "f1_macro": half}
    several = TargetScores(
        {"validation": scores, "test": scores}, (half,) * len(names), dict.fromkeys(names, record), "So."
    )
    kept = [topic.record for topic in topics().values() if topic.of_any_run and topic.record in record.topics]
    return Record(record.provenance, {kind: record[kind] for kind in kept}, record.warnings).having(several)


def make_cases() -> dict[str, Record]:
    """Return the records by name."""
    long = tuple(f"{'Trichoglossus haematodus var. ' if i % 2 else 'class '}{i:02d}" for i in range(30))
    return {
        "iris": make_record(),
        "regression": make_record(
            classes=(), targets=("density (kg/m³)", "magnetisation (A/m)"), test=120, name="phase"
        ),
        "single": in_parts(make_record(networks=1, kept=1, classes=("no", "yes"), epochs=200)),
        "thousand": make_record(networks=1000, kept=8, epochs=300, classes=(), targets=("y",), test=5000, name="big"),
        "many_classes": make_record(
            classes=long, test=600, features=tuple(f"pixel {i}" for i in range(64)), name="birds"
        ),
        "images": with_images(make_record(networks=4, epochs=20)),
        "long_names": with_images(make_record(classes=long[:2], networks=4, epochs=20), (40, 30, 3)),
        "sizes": with_images(make_record(classes=(), targets=("mass", "spin"), networks=4, epochs=20), (6, 90, 5)),
        "autoencoder": with_reconstruction(make_record(classes=(), targets=(), test=200, networks=4, epochs=20)),
        "image_autoencoder": with_reconstruction(
            make_record(classes=(), targets=(), test=200, networks=4, epochs=20), (12, 12, 1), labels=np.arange(200.0)
        ),
        "series_autoencoder": with_reconstruction(
            make_record(classes=(), targets=(), networks=4, epochs=20), (30, 2), labels=None, label_name=""
        ),
        "series": with_series(make_record(classes=("rest", "walk"), networks=4, epochs=20)),
        "forecast": with_forecast(make_record(classes=(), targets=("level",), test=200, networks=4, epochs=20)),
        "labelled": with_labelled_steps(make_record(classes=("rest", "walk", "run"), networks=4, epochs=20)),
        "tracked": with_labelled_steps(make_record(classes=(), targets=("level",), networks=4, epochs=20)),
        "measured": with_measured_errors(
            make_record(classes=(), targets=("<b>mass</b> (kg)", "speed"), networks=4, epochs=20)
        ),
        "events": with_importance(
            with_overtraining(
                counted(
                    make_record(networks=4, epochs=20, classes=("<b>b", "s"), test=200, weights=True),
                    Optimism(4, 0.1, 0.05, Interval(0.03, 0.01, 0.06)),
                )
            )
        ),
        "targets": with_targets(make_record(classes=("no", "yes"), networks=4, epochs=20), ("a/b", "<b>rain")),
        "folds": with_knobs(folded(make_record(networks=60, kept=20), 5, 2)),
        "hostile": with_importance(
            make_record(
                classes=("<script>alert(1)</script>", 'a & b "c"', "$x^2$ \x07 'd'"),
                targets=("</style><b>",),
                features=("<img src=x onerror=alert(1)>", "$\\frac{1}$", "{{ 7*7 }}", "url(http://a.b)"),
                name="<script>x</script>",
                weights=True,
            )
        ),
    }
