"""Units that files and data frames hold beside their columns.

A format that knows units returns them with its table (see `readers.base.Content`); `Dataset.units` has them all.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

_KEYS = (b"unit", b"units")
_KEPT_SCHEMA = re.compile(rb"ARROW:schema.{1,8}?([A-Za-z0-9+/]{32,}={0,2})", re.DOTALL)


def units_of_python(data: Any) -> dict[str, str]:
    """Return the units that a data frame holds: in the metadata of Arrow fields, or in `attrs["units"]` of pandas.

    Example:
        >>> units_of_python({"E": [1.0]})
        {}
    """
    if isinstance(data, tuple) and not hasattr(data, "_fields"):  # (X, y)
        return {name: unit for part in data for name, unit in units_of_python(part).items()}
    if hasattr(data, "schema") and hasattr(data, "column_names"):
        return units_of_schema(data.schema)
    attributes = getattr(data, "attrs", None)
    units = attributes.get("units") if isinstance(attributes, Mapping) else None
    return {str(name): str(unit) for name, unit in units.items() if unit} if isinstance(units, Mapping) else {}


def units_of_schema(schema: Any) -> dict[str, str]:
    """Return the units in the metadata `unit` or `units` of the fields of an Arrow schema."""
    units = {}
    for field in schema if hasattr(schema, "metadata") else ():
        known = field.metadata or {}
        unit = next((known[key] for key in _KEYS if key in known), b"").decode("utf-8", "replace").strip()
        if unit:
            units[str(field.name)] = unit
    return units


def units_of_parquet(data: bytes) -> dict[str, str]:
    """Return the units in the metadata of a Parquet file's fields; none where pyarrow is not installed."""
    footer = data[-8 - int.from_bytes(data[-8:-4], "little") :]
    kept = _KEPT_SCHEMA.search(footer)
    try:
        schema = base64.b64decode(kept[1]) if kept else b""
    except binascii.Error:
        return {}
    return units_of_arrow(schema)


def units_of_arrow(data: bytes) -> dict[str, str]:
    """Return the units in the metadata of an Arrow file, stream or schema; none where pyarrow is not installed."""
    # pyarrow is slow to load, and most files hold no units.
    if b"unit" not in data[:1_000_000] or find_spec("pyarrow") is None:
        return {}
    from pyarrow import ArrowException, BufferReader, ipc

    read = ipc.open_file if data.startswith(b"ARROW1") else ipc.open_stream
    try:
        return units_of_schema(read(BufferReader(data)).schema)
    except (ArrowException, OSError, ValueError):
        return {}
