"""The candidates of a run as a table whose columns are their choices, for people and for other programs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.results import Status
from shoal.runs.log import read_candidates, read_networks

if TYPE_CHECKING:
    import polars as pl

MEASURED = (
    "id", "kept", "status", "score", "score_error", "score_low", "score_high", "networks", "parameters",
    "epochs_trained", "train_loss", "validation_loss",
)  # fmt: skip
"""The columns before those of the hyperparameters."""
# What counts of networks that ended in different ways, first to last.
_FIRST = tuple(Status[name].code for name in ("DIVERGED", "RUNNING", "CUT", "STOPPED_EARLY", "FINISHED"))


def candidate_table(log: str | Path, *, rolling: bool = False) -> pl.DataFrame:
    """Return the candidates of a log, one row each, in the order of their ids.

    Args:
        log: `log.sqlite` of a run.
        rolling: whether folds are rolling, of which no interval is known.

    Returns:
        `id`, `kept`, `status` (of several networks the worst), `score` (the mean of their cross-fitted validation
        losses, lower is better; missing where one diverged), `score_error` (its standard error), `score_low` and
        `score_high`, `networks`, `parameters`, `epochs_trained` (of its networks together), `train_loss` and
        `validation_loss` (means at the best epochs), and a column for each hyperparameter. Widths and activations of
        several layers are texts with commas, as `shoal fit` takes them.

        `score_low` and `score_high` are Student's 95 % interval of the mean over the networks, with folds widened for
        the training rows that they share (Nadeau and Bengio 2003). It tells of other seeds and folds, and what choosing
        the best of many adds is not in it. Missing for one network and for rolling folds.

    Raises:
        RunError: the log is missing, damaged or of a newer format.
    """
    import polars as pl

    candidates, networks = read_candidates(log), read_networks(log)
    of = networks.partition_by("candidate_id", as_dict=True)
    several = [of[(identity,)] for identity in candidates["id"]]
    intervals = [score_interval(group["score"].to_list(), _folds(group), rolling=rolling) for group in several]
    status = [next(code for code in _FIRST if code in group["status"]) for group in several]
    measured = {
        "id": candidates["id"],
        "kept": candidates["kept"],
        "status": status,
        "score": [score if score is not None and math.isfinite(score) else None for score in candidates["score"]],
        "score_error": candidates["score_error"],
        "score_low": pl.Series([low for low, _ in intervals], dtype=pl.Float64),
        "score_high": pl.Series([high for _, high in intervals], dtype=pl.Float64),
        "networks": candidates["networks"],
        "parameters": candidates["parameters"],
        "epochs_trained": [group["epochs"].sum() for group in several],
        "train_loss": [group["train_loss"].mean() for group in several],
        "validation_loss": [group["validation_loss"].mean() for group in several],
    }
    floats = ("score", "train_loss", "validation_loss")
    overrides = {"status": pl.String, "epochs_trained": pl.Int64, **dict.fromkeys(floats, pl.Float64)}
    table = pl.DataFrame(measured, schema_overrides=overrides)
    return table.hstack(_choices([json.loads(text) for text in candidates["candidate"]]))


def _choices(candidates: Sequence[dict[str, Any]]) -> list[pl.Series]:
    """Return a column for each hyperparameter that some candidate has."""
    import polars as pl

    names = dict.fromkeys(name for candidate in candidates for name in candidate)
    columns = []
    for name in names:
        values = [_plain(candidate.get(name)) for candidate in candidates]
        kinds = {type(value) for value in values} - {type(None)}
        kind: type[pl.DataType] = pl.Boolean if kinds == {bool} else pl.Int64 if kinds == {int} else pl.String
        kind = pl.Float64 if float in kinds and kinds <= {int, float} else kind
        columns.append(pl.Series(name, values, dtype=kind, strict=False))
    return columns


def _plain(value: Any) -> Any:
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _folds(networks: pl.DataFrame) -> int:
    return int(networks["fold"].drop_nulls().n_unique())


def score_interval(
    scores: Sequence[float | None], folds: int, *, rolling: bool = False
) -> tuple[float | None, float | None]:
    """Return the 95 % interval of the mean of scores, see `candidate_table`.

    Args:
        scores: of the networks of one candidate.
        folds: in how many folds they are; 0: in none.
        rolling: whether these are rolling.

    Example:
        >>> low, high = score_interval([1.0, 2.0, 3.0], 0)
        >>> round(low, 4), round(high, 4), score_interval([1.0], 0)
        (-0.4841, 4.4841, (None, None))
    """
    import numpy as np
    from scipy.special import stdtrit

    count = len(scores)
    known = [score for score in scores if score is not None and math.isfinite(score)]
    if rolling or count < 2 or len(known) < count or folds == 1:
        return None, None
    variance = float(np.var(known, ddof=1)) * (1 / count + (1 / (folds - 1) if folds else 0.0))
    mean, half = float(np.mean(known)), float(stdtrit(count - 1, 0.975)) * math.sqrt(variance)
    return mean - half, mean + half
