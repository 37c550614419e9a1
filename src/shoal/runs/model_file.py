"""The saved predictor: `model/model.json` says what it is, `model/weights.safetensors` holds its numbers.

Loading reads JSON and arrays and runs no code from the files. `model.json` carries the checksums of the
weights and of itself, so that damage is found before a wrong prediction is made.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError, NetworkError, RunError, SettingError
from shoal.runs.arrays_file import arrays_to_bytes, read_arrays
from shoal.runs.documents import read_json, sha256, shoal_version
from shoal.runs.writing import write_atomically

if TYPE_CHECKING:
    from shoal.prediction.predictor import Predictor

FORMAT = 3  # 2 had no heads, 1 no calibration, region, scale and stated coverage; both are still read
DOCUMENT, WEIGHTS = "model.json", "weights.safetensors"
_MENDING = "Restore it from a copy, or train the run again (the command is in config.toml)."


def save_model(folder: str | Path, predictor: Any) -> Path:
    """Save a predictor in a folder.

    Args:
        folder: the `model` folder; made if it is missing.
        predictor: a `Predictor`, that is anything whose `to_parts()` gives plain data and named arrays.

    Returns:
        The folder.

    Raises:
        RunError: the folder or a file cannot be written.
    """
    folder = Path(folder)
    document, arrays = predictor.to_parts()
    weights = arrays_to_bytes(arrays)
    # Once through JSON, so that the checksum is that of what will be read.
    document = json.loads(json.dumps(document, default=_number))
    head = {
        "format": FORMAT,
        "shoal": shoal_version(),
        "weights_sha256": sha256(weights),
        "model_sha256": _checksum(document),
        "model": document,
    }
    # The document goes last: until it is there with the new checksum, the folder does not load.
    write_atomically(folder / WEIGHTS, weights)
    write_atomically(folder / DOCUMENT, json.dumps(head, indent=1, ensure_ascii=False) + "\n")
    return folder


def load_parts(folder: str | Path, mending: str = _MENDING) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the plain data and the named arrays of a saved predictor, checked; `mending` ends every message.

    Raises:
        RunError: a file is missing, damaged or of a newer format; the message names it.
    """
    folder = Path(folder)
    head = read_json(folder / DOCUMENT, FORMAT, mending)
    document = head.get("model")
    if not isinstance(document, dict) or _checksum(document) != head.get("model_sha256"):
        raise RunError(f"{str(folder / DOCUMENT)!r} is damaged: its content does not match its checksum. {mending}")
    return document, read_arrays(folder / WEIGHTS, head.get("weights_sha256"), mending)


def load_model(folder: str | Path) -> Predictor:
    """Load a saved predictor.

    Args:
        folder: the `model` folder of a run.

    Raises:
        RunError: a file is missing, damaged or of a newer format; the message names it.
    """
    from shoal.prediction.predictor import Predictor

    document, arrays = load_parts(folder)
    _check_numbers(Path(folder), document, arrays)
    try:
        return Predictor.from_parts(document, arrays)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, DataError, NetworkError, SettingError) as e:
        raise RunError(
            f"{str(Path(folder) / DOCUMENT)!r} does not describe a predictor that this shoal "
            f"({shoal_version()}) knows: {type(e).__name__}: {e}. {_MENDING}"
        ) from e


def _check_numbers(folder: Path, document: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Raise RunError where weights are no finite numbers or widths are NaN: so would all predictions be."""
    for name, array in arrays.items():
        weights, widths = name.startswith(("members/", "replicas/")), name in ("noise", "quantile", "scale")
        if (weights and not np.isfinite(array).all()) or (widths and np.isnan(array).any()):
            raise RunError(
                f"{str(folder / WEIGHTS)!r} is damaged: {name!r} holds what is no number, so that the run can predict "
                f"nothing. {_MENDING}"
            )
    if "NaN" in json.dumps(document.get("preparation")):
        reason = "its preparation holds what is no number, so that the run can predict nothing"
        raise RunError(f"{str(folder / DOCUMENT)!r} is damaged: {reason}. {_MENDING}")


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a saved model holds plain data, got {type(value).__name__}")


def _checksum(document: Any) -> str:
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode("utf-8"))
