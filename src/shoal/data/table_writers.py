"""Tables written as files: text, Parquet, and formats of the sciences, with units and where the numbers come from."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from shoal.data.readers.packages import check_package


@dataclass(frozen=True)
class Output:
    """What is written.

    Attributes:
        table: all columns.
        new: the names of those that are not the reader's own, such as predictions.
        units: of columns, as far as they are known.
        provenance: where the numbers come from: run, checksum, versions, command.
    """

    table: pl.DataFrame
    new: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)


def content_of(output: Output, path: Path) -> bytes:
    """Return the content of a file in the format that its extension names.

    Raises:
        DataError: a package is missing, or the format cannot hold a column.
    """
    return WRITERS[path.suffix.lower()](output)


def check_writer(path: Path) -> None:
    """Raise DataError if a package that writes a format is missing, before there is anything to write."""
    if path.suffix.lower() in _NEEDS:
        check_package(*_NEEDS[path.suffix.lower()], path.suffix)


def _text(separator: str) -> Callable[[Output], bytes]:
    def write(output: Output) -> bytes:
        return output.table.write_csv(separator=separator).encode()

    return write


def _json_lines(output: Output) -> bytes:
    content = io.BytesIO()
    output.table.write_ndjson(content)
    return content.getvalue()


def _parquet(output: Output) -> bytes:
    content = io.BytesIO()
    output.table.write_parquet(content, metadata={f"shoal {name}": text for name, text in output.provenance.items()})
    return content.getvalue()


def _fits(output: Output) -> bytes:
    """Return a FITS file with one table; nulls of integers and texts are told by TNULL and empty texts."""
    from astropy.table import MaskedColumn, Table

    table = Table()
    for series in output.table.get_columns():
        values, missing = _array(series)
        column = MaskedColumn(values, mask=missing) if missing.any() and values.dtype.kind not in "fU" else values
        table[series.name] = column
        if unit := output.units.get(series.name):
            table[series.name].unit = _unit(unit)
    table.meta["EXTNAME"] = "PREDICTIONS"
    table.meta["comments"] = [f"shoal {name}: {text}" for name, text in output.provenance.items()]
    content = io.BytesIO()
    table.write(content, format="fits")
    return content.getvalue()


def _unit(text: str) -> object:
    """Return a unit as astropy knows it, else as it is."""
    from astropy.units import Unit

    return Unit(text, parse_strict="silent")


def _root(output: Output) -> bytes:
    """Return a ROOT file with the tree `shoal` of what is new, entry by entry: a friend of the tree that was read."""
    columns = output.table.select(output.new or output.table.columns).get_columns()
    arrays = {_branch(series.name): _root_array(series) for series in columns}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "friend.root")
        _write_tree(path, arrays, "; ".join(f"{name}: {text}" for name, text in output.provenance.items()))
        return path.read_bytes()


def _write_tree(path: Path, arrays: Mapping[str, np.ndarray], title: str) -> None:
    import uproot

    with uproot.recreate(path) as file:
        kinds = {name: "string" if array.dtype.kind == "O" else array.dtype for name, array in arrays.items()}
        file.mktree("shoal", kinds, title=title)
        file["shoal"].extend(
            {name: _strings(array) if array.dtype.kind == "O" else array for name, array in arrays.items()}
        )


def _branch(name: str) -> str:
    """Return a column's name as a branch may be called."""
    return "".join(letter if letter.isalnum() else "_" for letter in name) or "_"


def _root_array(series: pl.Series) -> np.ndarray:
    """Return the values as a branch holds them: missing numbers are NaN, missing texts empty."""
    values, missing = _array(series)
    if values.dtype.kind == "U":
        return values.astype(object)
    if missing.any() and values.dtype.kind in "biu":
        return np.where(missing, np.nan, values.astype(np.float64))
    return values


def _strings(values: np.ndarray) -> object:
    import awkward as ak

    return ak.Array(values.tolist())


def _array(series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return a column as an array without nulls, and which values are missing."""
    missing = series.is_null().to_numpy()
    if series.dtype.is_temporal():
        series = series.cast(pl.String)
    if series.dtype == pl.Boolean:
        return series.fill_null(value=False).to_numpy(), missing
    if series.dtype.is_float():
        return series.fill_null(float("nan")).to_numpy(), missing
    if series.dtype.is_numeric():
        return series.fill_null(0).to_numpy(), missing
    return np.array(series.cast(pl.String).fill_null("").to_list(), dtype=np.str_), missing


WRITERS: dict[str, Callable[[Output], bytes]] = {
    ".csv": _text(","),
    ".tsv": _text("\t"),
    ".parquet": _parquet,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".fits": _fits,
    ".root": _root,
}
"""By extension: what gives the content of a file."""
_NEEDS = {".fits": ("astropy", "astro"), ".root": ("uproot", "hep")}
