"""Bodies in and out: JSON, CSV and Arrow, by Content-Type and Accept."""

from __future__ import annotations

import io
import tempfile
import zlib
from pathlib import Path
from typing import Any

import polars as pl
from pydantic_core import from_json, to_json

from shoal.data.raw import Raw, read_any
from shoal.data.readers import ReadOptions
from shoal.errors import DataError, SettingError
from shoal.serve.problems import Refused

JSON, CSV = "application/json", "text/csv"
ARROW_STREAM, ARROW_FILE = "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"
FORMATS = (JSON, CSV, ARROW_STREAM, ARROW_FILE)
# What a file of each would be called, by which a reader knows it.
_ENDINGS = {CSV: ".csv", "text/tab-separated-values": ".tsv", ARROW_STREAM: ".arrow", ARROW_FILE: ".arrow"}
_TEXT = "application/x-www-form-urlencoded"  # what curl says of -d


def media_type(header: str) -> str:
    """Return the type of a body; 415 if it is none that is read.

    >>> media_type("application/json; charset=utf-8"), media_type("")
    ('application/json', 'application/json')
    """
    name = header.partition(";")[0].strip().lower() or JSON
    if name == JSON or name.endswith("+json") or name in _ENDINGS:
        return JSON if name.endswith("+json") else name
    hint = " (curl: -H 'Content-Type: application/json')" if name == _TEXT else ""
    raise Refused(415, f"expected a body of {_or(FORMATS)}, got {name!r}; say which in Content-Type{hint}")


def accepted(header: str) -> str:
    """Return the format in which an answer is wanted, JSON if all are welcome; 406 if none is.

    >>> accepted("text/html, text/csv;q=0.9"), accepted("*/*")
    ('text/csv', 'application/json')
    """
    if not header or header == "*/*":
        return JSON
    wanted = []
    for place, each in enumerate(header.split(",")):
        name, *rules = (part.strip().lower() for part in each.split(";"))
        weight = next((rule[2:] for rule in rules if rule.startswith("q=")), "1")
        try:
            wanted.append((-float(weight), place, name))
        except ValueError:
            continue
    for negative, _, name in sorted(wanted):
        if negative < 0 and (found := next((known for known in FORMATS if _fits(known, name)), None)):
            return found
    raise Refused(406, f"expected Accept to name {_or(FORMATS)}, got {header[:100]!r}")


def _fits(known: str, name: str) -> bool:
    return name in (known, "*/*") or (name.endswith("/*") and known.startswith(name[:-1]))


def _or(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def unpacked(body: bytes, encoding: str, megabytes: float) -> bytes:
    """Return a body without its Content-Encoding, gzip or none; 413 if it is larger than so many megabytes."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip"):
        raise Refused(415, f"expected Content-Encoding gzip or none, got {encoding[:40]!r}")
    most = int(megabytes * 1e6)
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(body, most + 1)
    except zlib.error as error:
        raise Refused(400, f"the body is no gzip: {error}") from None
    if len(plain) > most:
        raise Refused(413, f"expected {megabytes:g} MB at most when unpacked; send the rows in several requests")
    if not unpacking.eof or unpacking.unused_data:
        raise Refused(400, "the gzip of the body is cut off, or more follows it")
    return plain


def read_json(body: bytes) -> Any:
    """Return decoded JSON; 400 if it is none."""
    try:
        # NaN is read so that its column can be named
        return from_json(body, allow_inf_nan=True, cache_strings="keys")
    except ValueError as error:
        raise Refused(400, f"the body is no JSON: {error}") from None


def read_table(body: bytes, media: str, most: float) -> Raw:
    """Return a body of CSV or Arrow as `shoal predict` would read it from a file; 400 if it cannot be read."""
    if not body:
        raise Refused(400, "the body is empty; expected a table with a header and rows")
    with tempfile.TemporaryDirectory(prefix="shoal-") as folder:
        path = Path(folder) / f"body{_ENDINGS[media]}"
        path.write_bytes(body)
        try:
            raw = read_any(path, ReadOptions(kind="table"))
        except (DataError, SettingError) as error:
            raise Refused(400, str(error).replace(str(path), "the body")) from None
    if raw.table.estimated_size() > most * 4e6:
        raise Refused(413, f"the table takes more than {4 * most:g} MB; send the rows in several requests")
    return raw._replace(name="body", source="the body")


def as_json(answer: Any) -> bytes:
    """Return plain data as JSON, floats with all their digits, what is no finite number as null."""
    return to_json(answer, inf_nan_mode="null")


def encoded(frame: pl.DataFrame, media: str) -> bytes:
    """Return a table as CSV or Arrow."""
    out = io.BytesIO()
    if media == CSV:
        frame.write_csv(out)
    elif media == ARROW_STREAM:
        frame.write_ipc_stream(out)
    else:
        frame.write_ipc(out)
    return out.getvalue()
