"""Tables whose rows do not fit into memory: a sample stands for them in all but training, which reads them in parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Dataset, Preparation, Split, load_dataset
from shoal.data.encoders import NumberEncoder
from shoal.data.feature_scaling import Standard
from shoal.data.new_rows import refined_as_fitted
from shoal.data.raw import Raw
from shoal.data.readers.files import name_of
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.reading import signal_reader
from shoal.data.readers.room import free_room
from shoal.data.readers.several import files_named
from shoal.data.roles import Roles
from shoal.data.stream.dealing import PARTS, TEST, TRAIN, VALIDATION, Dealing
from shoal.data.stream.pieces import FORMATS, Pieces, open_pieces
from shoal.data.stream.rows import RowStream, draw
from shoal.data.targets import check_classes_known
from shoal.errors import DataError, SettingError
from shoal.resources import keep_small, memory_text, parse_memory, resident
from shoal.results import Task
from shoal.settings import FitSettings
from shoal.steps.weighting import TeachingWeights
from shoal.training.encodings import PLAIN
from shoal.training.parts import Part, RowsInParts
from shoal.training.problem import Problem, encode_target

COPIES = 5.0
"""Bytes of memory that a table takes while it is read, prepared and learned, for each byte of its rows; measured."""
LIBRARIES, XLA = 430_000_000, 650_000_000
"""Bytes of libraries and of what does not grow with the rows, and how many more the XLA engine takes. Measured as the
most that fits of 16 networks took (VmHWM), less their parts: 414 MB, and 626 MB more with the programs of XLA."""
OF_A_COLUMN = 1_000_000  # bytes while it is decoded, however many rows; 0.65 to 0.95 million measured with 400 columns
TO_COME = 290_000_000  # of these, once files are opened: of training, baselines and figures; 260 million measured
MOST_COMPRESSED = 50.0  # a file below this part of the memory is not looked at
BYTES_OF_A_VALUE = 130  # for each column of a row of a part: sample, buffer, parts; 86 measured with parts of 131,072
ENCODED, ENCODED_XLA = 160, 600
"""How many more, where networks read their numbers piecewise, by the native and the XLA engine; 133 and 466 measured
with parts of 131,072 rows."""
VALIDATION_ROWS = 16_384
"""That are drawn at most: networks are validated after each part, which must not take longer than to train on it."""
MOST_ROWS, FEWEST_ROWS = 131_072, 2_048  # of a part
REFUSED = (
    *("time", "window", "series", "test", "y_cov", "x_err", "process", "replicas", "workers", "dask"),
    *("kind", "file_column", "query", "per_step"),
)
"""Settings that need all rows at once."""


def find_pieces(data: Any, options: ReadOptions, memory: str | None) -> Pieces | None:
    """Return the pieces of files whose rows do not fit into memory; None: they do, or are no files that have pieces.

    Args:
        data: as `fit` takes it.
        options: how files are read.
        memory: the most that may be taken, such as "4GB"; None: four fifths of what is free.
    """
    named, most = _paths(data, options), _most_bytes(memory)
    size = 0 if named is None else sum(path.stat().st_size for path in named)
    able = find_spec("pyarrow") is not None  # without it, what may fit is read as a whole
    if named is None or size < (most / MOST_COMPRESSED if able else most):
        return None
    pieces = open_pieces(named, options)
    return pieces if pieces is not None and pieces.rows * pieces.row_bytes > most else None


def pieces_of(data: str, options: ReadOptions) -> Pieces:
    """Return the pieces of files, whether their rows fit into memory or not.

    Raises:
        DataError: there are no such files, or they are of formats that are read as a whole.
    """
    paths = _paths(data, options)
    pieces = None if paths is None else open_pieces(paths, options)
    if pieces is None:
        raise DataError(
            f"{data!r} cannot be read in pieces; expected files with {', '.join(FORMATS)}, a folder of Parquet files, "
            "or a pattern"
        )
    return pieces


def _paths(data: Any, options: ReadOptions) -> list[Path] | None:
    """Return the files that data name, or None where they name none that are here."""
    each = data if isinstance(data, list) else [data]
    if options.kind in ("images", "series") or not all(isinstance(one, (str, Path)) for one in each):
        return None
    if any("://" in str(one) for one in each):
        return None
    named = files_named(data, options)
    paths = [Path(str(data)).expanduser()] if named is None else list(named)
    if not paths or not all(path.is_file() for path in paths) or any(signal_reader(path, options) for path in paths):
        return None
    return paths


def room(memory: str | None) -> int:
    """Return the bytes that a fit may take: those that are given, or what is free, to two digits."""
    if memory is not None:
        return parse_memory(memory)
    free = free_room()
    digits = 10 ** max(0, len(str(free)) - 2)
    return free // digits * digits


def _most_bytes(memory: str | None) -> float:
    """Return the bytes of the rows that fit."""
    return max(0, min(room(memory), free_room()) - LIBRARIES) / COPIES


def read_streamed(data: Any, pieces: Pieces, settings: FitSettings, options: dict[str, Any]) -> tuple[Dataset, Split]:
    """Return a sample of rows as a dataset with their stream, and its split.

    Args:
        data: as `fit` takes it.
        pieces: of its files.
        settings: of the fit.
        options: how a dataset is made of a table, as `load_dataset` takes them.

    Raises:
        SettingError: a setting needs all rows at once.
        DataError: rows cannot be used.
    """
    check_streamable(settings)
    keep_small()
    sizes = (1.0 - settings.test_size - settings.validation_size, settings.validation_size, settings.test_size)
    named = (options["roles"] or Roles()).replaced(group=options["group"], id=options["id"])
    dealing = Dealing(sizes, settings.seed, named.group or named.id)
    if dealing.column is not None and dealing.column not in pieces.types:
        raise DataError(f"there is no column {dealing.column!r} in {pieces.files[0].path}")
    rows = rows_of_a_part(pieces, settings)
    whole = tuple(name for name in options["target"] or () if pieces.types.get(name) == pl.Int64())
    drawn = draw(pieces, dealing, (rows, min(rows // 2, VALIDATION_ROWS), rows // 2), whole)
    raw = Raw(name_of(Path(str(data))) if isinstance(data, (str, Path)) else "data", str(data), drawn.table, Roles())
    if not isinstance(data, (str, Path)):
        raw = raw._replace(source="python")
    dataset = load_dataset(raw, **options)
    _check_roles(dataset, dealing)
    part = drawn.parts[dataset.positions]
    places = [np.flatnonzero(part == each) for each in (TRAIN, VALIDATION, TEST)]
    for name, each in zip(PARTS, places, strict=True):
        if len(each) < 2:
            raise DataError(f"{len(each)} rows with a target were drawn for {name}, at least 2 are needed")
    sampled = (len(places[TRAIN]), len(places[VALIDATION]), len(places[TEST]))
    exact = len(part) == len(drawn.parts) and not dataset.rules and not dataset.reading
    moments = drawn.moments if exact else {}
    stream = RowStream(pieces, dealing, drawn.counts, sampled, room(settings.memory), moments)
    checksum = hashlib.sha256((pieces.checksum + dataset.sha256).encode()).hexdigest()
    notes = (stream.how, *([pieces.advice] if pieces.advice else []))
    dataset = replace(dataset, stream=stream, sha256=checksum, cautions=(*dataset.cautions, *notes[1:]))
    return dataset, Split(places[TRAIN], places[VALIDATION], places[TEST], stream.how)


def check_streamable(settings: FitSettings) -> None:
    """Raise SettingError for what needs all rows at once."""
    given = [name for name in REFUSED if getattr(settings, name) not in (None, False)]
    given += ["cv"] if settings.folds else []
    if given:
        raise SettingError(
            f"{given[0]}: not for a table whose rows do not fit into memory, which is read in parts; leave it out, "
            "raise --memory so that all rows fit, or write fewer of them into a file and fit on that"
        )


def rows_of_a_part(pieces: Pieces, settings: FitSettings) -> int:
    """Return how many rows a part has: they take half of the memory that libraries leave, the rest is margin.

    What this process holds by now moves with each run, so that it only says whether the bound can hold at all.

    Raises:
        SettingError: too few would fit.
    """
    more = _besides_libraries(pieces, settings)
    encoded = _bytes_encoded(settings.engine) if _asks_for_encoding(settings) else 0
    each, most = (BYTES_OF_A_VALUE + encoded) * _values(pieces), room(settings.memory)
    rows = min(MOST_ROWS, (most - LIBRARIES - more) // (2 * each))
    fixed = LIBRARIES + more if settings.memory is None else resident() + TO_COME + more
    if rows < FEWEST_ROWS or fixed + rows * each > most:
        enough = min(2 * fixed - LIBRARIES - more, fixed + MOST_ROWS * each)  # what is left for them is as much
        needed = max(LIBRARIES + more + 2 * FEWEST_ROWS * each, enough)
        raise SettingError(
            f"memory of {memory_text(most)} is too little: libraries take {memory_text(fixed)} in this process, parts "
            f"of {FEWEST_ROWS:,} rows {memory_text(FEWEST_ROWS * each)}; expected {needed // 1_000_000 + 1} MB or more"
        )
    return int(rows)


def _values(pieces: Pieces) -> int:
    return max(1, pieces.row_bytes // 8)


def _besides_libraries(pieces: Pieces, settings: FitSettings) -> int:
    return OF_A_COLUMN * len(pieces.types) + (XLA if settings.engine == "xla" else 0)


def _bytes_encoded(engine: str) -> int:
    """Return how many more bytes a value of a part takes where networks may read it piecewise."""
    return ENCODED_XLA if engine == "xla" else ENCODED


def may_encode(dataset: Dataset, settings: FitSettings) -> bool:
    """Return whether networks may choose an encoding: it is asked for, or parts fit into memory in any of them."""
    stream = dataset.stream
    if stream is None or _asks_for_encoding(settings):
        return True
    fixed = LIBRARIES + _besides_libraries(stream.pieces, settings)
    each = BYTES_OF_A_VALUE + _bytes_encoded(settings.engine)
    return fixed + 2 * stream.sampled[TRAIN] * each * _values(stream.pieces) <= stream.memory


def _asks_for_encoding(settings: FitSettings) -> bool:
    return settings.feature_encoding not in (None, PLAIN)


def _check_roles(dataset: Dataset, dealing: Dealing) -> None:
    roles = dataset.roles
    if roles.group is not None and roles.group != dealing.column:
        raise SettingError(f"{roles.group!r} is a group; name it with --group, so that no group is divided")
    if roles.time is not None:
        raise SettingError(f"{roles.time!r} orders the rows in time, but rows in parts are in no order; ignore it")


def settled(settings: FitSettings, dataset: Dataset) -> FitSettings:
    """Return the settings with the memory that was found, by which rows are drawn, and with epochs for passes.

    Those of rows in memory are returned as they are.

    Raises:
        SettingError: rows are not read in parts, or epochs are given as well.
    """
    if dataset.stream is not None and settings.memory is None:
        settings = settings.model_copy(update={"memory": memory_text(dataset.stream.memory)})
    if settings.passes is None:
        return settings
    if dataset.stream is None:
        raise SettingError("passes: all rows fit into memory, and an epoch is a pass over them; use epochs instead")
    counts, sampled = dataset.stream.counts, dataset.stream.sampled
    epochs = max(1, round(settings.passes * -(-counts[TRAIN] // sampled[TRAIN])))
    if settings.epochs not in (None, epochs):
        raise SettingError("passes and epochs both say how long networks train; leave one of them out")
    patience = epochs if settings.patience is None else settings.patience
    return settings.model_copy(update={"epochs": epochs, "patience": patience})


def with_exact_scales(preparation: Preparation, dataset: Dataset) -> Preparation:
    """Return a preparation whose means and deviations are those of all training rows, not of the sample."""
    moments = {} if dataset.stream is None else dataset.stream.moments
    encoders = tuple(
        replace(encoder, normalization=_standard(moments[encoder.column], encoder.normalization))
        if isinstance(encoder, NumberEncoder) and not encoder.dates and encoder.column in moments
        else encoder
        for encoder in preparation.encoders
    )
    return replace(preparation, encoders=encoders)


def _standard(moments: Any, sampled: Any) -> Any:
    if not isinstance(sampled, Standard) or not moments.scale > 0.0:
        return sampled
    return Standard(moments.mean, moments.scale)


@dataclass(frozen=True)
class PreparedStream:
    """Prepares the rows of a stream as those of the sample are.

    Attributes:
        dataset: the sample, with its stream.
        preparation: fitted.
        problem: of the sample.
        weigh: turns the weights of rows into those of the problem, by what was found on the sample.
        class_weight: how much each class counts, or None.
        mean: gives rows their mean weights, where some of the sample are negative, or None.
    """

    dataset: Dataset
    preparation: Preparation
    problem: Problem
    mean_weight: float
    precision: np.ndarray | None
    class_weight: np.ndarray | None
    mean: TeachingWeights | None

    def __call__(self, order: np.ndarray) -> Iterator[Part]:
        """Give the prepared training rows in this order of the pieces, few at a time."""
        assert self.dataset.stream is not None
        roles = self.dataset.roles
        needed = [*self.dataset.targets, *roles.y_err, *([roles.weight] if roles.weight else [])]
        rules = self.preparation.rules  # whatever they are made of is read, too
        columns = self.dataset.stream.pieces.types if rules else {*self.preparation.input_columns, *needed}
        for table in self.dataset.stream.training_tables(order, columns):
            refined, _ = refined_as_fitted(table, self.preparation)
            kept = refined.table if refined.passed is None else refined.table.filter(pl.Series(refined.passed))
            kept = self.preparation.reading.read_table(kept)
            if any(kept.get_column(name).null_count() for name in needed):
                kept = kept.drop_nulls(needed)
            if kept.height:
                yield self._part(replace(self.dataset, table=kept, kept=np.arange(kept.height), stream=None))

    def _part(self, rows: Dataset) -> Part:
        preparation, problem = self.preparation, self.problem
        x = preparation.transform(rows.table)
        weights, errors = rows.weights(), rows.y_err()
        y = self._targets(rows, x)
        if weights is not None and self.mean is not None:
            weights = self.mean(x, y, weights)
        elif weights is not None and (weights < 0.0).any():
            raise DataError("negative weights are averaged, but none is among the rows that were drawn; leave them out")
        y = preparation.scale_target(y) if rows.task is Task.REGRESSION else y
        if problem.known_errors:
            assert errors is not None
            y = np.concatenate([y, errors / preparation.target_scale], axis=1)
        elif errors is not None and self.precision is not None:
            precise = 1.0 / np.asarray(errors, np.float64) ** 2 / self.precision
            weights = precise if weights is None else precise * weights[:, None]
        encoded = encode_target(rows.task, problem.loss, len(rows.classes), y)
        return Part(x, encoded, self._weighed(weights, encoded))

    def _targets(self, rows: Dataset, x: np.ndarray) -> np.ndarray:
        """Return the targets in their own units, of a reconstruction the prepared rows."""
        if rows.task is Task.RECONSTRUCTION:
            return x
        if not rows.classes_by_target:
            return self.preparation.target_values(rows.table)
        for name, classes in rows.classes_by_target.items():
            check_classes_known(rows.table.get_column(name), classes)
        return rows.y()

    def _weighed(self, weights: np.ndarray | None, y: np.ndarray) -> np.ndarray:
        width = self.problem.weights.shape[1]
        whole = np.ones((len(y), width)) if weights is None else weights.reshape(len(y), -1) / self.mean_weight
        if self.class_weight is not None:
            place = y[:, 0].astype(int) if y.shape[1] == 1 else y.argmax(axis=1)
            whole = whole * self.class_weight[place][:, None]
        return np.ascontiguousarray(whole, np.float32)


def with_stream(
    problem: Problem,
    dataset: Dataset,
    split: Split,
    preparation: Preparation,
    weights: np.ndarray | None,
    class_weight: np.ndarray | None,
    mean: TeachingWeights | None,
) -> Problem:
    """Return a problem that knows all training rows beside those of the sample; as it is where these are all.

    Args:
        problem: of the sample.
        dataset: the sample.
        split: of the sample.
        preparation: fitted.
        weights: of the rows of the sample as the problem has them before they are brought to a mean of one, or None.
        class_weight: how much each class counts, or None.
        mean: gives rows their mean weights, where some of the sample are negative, or None.
    """
    if dataset.stream is None:
        return problem
    errors = dataset.y_err()
    precision = None if errors is None else (1.0 / np.asarray(errors, np.float64)[split.train] ** 2).mean(axis=0)
    mean_weight = 1.0 if weights is None else float(np.mean(weights[split.train]))
    read = PreparedStream(dataset, preparation, problem, mean_weight, precision, class_weight, mean)
    rows = len(problem.x)
    share = len(split.train) / dataset.stream.sampled[TRAIN]
    passes = -(-round(dataset.stream.counts[TRAIN] * share) // rows)
    pieces, check = len(dataset.stream.pieces.all), dataset.stream.check_unchanged
    stream = RowsInParts(read, pieces, rows, max(1, passes), problem.seed, check)
    return replace(problem, stream=stream)
