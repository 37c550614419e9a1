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

SEAL = "sha256"


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


def sealed(document: Mapping[str, Any], *open_keys: str) -> dict[str, Any]:
    """Return a document as plain data with its own checksum under `sha256`, by which `check_seal` knows damage.

    Args:
        document: plain data, or what `plain` makes such of.
        open_keys: what the checksum does not cover.

    Example:
        >>> check_seal(Path("a.json"), sealed({"format": 1, "x": 2.5}), "Restore it.")["x"]
        2.5
    """
    content = {key: value for key, value in plain(document).items() if key != SEAL}
    return {**content, SEAL: content_checksum({key: v for key, v in content.items() if key not in open_keys})}


def check_seal(path: Path, document: dict[str, Any], mending: str, *open_keys: str) -> dict[str, Any]:
    """Return a document that its checksum matches; earlier versions of shoal wrote none.

    Raises:
        RunError: the checksum is another.
    """
    covered = {key: value for key, value in document.items() if key not in (SEAL, *open_keys)}
    if SEAL in document and document[SEAL] != content_checksum(covered):
        raise RunError(f"{str(path)!r} is damaged: its content does not match its checksum. {mending}")
    return document


def content_checksum(content: Any) -> str:
    """Return the SHA-256 checksum of plain data, whatever the order of its keys."""
    return sha256(json.dumps(plain(content), sort_keys=True, separators=(",", ":")).encode("utf-8"))


def read_json(path: Path, newest: int, mending: str, *open_keys: str) -> dict[str, Any]:
    """Return a JSON document that carries a format number, and perhaps the checksum of `sealed`.

    Args:
        path: the file.
        newest: the newest format number that this shoal can read, ≥ 1.
        mending: what to do when the file is damaged, a sentence.
        open_keys: what the checksum does not cover.

    Raises:
        RunError: missing, unreadable, not JSON, without a format number, of a newer format, or of another checksum.
    """
    return parse_json(path, read_bytes(path, mending), newest, mending, *open_keys)


def parse_json(path: Path, data: bytes, newest: int, mending: str, *open_keys: str) -> dict[str, Any]:
    """Return the JSON document in the bytes of a file, as `read_json` does; messages call it `path`."""
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{str(path)!r} is damaged: it is not a whole JSON document ({error}). {mending}") from error
    if not isinstance(document, dict):
        raise RunError(f"{str(path)!r} is damaged: it is not a JSON object. {mending}")
    check_format(path, document.get("format"), newest, mending)
    return check_seal(path, document, mending, *open_keys)


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
