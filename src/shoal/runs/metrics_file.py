"""`metrics.json`: the numbers of a run for scripts.

The same data, settings, seed and number of cores (`engine.cores`) give the same bytes, except under `seconds`; so
nothing else goes in that depends on when or where the run was made (the command and the settings are in `config.toml`).
What is no finite number is null. `sha256` covers all but `seconds`; `checksums` are those of the run's other files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.runs.checksums import file_checksums
from shoal.runs.documents import json_text, plain, read_json, sealed, sha256
from shoal.runs.writing import write_atomically

if TYPE_CHECKING:
    from shoal.evaluation.record import Record

FORMAT = 1
NAME = "metrics.json"
# What scripts may rely on in every run stands first.
_FIRST = ("format", "task", "target", "seed", "rows", "networks", "test", "validation", "train", "baselines", "verdict")
_OPEN = ("seconds",)  # what differs between equal runs is left out of the checksum
_MENDING = "Restore it from a copy, or train the run again (the command is in config.toml)."


def metrics_dict(record: Record) -> dict[str, Any]:
    """Return the numbers of a run as plain data, topic by topic.

    Returns:
        `format`, `task`, `target`, `seed`, `rows`, `networks`, `test`, `validation`, `train`, `baselines`,
        `verdict`, `hyperparameters`, `search`, `test_openings`, `test_checksum`, `data`, `engine`, `versions` and
        `seconds`; where units are known, `units` of `columns` and of `scores`. Every score
        is `{"value", "low", "high", "method"}`, a 95 % interval. `search.candidates_looked_at` counts the
        candidates among which the kept ones were chosen, `search.cv` and `search.repeats` say how often each was
        trained, and `search.kept` gives each kept one's mean score with its standard error; `search.front` the best
        candidate of each size, and the smallest that is as good as the best. Where fewer
        candidates were tried than usual, `search.left_out` is how many, and `search.best_of_half` the best score of the
        first half of them. With folds, the `validation` scores are those of out-of-fold predictions;
        `search.rolling` then tells how many rows taught and
        judged a network, where folds are rolling. `coverage` is the share of test values inside their
        interval, of classes inside their set, beside the `level` that was asked for; `calibration` says how predictions
        were calibrated and holds expected calibration error and log-loss before and after, `outside` the share of test
        rows outside the training region; `input_errors` how much the errors of features count for each target. Where
        targets have measured errors, `measured_errors` holds chi-square, pulls
        and intrinsic scatter of each, and how many replicas there are. Where yields were given, `selection` holds the
        cut that the validation rows chose and what it gives on the test rows. `importance` is that of the columns,
        where it was cheap to measure. `verdict` holds the conclusions in words, and their kinds: `training` what
        training did, `overfitting` of the kept weights, `better_than_guessing`, `against_baselines` (`better`, `no
        clear difference` or `worse`) and `beats_baselines`, whether it is the first. A run of which every network
        diverged has no scores. `test_checksum` is by what runs know that they share their test rows; `test_looks` holds
        what scored them again later, which `test_openings` counts, too.
    """
    from shoal.evaluation.topics import topics  # reading needs none

    provenance = record.provenance
    document: dict[str, Any] = {"format": FORMAT, "seed": provenance.seed}
    for topic in topics().values():
        _join(document, topic.absent if record.get(topic.record) is None else topic.numbers(record))
    document |= {
        "engine": dict(provenance.engine),
        "versions": dict(sorted(provenance.versions.items())),
        "seconds": _seconds(provenance.seconds),
    }
    first = {name: document[name] for name in _FIRST if name in document}
    checked: dict[str, Any] = plain({**first, **document})
    return checked


def _join(document: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put what a topic gives into a document, under keys that other topics may have given something under, too."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(document.get(key), dict):
            _join(document[key], value)
        else:
            document[key] = value


def write_metrics(folder: str | Path, record: Record) -> Path:
    """Write `metrics.json` into a run folder and return its path.

    Raises:
        RunError: the file cannot be written.
    """
    checksums = file_checksums(folder)
    return _write(folder, metrics_dict(record) | ({"checksums": checksums} if checksums else {}))


def _write(folder: str | Path, document: Mapping[str, Any]) -> Path:
    return write_atomically(Path(folder) / NAME, json_text(sealed(document, *_OPEN)))


def read_metrics(folder: str | Path) -> dict[str, Any]:
    """Return the content of a run folder's `metrics.json`.

    Raises:
        RunError: missing, damaged or of a newer format.
    """
    return read_json(Path(folder) / NAME, FORMAT, _MENDING, *_OPEN)


def look_of_fit(metrics: Mapping[str, Any]) -> str:
    """Return by what the fit's look at its test rows is known, wherever the folder lies: a checksum of all scores.

    A fit that is repeated with the same result, or copied, is the same look.
    """
    return checksum([metrics.get(part) for part in ("test", "validation", "train")])


def checksum(values: Any) -> str:
    """Return a short checksum of plain data."""
    return sha256(json_text(values).encode())[:16]


def count_opening(folder: str | Path, look: Mapping[str, str]) -> int:
    """Count one more use of the test rows and return how many there are now.

    Args:
        folder: the run folder.
        look: `by`, the command, and `id`, which runs share that were looked at together.
    """
    document = read_metrics(folder)
    document["test_openings"] = int(document.get("test_openings", 1)) + 1
    document["test_looks"] = [*document.get("test_looks", []), dict(look)]
    _write(folder, document)
    return int(document["test_openings"])


def _seconds(seconds: Mapping[str, float]) -> dict[str, float]:
    first = ("total", "compile", "train")
    named = {name: seconds.get(name, math.nan) for name in first}
    return {name: round(float(value), 3) for name, value in {**named, **seconds}.items()}
