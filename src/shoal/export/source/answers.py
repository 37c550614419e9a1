"""What a predictor does with one row, as programs: from the columns as they are to answers with error bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.data import Preparation
from shoal.data.encoders import BooleanEncoder, CategoryEncoder, NumberEncoder
from shoal.data.feature_scaling import Quantile, Robust, Standard
from shoal.data.signals import PADDED
from shoal.errors import ExportError
from shoal.export.source.operations import Buffer, FoldsEnd, Program, View
from shoal.export.source.symbols import Symbol, contiguous, elementwise, interpolated, joined, nearest, reduced
from shoal.export.source.tracing import tracing_namespace
from shoal.networks import Network
from shoal.prediction.calibration import TINY, Calibration
from shoal.prediction.conformal import BISECTIONS, Conformal, _reached
from shoal.prediction.ensemble import EnsembleMember
from shoal.prediction.predictor import Predictor
from shoal.results import Task
from shoal.statistics.bootstrap import normal_quantile
from shoal.training.heads import FLOOR, NORMAL_LEVELS, GaussianHead, PoissonHead, QuantileHead

LARGEST = 1e30
SINGLE = 1e-6
"""An input is read in double precision where single precision would move a prepared feature by more."""


@dataclass(frozen=True)
class InputColumn:
    """A number of the array of inputs: what it is called, what kind it is, and the categories that have codes."""

    name: str
    kind: str
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Programs:
    """The programs of a predictor, and what they read and say.

    Attributes:
        predict: with the outputs.
        outside: tells whether a row lies outside the region of the training rows; None where no region is known.
        columns: of the inputs; none where rows are images or series.
        shape: of one row of the inputs.
        classes, targets: of the predictor.
        shapes: of the outputs for one row.
        notes: what the programs leave out, in sentences.
    """

    predict: Program
    outside: Program | None
    columns: tuple[InputColumn, ...]
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    targets: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    notes: tuple[str, ...]


def answers_of(predictor: Predictor) -> Programs:
    """Return a predictor as programs.

    Raises:
        ExportError: the predictor holds something that they cannot say.
    """
    check(predictor)
    preparation = predictor.preparation
    program, features = _prepared(preparation)
    said = _predicted(predictor, features)
    program.outputs = {name: symbol.view for name, symbol in said.items()}
    program.finish()
    outside = None
    if predictor.region is not None:
        outside, x = _prepared(preparation)
        region = predictor.region
        distance = nearest(((x - region.centre) / region.scale)[0], region.rows, region.neighbours)
        outside.outputs = {"outside": (distance > max(region.threshold, 1e-6)).view}
        outside.finish()
    signals = preparation.signals
    columns = () if signals else tuple(map(_column, preparation.encoders))
    shape = signals.shape if signals else (len(columns),)
    shapes = {name: symbol.shape[1:] for name, symbol in said.items()}
    named = preparation.classes, preparation.targets
    return Programs(program, outside, columns, tuple(shape), *named, shapes, tuple(_notes(predictor)))


def network_answers(network: Network, parameters: Any, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Programs:
    """Return one network alone as a program: numbers as they are in, outputs as they are out, as `action`.

    Raises:
        ExportError: a layer that programs cannot say.
    """
    buffer = Buffer(len(inputs), name="x")
    program = Program(buffer)
    x = Symbol(program, buffer, np.arange(len(inputs))[None])
    said = contiguous(network.apply(parameters, x, xp=tracing_namespace))
    program.outputs = {"action": said.view}
    program.finish()
    columns = tuple(InputColumn(name, "number") for name in inputs)
    return Programs(program, None, columns, (len(inputs),), (), outputs, {"action": said.shape[1:]}, ())


def check(predictor: Predictor) -> None:
    """Check that source code can say all of a predictor.

    Raises:
        ExportError: it cannot; nothing was written.
    """
    if predictor.head.name not in ("value", "gaussian", "quantiles", "poisson"):
        raise ExportError(
            f"no format says the outputs of the loss whose head is {predictor.head.name!r} yet: "
            f"its covariance needs the inverse of a matrix. Fit with gaussian_nll to export"
        )


def _notes(predictor: Predictor) -> list[str]:
    notes = []
    if predictor.preparation.signals is not None and predictor.preparation.signals.padded:
        notes.append("A series that is shorter than others is filled up with NaN behind its end.")
    if predictor.conformal is not None and predictor.conformal.by_group:
        notes.append("Intervals and sets are those of a row of no known group.")
    if predictor.measured is not None:
        notes.append("The errors of measured targets are not added to the standard deviation.")
    if predictor.input_noise is not None:
        notes.append("The errors of the inputs count as in the rows by which error bars were measured.")
    return notes


def _column(encoder: Any) -> InputColumn:
    if isinstance(encoder, CategoryEncoder):
        return InputColumn(encoder.column, "category", encoder.levels)
    if isinstance(encoder, BooleanEncoder):
        return InputColumn(encoder.column, "truth")
    return InputColumn(encoder.column, "date" if encoder.dates else "number")


def _prepared(preparation: Preparation) -> tuple[Program, Any]:
    """Return a program that prepares a row, and the symbol of what networks see."""
    if preparation.signals is not None:
        return _signals(preparation.signals)
    encoders = preparation.encoders
    buffer = Buffer(len(encoders), double=any(map(needs_double, encoders)), name="x")
    program = Program(buffer)
    x = Symbol(program, buffer, np.arange(len(encoders))[None])
    parts = [_encoded(encoder, x[:, [j]]) for j, encoder in enumerate(encoders)]
    numbers = [j for j, encoder in enumerate(encoders) if not isinstance(encoder, CategoryEncoder)]
    if numbers:  # together: one loop for all of them
        scaled = _numbers([encoders[j] for j in numbers], x[:, numbers])
        for place, j in enumerate(numbers):
            marker = [parts[j]] if parts[j] is not None else []
            parts[j] = joined([scaled[:, [place]], *marker]) if marker else scaled[:, [place]]
    if len(numbers) == len(encoders) and not any(encoder.marker for encoder in encoders):
        return program, scaled
    return program, joined(parts)


def needs_double(encoder: Any) -> bool:
    """Return whether single precision would lose digits of a column that count."""
    if not isinstance(encoder, NumberEncoder) or not isinstance(encoder.normalization, (Standard, Robust, Quantile)):
        return False
    way = encoder.normalization
    if isinstance(way, Quantile):
        ends, scale = way.quantiles, (way.quantiles[-1] - way.quantiles[0]) / 6.0 or 1.0
    else:
        ends, scale = (encoder.low or 0.0, encoder.high or 0.0, way.inverse(np.zeros(1)).item()), way.scale
    return max(map(abs, ends)) * 2.0**-24 > SINGLE * scale


def _encoded(encoder: Any, x: Symbol) -> Any:
    """Return the features of a category, or the marker of what misses of a number, or None."""
    missing = elementwise("isnan", x) if encoder.marker else None
    if not isinstance(encoder, CategoryEncoder):
        return missing
    parts = [x == np.arange(len(encoder.levels))[None]] if encoder.levels else []
    if encoder.rare:
        parts.append(x == -1.0)
    return joined([*parts, missing] if missing is not None else parts)


def _numbers(encoders: list[Any], x: Symbol) -> Symbol:
    """Return numbers and truth values with what is missing filled in, scaled."""
    fill = np.asarray([encoder.fill for encoder in encoders])
    ways = [getattr(encoder, "normalization", None) for encoder in encoders]
    robust = np.asarray([isinstance(way, Robust) for way in ways])
    shift, scale = np.zeros(len(ways)), np.ones(len(ways))
    for j, way in enumerate(ways):
        if isinstance(way, (Standard, Robust)):
            shift[j], scale[j] = way.inverse(np.zeros(1)).item(), way.scale
        elif isinstance(way, Quantile):
            shift[j] = way.quantiles[len(way.quantiles) // 2]
    filled = elementwise("where", elementwise("isnan", x), fill[None], x)
    scaled = elementwise("cast", (filled - shift) / scale)
    scaled = elementwise("max", elementwise("min", scaled, LARGEST), -LARGEST)
    if robust.any():
        within = elementwise("max", elementwise("min", scaled, 1e15), -1e15)
        drawn = within / elementwise("sqrt", 1.0 + within * within * (1.0 / 9.0))
        scaled = drawn if robust.all() else elementwise("where", robust[None], drawn, scaled)
    if not any(isinstance(way, Quantile) for way in ways):
        return scaled
    each = [
        interpolated(scaled[:, [j]], np.asarray(way.quantiles) - shift[j], np.asarray(way.scores))
        if isinstance(way, Quantile) else scaled[:, [j]]
        for j, way in enumerate(ways)
    ]  # fmt: skip
    return joined(each)


def _signals(signals: Any) -> tuple[Program, Any]:
    shape = tuple(signals.shape)
    buffer = Buffer(int(np.prod(shape)), name="x")
    program = Program(buffer)
    x: Any = Symbol(program, buffer, np.arange(buffer.size).reshape(1, *shape))
    if signals.kind == "images":
        return program, x
    scaled = (x - np.asarray(signals.mean)) / np.asarray(signals.scale)
    if signals.padded:
        behind = reduced("max", elementwise("isnan", x), -1, keepdims=True)
        scaled = elementwise("where", behind, PADDED, scaled)
    return program, scaled


def _predicted(predictor: Predictor, x: Any) -> dict[str, Symbol]:
    def output_of(member: EnsembleMember) -> Symbol:
        return contiguous(member.network.apply(member.parameters, x, xp=tracing_namespace))

    outputs = x.program.each(predictor.members, output_of)
    if predictor.preparation.task is Task.CLASSIFICATION:
        return _classes(predictor, outputs)
    if predictor.preparation.task is Task.RECONSTRUCTION:
        return _reconstructed(predictor, x, outputs)
    return _values(predictor, outputs)


def _mean(values: list[Any]) -> Any:
    return elementwise("sum", *values) * (1.0 / len(values)) if len(values) > 1 else values[0]


def _spread(values: list[Any]) -> Any:
    mean = _mean(values)
    squares = mean.program.each(values, lambda value: (value - mean) * (value - mean))
    return elementwise("sqrt", _mean(squares))


def _classes(predictor: Predictor, outputs: list[Symbol]) -> dict[str, Symbol]:
    each = outputs[0].program.each(outputs, _to_probabilities)
    probabilities = _calibrated(predictor.calibration, _mean(each))
    said = {"probabilities": probabilities, "probability_std": _spread(each)}
    if predictor.conformal is not None:
        best = reduced("max", probabilities, -1, keepdims=True)
        least = 1.0 - float(predictor.conformal.quantile[0]) - 1e-12
        said["set"] = (probabilities >= least) | (probabilities >= best)
    return said


def _to_probabilities(output: Symbol) -> Symbol:
    if output.shape[-1] == 1:
        return joined([1.0 - output, output])
    positive = elementwise("max", output, 1e-12)
    return positive / reduced("sum", positive, -1, keepdims=True)


def _calibrated(calibration: Calibration, probabilities: Any) -> Any:
    if calibration.method == "none":
        return probabilities
    if calibration.method == "temperature":
        logits = elementwise("log", elementwise("max", probabilities, TINY)) * (1.0 / calibration.temperature)
        risen = elementwise("exp", logits - reduced("max", logits, -1, keepdims=True))
    else:
        curves = [
            interpolated(probabilities[..., [k]], *np.asarray(curve).T) for k, curve in enumerate(calibration.curves)
        ]
        risen = elementwise("max", joined(curves), TINY)
    return risen / reduced("sum", risen, -1, keepdims=True)


def _described(predictor: Predictor, output: Any) -> tuple[Any, Any, Any]:
    """Return mean, variance and the outermost quantiles, or None, in scaled units."""
    head, targets = predictor.head, len(predictor.preparation.targets)
    if isinstance(head, GaussianHead):
        variance = elementwise("exp", 2.0 * output[..., targets:]) + FLOOR
        return output[..., :targets], variance, None
    if isinstance(head, QuantileHead):
        index = output.index.reshape(*output.shape[:-1], len(head.levels), targets)
        ordered = tracing_namespace.sort(output.at(np.swapaxes(index, -1, -2)))
        low, high = (ordered[..., head.levels.index(level)] for level in NORMAL_LEVELS)
        half = 0.5 * (high - low)
        return ordered[..., head.levels.index(0.5)], half * half, (ordered[..., 0], ordered[..., -1])
    return output, elementwise("max", output, 0.0) if isinstance(head, PoissonHead) else None, None


def _values(predictor: Predictor, outputs: list[Symbol]) -> dict[str, Symbol]:
    preparation = predictor.preparation
    shift, scale = preparation.target_mean, preparation.target_scale
    described = outputs[0].program.each(outputs, lambda output: _described(predictor, output))
    folds = [member.fold for member in predictor.members]
    everyone = _averages(predictor, described)
    within = [
        _spread([d[0] for d, f in zip(described, folds, strict=True) if f == fold]) for fold in dict.fromkeys(folds)
    ]
    spread = within[0] if len(within) == 1 else elementwise("sqrt", _mean([each * each for each in within]))
    mean, below, above, std = _sides(predictor, everyone, spread)
    conformal = predictor.conformal
    if conformal is not None and conformal.folds:
        low, high = _ends_by_fold(predictor, conformal, described)
    else:
        half = predictor.quantile if conformal is None else conformal.quantile
        low, high = mean - half * below, mean + half * above
    low, high, mean = (shift + scale * end for end in (low, high, mean))
    if predictor.head.counts:
        low = elementwise("max", low, 0.0)
    return {"mean": mean, "std": scale * std, "low": low, "high": high}


def _averages(predictor: Predictor, described: list[tuple[Any, Any, Any]]) -> tuple[Any, Any, Any]:
    """Return the means of mean, variance and both outermost quantiles."""
    variance: Any = None if described[0][1] is None else _mean([each[1] for each in described])
    if isinstance(predictor.head, PoissonHead):  # of counts in units of their mean
        variance = variance * (1.0 / predictor.preparation.target_scale)
    quantiles = None
    if described[0][2] is not None:
        quantiles = tuple(_mean([each[2][end] for each in described]) for end in (0, 1))
    return _mean([each[0] for each in described]), variance, quantiles


def _sides(predictor: Predictor, averages: tuple[Any, Any, Any], spread: Any) -> tuple[Any, Any, Any, Any]:
    """Return the mean, the deviations below and above it, and that of both sides, in scaled units."""
    mean, variance, quantiles = averages
    noise, share = predictor.input_noise, np.ones(())
    scale = predictor.preparation.target_scale
    constant = np.asarray(predictor.noise / scale) ** 2
    if noise is not None:
        constant = constant + np.asarray(noise.share) * (np.asarray(noise.typical) / scale) ** 2
        share = np.asarray(noise.learned_share)
    factor = 1.0 if predictor.scale is None else predictor.scale

    def together(learned: Any) -> Any:
        square = spread * spread + constant
        return factor * elementwise("sqrt", square if learned is None else square + learned)

    std = together(None if variance is None else share * variance)
    if quantiles is None or not isinstance(predictor.head, QuantileHead):
        return mean, std, std, std
    reach = normal_quantile(predictor.head.levels[-1] - predictor.head.levels[0])
    away = [(end - mean) * (1.0 / reach) for end in quantiles]
    return mean, *(together(share * each * each) for each in away), std


def _ends_by_fold(predictor: Predictor, conformal: Conformal, described: list[Any]) -> tuple[Any, Any]:
    """Return both ends of the interval by CV+, in scaled units."""
    parts = []
    for part in conformal.folds:
        of_part = [
            each for each, member in zip(described, predictor.members, strict=True)
            if (member.fold, member.repeat) == (part.fold, part.repeat)
        ]  # fmt: skip
        parts.append(_sides(predictor, _averages(predictor, of_part), _spread([each[0] for each in of_part])))
    mean, below, above = (joined([part[i] for part in parts], 0) for i in range(3))
    low = [-_folds_end(conformal, -mean, below, i) for i in range(mean.shape[-1])]
    high = [_folds_end(conformal, mean, above, i) for i in range(mean.shape[-1])]
    shape = parts[0][0].shape
    first, second = (end.at(end.index.reshape(shape)) for end in (joined(low), joined(high)))
    return first, second


def _folds_end(conformal: Conformal, means: Any, stds: Any, target: int) -> Any:
    if means.ndim != 2:
        raise ExportError("source code cannot say intervals by CV+ of series that have a target at each step")
    scores = np.concatenate([part.scores[:, target] for part in conformal.folds])
    increments = np.concatenate([np.diff(part.mass[:, target], prepend=0.0) for part in conformal.folds])
    masses = np.concatenate([part.mass[:, target] for part in conformal.folds])
    starts = np.cumsum([0, *(len(part.scores) for part in conformal.folds)])
    program = means.program
    tables = [View(program.constant(table), np.arange(len(table))) for table in (scores, masses)]
    out = Buffer(1)
    columns = [contiguous(each[:, target]) for each in (means, stds)]
    program.operations.append(
        FoldsEnd(
            View(out, np.zeros(1, int)),
            (*(column.view for column in columns), *tables),
            tuple(starts.tolist()),
            _reached(scores, increments, conformal.share),
            conformal.share * (1 - 1e-6),
            BISECTIONS,
        )
    )
    return Symbol(program, out, np.zeros(1, int))


def _reconstructed(predictor: Predictor, x: Any, outputs: list[Symbol]) -> dict[str, Symbol]:
    signals = predictor.preparation.signals
    truth = x
    if signals is not None and signals.kind == "images":
        truth = (x - np.asarray(signals.mean, np.float32)) / np.asarray(signals.scale, np.float32)
    size = truth.index.size
    truth = truth.at(truth.index.reshape(1, size))
    each = [output.at(output.index.reshape(1, size)) for output in outputs]
    score = _mean(truth.program.each(each, lambda e: reduced("sum", (e - truth) * (e - truth), -1) * (1.0 / size)))
    said = {"reconstruction": each[0], "score": score}
    if predictor.alarm is not None:
        said["anomaly"] = score > predictor.alarm.threshold
    return said
