"""The small text files of a run (JSON): one way to write them, one way to read and doubt them."""

from __future__ import annotations

import datetime
import enum
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import RunError


def shoal_version() -> str:
    """Return the version of shoal that writes."""
    from shoal import __version__

    return __version__


def plain(value: Any) -> Any:
    """Return `value` as plain JSON data: NumPy numbers and arrays as Python's, NaN and infinities as None.

    Example:
        >>> plain({"a": np.float64("nan"), "b": (np.int64(2), Path("x"))})
        {'a': None, 'b': [2, 'x']}
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def json_text(document: Any) -> str:
    """Return a document as JSON text, the same text for the same content; lists of numbers stay on one line.

    Example:
        >>> print(json_text({"a": [1, 2], "b": {"c": float("nan")}}), end="")
        {
          "a": [1, 2],
          "b": {
            "c": null
          }
        }
    """
    return _lines(plain(document), "") + "\n"


def _lines(value: Any, indent: str) -> str:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        rows = [f"{deeper}{_atom(key)}: {_lines(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[\n" + ",\n".join(deeper + _lines(item, deeper) for item in value) + f"\n{indent}]"
    return _atom(value)


def _atom(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read_bytes(path: Path, mending: str) -> bytes:
    """Return a file's bytes, or raise RunError that names the file and what to do."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise RunError(f"{str(path)!r} is missing. {mending}") from error
    except OSError as error:
        raise RunError(f"cannot read {str(path)!r}: {error.strerror or error}. {mending}") from error


def read_json(path: Path, newest: int, mending: str) -> dict[str, Any]:
    """Return a JSON document that carries a format number.

    Args:
        path: the file.
        newest: the newest format number that this shoal can read, ≥ 1.
        mending: what to do when the file is damaged, a sentence.

    Raises:
        RunError: missing, unreadable, not JSON, without a format number, or of a newer format.
    """
    data = read_bytes(path, mending)
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{str(path)!r} is damaged: it is not a whole JSON document ({error}). {mending}") from error
    if not isinstance(document, dict):
        raise RunError(f"{str(path)!r} is damaged: it is not a JSON object. {mending}")
    check_format(path, document.get("format"), newest, mending)
    return document


def check_format(path: Path, number: Any, newest: int, mending: str) -> None:
    """Raise RunError unless `number` is a format number from 1 to `newest`."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise RunError(f"{str(path)!r} is damaged: it has no format number (found {number!r}). {mending}")
    if number > newest:
        raise RunError(
            f"{str(path)!r} was written by a newer shoal (format {number}; this one reads up to {newest}). "
            "Update shoal to read it."
        )


def sha256(data: bytes) -> str:
    """Return the SHA-256 checksum of some bytes in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
