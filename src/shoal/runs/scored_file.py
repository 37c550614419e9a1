"""`scored.safetensors`: validation and test rows with what the ensemble predicted for them.

Comparisons of runs and cuts on the score need no more, so that neither the data nor the networks are asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import RunError
from shoal.runs.arrays_file import arrays_to_bytes
from shoal.runs.documents import read_bytes
from shoal.runs.writing import write_atomically

if TYPE_CHECKING:
    from shoal.evaluation.predicted_rows import PredictedRows

NAME = "scored.safetensors"
_FIELDS = ("rows", "truth", "guess", "weights", "groups")
_EARLIER = "series"  # what groups were called where steps of series were all that belonged together
_MENDING = "Train the run again (the command is in config.toml)."


def write_scored(folder: str | Path, parts: Mapping[str, PredictedRows]) -> Path | None:
    """Write the file and return its path; None where there is nothing to write.

    Raises:
        RunError: the file cannot be written.
    """
    arrays = {
        f"{part}/{name}": getattr(rows, name)
        for part, rows in parts.items()
        for name in _FIELDS
        if getattr(rows, name) is not None
    }
    return write_atomically(Path(folder) / NAME, arrays_to_bytes(arrays)) if arrays else None


def read_scored(folder: str | Path, part: str) -> PredictedRows:
    """Return the rows of one part with their predictions.

    Raises:
        RunError: missing, damaged, or without that part.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from shoal.evaluation.predicted_rows import PredictedRows

    path = Path(folder) / NAME
    if not path.exists():
        raise RunError(f"{str(path)!r} is missing: the run predicts nothing, or an earlier shoal wrote it. {_MENDING}")
    try:
        arrays = load(read_bytes(path, _MENDING))
        kept = [arrays.get(f"{part}/{name}") for name in _FIELDS]
        kept[-1] = arrays.get(f"{part}/{_EARLIER}") if kept[-1] is None else kept[-1]
        return PredictedRows(*kept)  # type: ignore[arg-type]
    except (SafetensorError, ValueError, KeyError) as error:
        raise RunError(f"{str(path)!r} is damaged: it is not a safetensors file ({error}). {_MENDING}") from error
