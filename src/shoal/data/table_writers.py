"""Tables written as files: text, Parquet, and formats of the sciences, with units and where the numbers come from."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from shoal.data.astropy_writers import ecsv_file, fits_file, votable_file
from shoal.data.output import Output as Output
from shoal.data.output import plain_names, with_nan
from shoal.data.readers.packages import check_package
from shoal.data.science_writers import hdf5_file, netcdf_file, sqlite_file
from shoal.errors import SettingError, listing


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


def check_vectors(path: Path | None) -> None:
    """Raise SettingError if a format holds no columns of vectors."""
    if path is None or path.suffix.lower() in (".csv", ".tsv", ".sqlite", ".db"):
        can = listing([name for name in WRITERS if name not in (".csv", ".tsv", ".sqlite", ".db")], 20)
        into = "text on stdout" if path is None else path.suffix
        raise SettingError(f"--density gives vectors, which {into} does not hold; write with --out to one of {can}")


def _text(separator: str) -> Callable[[Output], bytes]:
    def write(output: Output) -> bytes:
        content = io.BytesIO()  # a text would be a copy, and its bytes another
        output.table.write_csv(content, separator=separator)
        return content.getvalue()

    return write


def _json_lines(output: Output) -> bytes:
    content = io.BytesIO()
    output.table.write_ndjson(content)
    return content.getvalue()


def _parquet(output: Output) -> bytes:
    content = io.BytesIO()
    output.table.write_parquet(content, metadata={f"shoal {name}": text for name, text in output.provenance.items()})
    return content.getvalue()


def _root(output: Output) -> bytes:
    """Return a ROOT file with the tree `shoal` of what is new, entry by entry: a friend of the tree that was read."""
    columns = output.table.select(output.new or output.table.columns).get_columns()
    names = plain_names([series.name for series in columns], "_")
    arrays = {names[series.name]: _root_array(series) for series in columns}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "friend.root")
        _write_tree(path, arrays, "; ".join(f"{name}: {text}" for name, text in output.provenance.items()))
        return path.read_bytes()


def _write_tree(path: Path, arrays: Mapping[str, np.ndarray], title: str) -> None:
    import uproot

    with uproot.recreate(path) as file:
        kinds = {
            name: "string" if a.dtype.kind == "O" else np.dtype((a.dtype, a.shape[1:])) for name, a in arrays.items()
        }
        file.mktree("shoal", kinds, title=title)
        file["shoal"].extend(
            {name: _strings(array) if array.dtype.kind == "O" else array for name, array in arrays.items()}
        )


def _root_array(series: pl.Series) -> np.ndarray:
    """Return the values as a branch holds them: missing numbers are NaN, missing texts empty."""
    values = with_nan(series)
    return values.astype(object) if values.dtype.kind == "U" else values


def _strings(values: np.ndarray) -> object:
    import awkward as ak

    return ak.Array(values.tolist())


WRITERS: dict[str, Callable[[Output], bytes]] = {
    ".csv": _text(","),
    ".tsv": _text("\t"),
    ".parquet": _parquet,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".fits": fits_file,
    ".vot": votable_file,
    ".votable": votable_file,
    ".ecsv": ecsv_file,
    ".h5": hdf5_file,
    ".hdf5": hdf5_file,
    ".nc": netcdf_file,
    ".sqlite": sqlite_file,
    ".db": sqlite_file,
    ".root": _root,
}
"""By extension: what gives the content of a file."""
_NEEDS = {
    ".root": ("uproot", "hep"),
    **dict.fromkeys((".fits", ".vot", ".votable", ".ecsv"), ("astropy", "astro")),
    **dict.fromkeys((".h5", ".hdf5", ".nc"), ("h5py", "science")),
}
