"""Named arrays as the bytes of a safetensors file, checked by their checksum."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import RunError
from shoal.runs.documents import read_bytes, sha256


def arrays_to_bytes(arrays: Mapping[str, Any]) -> bytes:
    """Return named arrays as safetensors bytes, the same bytes for the same arrays in any order.

    Example:
        >>> ones, zeros = np.ones(2, np.float32), np.zeros(3)
        >>> arrays_to_bytes({"a": ones, "b": zeros}) == arrays_to_bytes({"b": zeros, "a": ones})
        True
    """
    from safetensors.numpy import save

    return save({name: np.asarray(arrays[name], order="C") for name in sorted(arrays)})


def read_arrays(path: Path, checksum: Any, mending: str) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file whose SHA-256 is `checksum`; each can be written to.

    Raises:
        RunError: missing, unreadable, of another checksum, or not a safetensors file.
    """
    return parse_arrays(path, read_bytes(path, mending), checksum, mending)


def parse_arrays(path: Path, data: bytes, checksum: Any, mending: str) -> dict[str, np.ndarray]:
    """Return the arrays in the bytes of a safetensors file, as `read_arrays` does; messages call it `path`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    actual = sha256(data)
    if actual != checksum:
        raise RunError(
            f"{str(path)!r} is damaged: its SHA-256 is {actual[:12]}…, expected {str(checksum)[:12]}… "
            f"({len(data)} bytes found). {mending}"
        )
    try:
        arrays = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise RunError(f"{str(path)!r} is damaged: it is not a safetensors file ({error}). {mending}") from error
    return {name: np.array(array) for name, array in arrays.items()}
