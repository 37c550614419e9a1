"""The saved predictor: `model/model.json` says what it is, `model/weights.safetensors` holds its numbers.

In memory both follow each other, behind the length of the first.

Loading reads JSON and arrays and runs no code from the files. `model.json` carries the checksums of the
weights and of itself, so that damage is found before a wrong prediction is made.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError, NetworkError, RunError, SettingError
from shoal.runs.arrays_file import arrays_to_bytes, parse_arrays, read_arrays
from shoal.runs.documents import parse_json, read_json, sha256, shoal_version
from shoal.runs.writing import write_atomically

if TYPE_CHECKING:
    from shoal.prediction.predictor import Predictor

FORMAT = 4  # 3 described each replica; 2 had no heads, 1 no calibration, region, scale, stated coverage; all are read
DOCUMENT, WEIGHTS = "model.json", "weights.safetensors"
LENGTH = 8  # bytes
IN_MEMORY = Path("model in memory")
_MENDING = "Restore it from a copy, or train the run again (the command is in config.toml)."
_AGAIN = "Restore it from a copy, or fit again."


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
    head, weights = _head_and_weights(predictor)
    # The document goes last: until it is there with the new checksum, the folder does not load.
    write_atomically(folder / WEIGHTS, weights)
    write_atomically(folder / DOCUMENT, json.dumps(head, indent=1, ensure_ascii=False) + "\n")
    return folder


def model_to_bytes(predictor: Any) -> bytes:
    """Return a predictor as bytes: the length of `model.json` (8 bytes, least significant first), it, the weights."""
    head, weights = _head_and_weights(predictor)
    document = json.dumps(head, ensure_ascii=False).encode("utf-8")
    return len(document).to_bytes(LENGTH, "little") + document + weights


def model_from_bytes(data: bytes) -> Predictor:
    """Return the predictor that `model_to_bytes` wrote; no code in the bytes is executed.

    Raises:
        RunError: the bytes are damaged or of a newer format.
    """
    end = LENGTH + int.from_bytes(data[:LENGTH], "little")
    head = parse_json(IN_MEMORY, data[LENGTH:end], FORMAT, _AGAIN)
    document = _checked_document(IN_MEMORY, head, _AGAIN)
    arrays = parse_arrays(IN_MEMORY, data[end:], head.get("weights_sha256"), _AGAIN)
    return _predictor(IN_MEMORY, IN_MEMORY, document, arrays, _AGAIN)


def _head_and_weights(predictor: Any) -> tuple[dict[str, Any], bytes]:
    """Return the content of `model.json` and the bytes of the weights."""
    document, arrays = predictor.to_parts()
    weights = arrays_to_bytes(arrays)
    # Once through JSON, so that the checksum is that of what will be read.
    document = json.loads(json.dumps(document, default=_number))
    checksums = {"weights_sha256": sha256(weights), "model_sha256": _checksum(document)}
    return {"format": FORMAT, "shoal": shoal_version(), **checksums, "model": document}, weights


def load_parts(folder: str | Path, mending: str = _MENDING) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the plain data and the named arrays of a saved predictor, checked; `mending` ends every message.

    Raises:
        RunError: a file is missing, damaged or of a newer format; the message names it.
    """
    folder = Path(folder)
    head = read_json(folder / DOCUMENT, FORMAT, mending)
    document = _checked_document(folder / DOCUMENT, head, mending)
    return document, read_arrays(folder / WEIGHTS, head.get("weights_sha256"), mending)


def _checked_document(path: Path, head: dict[str, Any], mending: str) -> dict[str, Any]:
    """Return what describes the predictor, checked by its checksum."""
    document = head.get("model")
    if not isinstance(document, dict) or _checksum(document) != head.get("model_sha256"):
        raise RunError(f"{str(path)!r} is damaged: its content does not match its checksum. {mending}")
    return document


def load_model(folder: str | Path) -> Predictor:
    """Load a saved predictor.

    Raises:
        RunError: a file is missing, damaged or of a newer format; the message names it.
    """
    folder = Path(folder)
    return _predictor(folder / DOCUMENT, folder / WEIGHTS, *load_parts(folder), _MENDING)


def _predictor(
    described: Path, weights: Path, document: dict[str, Any], arrays: dict[str, np.ndarray], mending: str
) -> Predictor:
    """Return the predictor of a document and arrays, which come from these two files."""
    from shoal.prediction.predictor import Predictor

    _check_numbers(described, weights, document, arrays, mending)
    try:
        return Predictor.from_parts(document, arrays)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, DataError, NetworkError, SettingError) as e:
        raise RunError(
            f"{str(described)!r} does not describe a predictor that this shoal "
            f"({shoal_version()}) knows: {type(e).__name__}: {e}. {mending}"
        ) from e


def _check_numbers(
    described: Path, weights_file: Path, document: dict[str, Any], arrays: dict[str, np.ndarray], mending: str
) -> None:
    """Raise RunError where weights are no finite numbers or widths are NaN: so would all predictions be."""
    for name, array in arrays.items():
        weights, widths = name.startswith(("members/", "replicas/")), name in ("noise", "quantile", "scale")
        if (weights and not np.isfinite(array).all()) or (widths and np.isnan(array).any()):
            raise RunError(
                f"{str(weights_file)!r} is damaged: {name!r} holds what is no number, so that the run can predict "
                f"nothing. {mending}"
            )
    if "NaN" in json.dumps(document.get("preparation")):
        reason = "its preparation holds what is no number, so that the run can predict nothing"
        raise RunError(f"{str(described)!r} is damaged: {reason}. {mending}")


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a saved model holds plain data, got {type(value).__name__}")


def _checksum(document: Any) -> str:
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode("utf-8"))
