"""Zarr, versions 2 and 3, in folders and zip archives; needs the extra `shoal[zarr]`."""

from __future__ import annotations

import base64
import struct
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data.readers.base import Content
from shoal.data.readers.files import first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.packages import check_package
from shoal.data.readers.tables.base import TableReader
from shoal.data.readers.tables.grids import GridVariable, content_of_grid
from shoal.errors import DataError

# Others may run code, as that of Python objects does.
_CODECS = frozenset(
    ("blosc", "zstd", "zlib", "gzip", "lz4", "bz2", "lzma", "shuffle", "delta", "fixedscaleoffset", "quantize",
     "packbits", "astype", "bitround", "vlen-utf8", "vlen-bytes", "json2", "adler32", "crc32", "crc32c", "fletcher32",
     "bytes", "transpose", "sharding_indexed")
)  # fmt: skip
_ENDINGS = (".zarr", ".zarr.zip")
_MOST_CHUNKS = 1_000_000


class ZarrReader(TableReader):
    """The arrays over the same dimensions of a Zarr group, a row for each place, with the coordinates as columns."""

    name = "Zarr"
    extensions = (".zarr",)

    def takes(self, path: Path, options: ReadOptions) -> bool:  # noqa: ARG002 (they say nothing about the format)
        """Return whether the name ends as Zarr's do, or a folder has the description of a group in it."""
        described = path.is_dir() and any((path / name).is_file() for name in ("zarr.json", ".zgroup"))
        return described or path.name.lower().endswith(_ENDINGS)

    def parse(self, path: Path, options: ReadOptions) -> Content:
        """Return the table in `path`; where arrays have different dimensions, that over those that are named."""
        check_package("zarr", "zarr", f"{path}: Zarr")
        import zarr

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                store: Any = zarr.storage.LocalStore if path.is_dir() else zarr.storage.ZipStore
                opened = store(path, read_only=True)
                try:
                    group = zarr.open_group(opened, mode="r", use_consolidated=False)
                    return content_of_grid(dict(_variables(group, path)), path, options.table)
                finally:
                    opened.close()
        except DataError:
            raise
        except Exception as error:  # zarr raises nearly anything on damaged bytes
            raise DataError(f"{path} is no readable Zarr group ({first_line(error)}). Write it again.") from error

    def _check_format(self, path: Path) -> None:
        if not zipfile.is_zipfile(path):
            raise DataError(f"{path} is named as Zarr, but is neither a folder nor a zip archive. Write it again.")
        try:
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
        except Exception as error:  # zipfile raises nearly anything on damaged bytes
            damaged = first_line(error)
        if damaged is not None:
            raise DataError(f"{path} is a damaged zip archive ({damaged}). Copy or download it again.")


def _variables(group: Any, path: Path) -> Iterator[tuple[str, GridVariable]]:
    import zarr

    for name, array in sorted(group.members(max_depth=None)):
        if not isinstance(array, zarr.Array) or np.dtype(array.dtype).kind not in "biufSUTMO":
            continue
        _check_codecs(array, f"{path}: array {name!r}")
        if array.nchunks > _MOST_CHUNKS:
            raise DataError(f"{path}: array {name!r} has {array.nchunks:,} chunks. Write it in larger ones.")
        dims: Any = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
        if len(dims) != array.ndim or None in dims:
            dims = [f"length_{length}" for length in array.shape]
        fill, attributes = _fill(array), {key: value for key, value in dict(array.attrs).items() if key != "_FillValue"}
        attributes |= {} if fill is None else {"_FillValue": fill}
        yield name, GridVariable(tuple(dims), array.shape, np.dtype(array.dtype), attributes, _loader(array))


def _loader(array: Any) -> Any:
    def load() -> np.ndarray:
        values = np.asarray(array[...])
        return values.astype(object) if values.dtype.kind == "T" else values

    return load


def _check_codecs(array: Any, where: str) -> None:
    """Refuse arrays whose decoding could run code."""
    if array.metadata.zarr_format == 2:
        codecs = [array.metadata.compressor, *(array.metadata.filters or ())]
        names = [str(codec.codec_id) for codec in codecs if codec is not None]
    else:
        names = [str(codec.to_dict()["name"]).removeprefix("numcodecs.") for codec in array.metadata.codecs]
    unknown = sorted(set(names) - _CODECS)
    if unknown:
        raise DataError(f"{where} is written by the codec {unknown[0]!r}, which is not read. Write it with another.")


def _fill(array: Any) -> Any:
    """Return what stands for no value: the fill value in version 2, an attribute in 3.

    Zero, which zarr takes in version 2 where nobody says otherwise, is a value.
    """
    if array.metadata.zarr_format == 2:
        return array.metadata.fill_value or None
    fill = array.attrs.get("_FillValue")
    if isinstance(fill, str) and np.dtype(array.dtype).kind == "f":
        return struct.unpack("<d", base64.b64decode(fill))[0]
    return fill
