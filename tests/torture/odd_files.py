"""Good, changed and odd files of every format that shoal reads, made from a seed; a program that test_files.py runs.

odd_files.py changed FOLDER COUNT SEED
odd_files.py odd FOLDER short|full
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import shutil
import socket
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

ROWS = 40
_ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="a">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
)


def _table() -> pl.DataFrame:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(ROWS, 3)).round(3)
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": [f"k{i % 3}" for i in range(ROWS)], "y": x.sum(axis=1)})


def good_files() -> dict[str, bytes]:
    """Return the content of a good file of each format, by its extension; some formats have several."""
    table = _table()
    text = table.write_csv().encode()
    return {
        ".csv": text,
        ".tsv": table.write_csv(separator="\t").encode(),
        ".dat": text.replace(b",", b"   "),
        ".csv.gz": gzip.compress(text, mtime=0),
        ".csv.bz2": bz2.compress(text),
        ".csv.xz": lzma.compress(text),
        ".csv.zst": _zstd(text),
        ".zip": _zipped({"a.csv": text}),
        ".jsonl": table.write_ndjson().encode(),
        ".parquet": _written(table.write_parquet),
        ".arrow": _written(table.write_ipc),
        ".feather": _written(table.write_ipc_stream),
        ".ipc": _written(lambda out: table.write_ipc(out, compression="zstd")),
        ".npy": _written(lambda out: np.save(out, table.select("a", "b", "y").to_numpy())),
        ".npz": _written(lambda out: np.savez(out, X=table.select("a", "b").to_numpy(), y=table["c"].to_numpy())),
        ".xlsx": _written(lambda out: table.write_excel(out)),
        ".ods": ods(_ods_rows([table.columns, *table.rows()])),
        ".h5": _hdf5(),
        **_of_sciences(table),
        ".arff": "\n".join(
            ["@relation r", "@attribute a real", "@attribute 'b c' {k0,k1,k2}", "@attribute y numeric", "@data"]
            + [f"{a},{c},{y}" if y < 0 else f"{{0 {a}, 1 '{c}', 2 {y}}}" for a, _, c, y in table.rows()]
        ).encode(),
        ".ts": b"@problemName p\n@classLabel true u v\n@data\n"
        + b"\n".join(b"0.1,0.2,%d:3,4,?:%s" % (i, b"uv"[i % 2 : i % 2 + 1]) for i in range(ROWS)),
        ".images.npz": _written(lambda out: np.savez(out, X=_pixels(ROWS), y=np.arange(ROWS) % 2)),
        ".series.npy": _written(lambda out: np.save(out, np.zeros((ROWS, 7, 2)))),
        **{f".{kind}": image(kind) for kind in ("png", "jpg", "tif", "bmp", "gif")},
    }


def _zstd(content: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.compress(content)


def _of_sciences(table: pl.DataFrame) -> dict[str, bytes]:
    """Return a FITS, VOTable, ECSV, ROOT, HDF5, SQLite, NetCDF and Zarr file with a table."""
    import sqlite3
    import tempfile

    import duckdb
    import h5py
    import pyreadstat
    import scipy.io
    import uproot
    import xarray
    from astropy.table import Table

    columns = {name: table[name].to_numpy() for name in ("a", "b", "y")}
    texts = Table({**columns, "c": table["c"].to_list()})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        for name, form in ((".fits", "fits"), (".vot", "votable"), (".ecsv", "ascii.ecsv")):
            texts.write(path / f"t{name}", format=form)
        with uproot.recreate(path / "t.root") as file:
            file.mktree("t", {name: "float64" for name in columns})
            file["t"].extend(columns)
        with h5py.File(path / "t.table.h5", "w") as file:
            for name, values in columns.items():
                file[name] = values
        grid = xarray.Dataset({name: (("n", "m"), values.reshape(-1, 2)) for name, values in columns.items()})
        grid.to_netcdf(path / "t.nc", engine="scipy")
        grid.to_netcdf(path / "t.nc4", engine="netcdf4")
        grid.to_zarr(path / "zarr", consolidated=False)
        parts = {each.relative_to(path / "zarr"): each for each in sorted((path / "zarr").rglob("*")) if each.is_file()}
        (path / "t.zarr.zip").write_bytes(_zipped({str(name): each.read_bytes() for name, each in parts.items()}))
        shutil.rmtree(path / "zarr")
        pyreadstat.write_sav(table, path / "t.spss.sav", variable_value_labels={"y": {0: "none"}})
        pyreadstat.write_sav(table, path / "t.zsav", compress=True)
        pyreadstat.write_dta(table, path / "t.dta")
        pyreadstat.write_xport(table, path / "t.xpt")
        for name in ("struct_scalars_replicated", "various_compressed"):
            saved = Path(scipy.io.__file__).parent / "tests" / "data" / f"{name}.sav"
            (path / f"t.{name[:6]}.sav").write_bytes(saved.read_bytes() if saved.exists() else b"SR\0\4")
        scipy.io.savemat(path / "t.mat", {**columns, "s": {"u": np.arange(3)}}, do_compression=True)
        with duckdb.connect(path / "t.duckdb") as ducks:
            ducks.execute("CREATE TABLE t (a DOUBLE, b DOUBLE, y DOUBLE)")
            ducks.executemany("INSERT INTO t VALUES (?, ?, ?)", table.select("a", "b", "y").rows())
        database = sqlite3.connect(path / "t.sqlite")
        database.execute("CREATE TABLE t (a, b, y)")
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", table.select("a", "b", "y").rows())
        database.commit()
        database.close()
        return {each.name.removeprefix("t"): each.read_bytes() for each in sorted(path.iterdir())}


def image(kind: str, mode: str = "RGB", size: tuple[int, int] = (12, 10)) -> bytes:
    """Return an image file."""
    from PIL import Image

    draw = np.random.default_rng(1)
    pixels = Image.fromarray(draw.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)).convert(mode)
    return _written(lambda out: pixels.save(out, {"jpg": "JPEG", "tif": "TIFF"}.get(kind, kind.upper())))


def ods(rows: str) -> bytes:
    """Return an OpenDocument sheet with these rows."""
    return _zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": _ODS.format(rows=rows).encode(),
            "META-INF/manifest.xml": b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:'
            b'manifest:1.0"/>',
        }
    )


def changed(content: bytes, others: list[bytes], draw: random.Random) -> bytes:
    """Return a content with one to three changes; inside an archive in half of the cases."""
    if content.startswith(b"PK") and draw.random() < 0.5:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        name = draw.choice(sorted(parts))
        return _zipped({**parts, name: changed(parts[name], list(parts.values()), draw)})
    if content.startswith(b"\x1f\x8b") and draw.random() < 0.5:
        return gzip.compress(changed(gzip.decompress(content), others, draw), mtime=0)
    for _ in range(draw.randint(1, 3)):
        content = draw.choice(_CHANGES)(content, others, draw)
    return content


def _flip(content: bytes, others: list[bytes], draw: random.Random) -> bytes:
    del others
    new = bytearray(content)
    for _ in range(draw.choice((1, 1, 3, 20)) if new else 0):
        new[draw.randrange(len(new))] ^= 1 << draw.randrange(8)
    return bytes(new)


def _truncate(content: bytes, others: list[bytes], draw: random.Random) -> bytes:
    del others
    return content[: draw.randint(0, len(content))]


def _splice(content: bytes, others: list[bytes], draw: random.Random) -> bytes:
    other = draw.choice(others)
    start, at = draw.randint(0, len(other)), draw.randint(0, len(content))
    return content[:at] + other[start : start + draw.randint(0, 200)] + content[at + draw.randint(0, 200) :]


def _repeat(content: bytes, others: list[bytes], draw: random.Random) -> bytes:
    del others
    start = draw.randint(0, len(content))
    return content[:start] + content[start : start + draw.randint(1, 500)] * draw.randint(2, 9) + content[start:]


def _extreme(content: bytes, others: list[bytes], draw: random.Random) -> bytes:
    """Set some bytes to what lengths and counts are afraid of."""
    del others
    at = draw.randint(0, max(0, len(content) - 8))
    new = draw.choice((b"\xff" * 4, b"\0" * 8, b"\xff\xff\xff\x7f", b"99999999", b"\x7f" + b"\xff" * 7, b"\n\n", b'"'))
    return content[:at] + new + content[at + len(new) :]


def _empty(content: bytes, others: list[bytes], draw: random.Random) -> bytes:
    del content, others, draw
    return b""


_CHANGES = (*(_flip,) * 4, *(_truncate,) * 2, *(_splice,) * 2, _repeat, *(_extreme,) * 3)


def write_changed(folder: Path, count: int, seed: int) -> Iterator[tuple[str, Path]]:
    """Write changed files of all formats in turn and give (format, path of the file or folder of images)."""
    good, draw = good_files(), random.Random(seed)
    for number in range(count):
        extension = list(good)[number % len(good)]
        content = changed(good[extension], list(good.values()), draw) if number >= len(good) else b""
        path = folder / f"{number:04}{extension}"
        if extension in (".png", ".jpg", ".tif", ".bmp", ".gif"):
            path = folder / f"{number:04}"
            path.mkdir()
            for i in range(11):
                (path / f"{i}{extension}").write_bytes(good[extension])
            (path / f"odd{extension}").write_bytes(content)
        else:
            path.write_bytes(content)
        yield extension, path


def write_odd(folder: Path, *, full: bool) -> Iterator[Path]:
    """Write the odd files that were thought of, and give their paths; the largest only in full."""
    for name, content in {**_odd_texts(full), **_odd_archives(), **_odd_arrays()}.items():
        path = folder / name
        path.write_bytes(content() if callable(content) else content)
        yield path
    yield from _odd_names(folder)
    yield from _odd_kinds(folder)
    yield from _liars(folder)
    yield from _odd_images(folder)
    yield from _odd_hdf5(folder)
    yield _many_rows(folder / "rows.parquet")
    yield _many_rows(folder / "rows.ipc")


def _odd_texts(full: bool) -> dict[str, bytes | Callable[[], bytes]]:
    text = _table().write_csv()
    columns = 1_000_000 if full else 100_001
    return {
        "columns.csv": ",".join(f"c{i}" for i in range(columns)).encode() + b"\n" + b"\n".join([b"1," * columns] * 3),
        "columns2.csv": b"\n".join([b"1," * (columns - 1) + b"2"] * 3),
        "columns3.csv": b"\n".join([b"1," * 2_999 + b"%d" % i for i in range(12)]),
        "line.csv": lambda: b"a,b\n1," + b"9" * (1_000_000_000 if full else 50_000_000),
        "line.txt": lambda: b"x" * (1_000_000_000 if full else 50_000_000),
        "nul.csv": text.encode().replace(b"k1", b"\0"),
        "utf16.csv": text.encode("utf-16"),
        "utf16le.csv": text.encode("utf-16-le"),
        "utf32.csv": text.encode("utf-32"),
        "bom.csv": text.encode("utf-8-sig"),
        "bom2.csv": b"\xef\xbb\xbf" * 2 + text.encode(),
        "latin.csv": text.replace("k", "ü").encode("latin-1"),
        "mixed.csv": text.replace("k", "ü").encode() + "1,2,ü,3\n".encode("latin-1"),
        "open.csv": text.encode().replace(b"k1", b'"k1', 1),
        "quotes.csv": text.encode().replace(b"k", b'"'),
        "quote.csv": b'"',
        "ragged.csv": text.encode() + b"1,2\n1,2,3,4,5\n",
        "twice.csv": b"a,a,b\n" + b"1,2,3\n" * 9,
        "nameless.csv": b",,\n" + b"1,2,3\n" * 9,
        "header.csv": b"a,b,c\n",
        "header2.csv": b"a,b,c",
        "numbers.csv": b"1",
        "missing.csv": b"a,b\n" + b"NA,\n" * 30,
        "commas.csv": b",,,\n" * 30,
        "newlines.csv": b"\n" * 30,
        "comments.csv": b"# a\n" * 30,
        "spaces.csv": b"   \t \n" * 30,
        "returns.csv": text.encode().replace(b"\n", b"\r"),
        "one.csv": b"a\n" + b"1\n2\n" * 20,
        "same.csv": b"a,y\n" + b"1,1\n" * 40,
        "large.csv": b"a,y\n" + b"".join(b"%d.5e307,-1e308\n1e-320,1e308\n" % i for i in range(1, 10)) * 3,
        "infinite.csv": b"a,y\n" + b"inf,1\n-inf,2\nnan,3\n" * 20,
        "integers.csv": b"a,y\n" + b"".join(b"9%d,1\n" % (10**i) for i in range(60)),
        "minus.csv": b"a,y\n" + "−1,2\n".encode() * 40,
        "dates.csv": b"t,y\n" + b"99999-99-99T99:99,1\n0000-00-00,2\n" * 20,
        "names.csv": ("a\u202eb,\U0001f41f,\u0301,y\n" + "1,2,3,4\n5,6,7,8\n" * 20).encode(),
        "long name.csv": b"a" * 100_000 + b",y\n" + b"1,2\n3,4\n" * 20,
        "broken name.csv": b'"a\nb","c ""d""\t",y\n' + b"1,2,3\n4,5,6\n" * 20,
        "deep.jsonl": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "deep2.jsonl": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "deep3.jsonl": b"[" * 1_000_000,
        "deep4.jsonl": b'{"a": 1}\n' * 20 + b'{"a":' * 50_000,
        "surrogate.jsonl": b'{"a": "\\ud800", "y": 1}\n' * 20,
        "integer.jsonl": b'{"a": ' + b"9" * 100_000 + b', "y": 1}\n',
        "nan.jsonl": b'{"a": NaN, "y": Infinity}\n{"a": 1, "y": 2}\n' * 20,
        "keys.jsonl": b'{"": 1, "": 2, "a": 1, "a": "x"}\n' * 20,
        "objects.jsonl": b"{}\n" * 20,
        "kinds.jsonl": b'{"a": 1}\n{"a": "x"}\n{"a": null}\n{"a": true}\n[1]\n',
        "one.ts": b"@",
        "two.ts": b"@\n@data",
        "three.ts": b"@data",
        "long.ts": b"@seriesLength 1000000000\n@classLabel true a b\n@data\n"
        + b"1," * 300_000
        + b"1:a\n"
        + b"1:b\n" * 5000,
        "label.ts": b"@classLabel true\n@data\n:\n::\n1:\n",
        "numbers.ts": b"@targetLabel true\n@data\n1,1e400,nan:1e999\n?,?,?:2\n" * 5,
        "latin.ts": b"@classLabel true \xff\n@data\n1:\xff\n",
    }


def _odd_archives() -> dict[str, bytes | Callable[[], bytes]]:
    sheet = _written(lambda out: _table().write_excel(out))
    cells, end, cell = "xl/worksheets/sheet1.xml", "</sheetData>", '<c r="XFC1048575"><v>1</v></c>'
    member = gzip.compress(b"1" * 100_000_000, 1, mtime=0)
    value = '<table:table-cell office:value-type="float" office:value="1" {}/>'
    empty = "<table:table-row {}><table:table-cell/></table:table-row>"
    far = "<table:table-row {}>" + value.format('table:number-columns-repeated="16384"') + "</table:table-row>"
    return {
        "bomb.csv.gz": member * 60,
        "bomb.jsonl.gz": member * 60,
        "bomb.ts.gz": member * 60,
        "bomb.csv.bz2": lambda: bz2.compress(b"1" * 50_000_000, 1) * 60,
        "bomb.csv.xz": lambda: lzma.compress(bytes(50_000_000), preset=0) * 60,
        "bomb.csv.zst": lambda: _zstd(bytes(50_000_000)) * 60,
        "bomb.zip": lambda: _zipped({"a.csv": b"1" * 1_000_000_000}),
        "two.zip": _zipped({"a.csv": b"a,b\n", "b.csv": b"a,b\n"}),
        "names.zip": _zipped({"../../a.csv": b"a,b\n" + b"1,2\n3,4\n" * 20}),
        "zip.zip": _zipped({"a.zip": _zipped({"a.csv": b"a,b\n1,2\n"})}),
        "nothing.zip": _zipped({}),
        "tail.csv.gz": gzip.compress(b"a,b\n1,2\n" * 20) + b"\0" * 1000,
        "garbage.csv.gz": gzip.compress(b"a,b\n1,2\n" * 20) + b"garbage",
        "twice.csv.gz": gzip.compress(gzip.compress(b"a,b\n1,2\n" * 20)),
        "stray.xlsx": _with_part(sheet, cells, end, f'<row r="1048575">{cell}</row>{end}'),
        "bomb.xlsx": lambda: _with_part(sheet, cells, end, " " * 400_000_000 + end),
        "laughs.xlsx": _with_part(sheet, "xl/workbook.xml", "<workbook", _laughs() + "<workbook"),
        "no sheet.xlsx": _with_part(sheet, "xl/workbook.xml", "<sheets>", "<sheets></sheets><sheets>"),
        "no part.xlsx": _zipped({"xl/workbook.xml": b"<workbook/>"}),
        "ole.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        "ole2.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 5000,
        "rows.ods": ods(far.format('table:number-rows-repeated="1048576"')),
        "columns.ods": ods(_ods_rows([("a", "y"), *((i, 2 * i) for i in range(30))]) + far.format("")),
        "far.ods": ods(empty.format('table:number-rows-repeated="1048575"') + far.format("")),
        "huge.ods": ods(far.format('table:number-rows-repeated="99999999999999999999"')),
        "bomb.npz": lambda: _zipped({"X.npy": _header((90_000_000, 8)) + bytes(400_000_000), "y.npy": _header((9,))}),
        "names.npz": _zipped({"../../x.npy": _npy(np.zeros((30, 2))), "/y.npy": _npy(np.zeros(30))}),
        "twice.npz": _zipped({"X.npy": _npy(np.zeros((30, 2))), "x.npy": _npy(np.zeros((30, 2)))}),
    }  # fmt: skip


def _odd_arrays() -> dict[str, bytes | Callable[[], bytes]]:
    return {
        "rows.npy": _header((10**9, 8)) + bytes(100),
        "rows3.npy": _header((10**9, 28, 28)) + bytes(100),
        "rows.npz": _zipped({"X.npy": _header((10**9, 8)) + bytes(100), "y.npy": _header((10**9,)) + bytes(100)}),
        "rows3.npz": _zipped({"X.npy": _header((10**9, 8, 3)) + bytes(100), "y.npy": _header((10**9,)) + bytes(100)}),
        "huge.npy": _header((2**62, 2**62)),
        "negative.npy": _header((-1, 3)) + bytes(240),
        "nothing.npy": _header((0, 3)),
        "nothing3.npy": _header((30, 0, 3)),
        "scalar.npy": _npy(np.float64(3)),
        "text.npy": _header((1, 1), "<U1000000000"),
        "void.npy": _npy(np.zeros((30, 2), "V8")),
        "fields.npy": _npy(np.zeros(30, [("a", "f8"), ("b", "i4")])),
        "complex.npy": _npy(np.zeros((30, 2), complex)),
        "dates.npy": _npy(np.zeros((30, 2), "M8[ns]")),
        "half.npy": _npy(np.full((30, 2), 65504, np.float16)),
        "long.npy": _npy(np.zeros((30, 2), np.longdouble)),
        "object.npy": _npy(np.array([[1, "a"]] * 30, object), allow_pickle=True),
        "five.npy": _npy(np.zeros((30, 2, 2, 2, 2))),
        "nan.npy": _npy(np.full((30, 8, 8), np.nan)),
        "code.npy": b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': __import__('os'), 'shape': (3,)}".ljust(117) + b"\n",
        "length.npy": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'",
    }


def _odd_names(folder: Path) -> Iterator[Path]:
    text = _table().write_csv()
    yield folder / f"{'n' * 300}.csv"
    yield folder / ("n" * 300)
    yield folder / "no such folder" / "a.csv"
    yield folder / "nul\0.csv"
    for name in (
        "line\nend.csv",
        "a*b[1].csv",
        "[red]a[",
        "-x.csv",
        "~.csv",
        "ü\u202e.csv",
        os.fsdecode(b"\xff\xfe.csv"),
    ):
        path = folder / name
        path.write_text(text)
        yield path
    bad = folder / os.fsdecode(b"images \xff")
    bad.mkdir()
    (bad / "1.png").write_bytes(image("png"))
    yield bad
    inner = folder / "image names"
    (inner / os.fsdecode(b"class \xff")).mkdir(parents=True)
    (inner / "a").mkdir()
    (inner / "a" / os.fsdecode(b"\xff.png")).write_bytes(image("png"))
    (inner / os.fsdecode(b"class \xff") / "1.png").write_bytes(image("png"))
    yield inner


def _odd_kinds(folder: Path) -> Iterator[Path]:
    """A folder, a pipe, a socket, devices and links under the name of a table."""
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    for name, target in {
        "null.csv": "/dev/null",
        "zero.csv": "/dev/zero",
        "full.npy": "/dev/full",
        "broken.csv": "nowhere.csv",
        "loop.csv": "loop.csv",
        "loop.h5": "loop.h5",
    }.items():
        (folder / name).symlink_to(target)
        yield folder / name
    here = os.getcwd()
    os.chdir(folder)  # names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.csv")
    finally:
        os.chdir(here)
    yield from (folder / name for name in ("folder.csv", "pipe.csv", "socket.csv"))


def _liars(folder: Path) -> Iterator[Path]:
    """Every format under the extension of every other."""
    good = good_files()
    for extension, content in good.items():
        for other in (".csv", ".jsonl", ".parquet", ".arrow", ".npy", ".npz", ".xlsx", ".h5", ".ts", ".csv.gz", ".xls"):
            path = folder / f"liar{extension.replace('.', '-')}{other}"
            path.write_bytes(content)
            yield path
        path = folder / f"liar{extension.replace('.', '-')}"
        path.mkdir()
        (path / "1.png").write_bytes(content)
        yield path


def _odd_images(folder: Path) -> Iterator[Path]:
    for name, images in _image_sets().items():
        path = folder / f"images {name}"
        path.mkdir()
        for file, content in images.items():
            (path / file).write_bytes(content)
        yield path
    (folder / "outside.png").write_bytes(image("png"))
    for name, row in {
        "up": "../outside.png",
        "absolute": str(folder / "outside.png"),
        "link": "link.png",
        "itself": ".",
        "empty": '""',
        "long": "a" * 5000,
        "nul": "a\0b",
    }.items():
        path = folder / f"labels {name}"
        path.mkdir()
        (path / "link.png").symlink_to(folder / "outside.png")
        (path / "labels.csv").write_text("file,y\n" + "".join(f"{i}.png,{i}\n" for i in range(12)) + f"{row},3\n")
        for i in range(12):
            (path / f"{i}.png").write_bytes(image("png"))
        yield path


def _image_sets() -> dict[str, dict[str, bytes]]:
    from PIL import Image

    frames = [Image.new("P", (8, 8), i) for i in range(5)]
    good = {f"{i}.png": image("png") for i in range(3)}
    return {
        "declared": {f"{i}.png": _png(100_000, 100_000) for i in range(3)},
        "nothing": {"1.png": _png(0, 0)},
        "large": {f"{i}.png": _png(13_000, 13_000) for i in range(40)},
        "one large": {**good, "large.png": _png(100_000, 100_000)},
        "animated": {
            "1.gif": _written(lambda out: frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])),
            "2.png": _written(lambda out: frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])),
            "3.tif": _written(lambda out: frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])),
        },
        "modes": {
            f"{i}.{kind}": image(kind, mode)
            for i, (kind, mode) in enumerate(
                [("jpg", "CMYK"), ("png", "1"), ("png", "P"), ("png", "LA"), ("png", "RGBA"), ("tif", "CMYK"),
                 ("tif", "LAB"), ("tif", "YCbCr"), ("bmp", "1"), ("gif", "L")]
            )
        },
        "deep": {"1.png": image("png", "I;16"), "2.png": image("png", "L")},
        "real": {"1.tif": image("tif", "F"), "2.tif": image("tif", "I")},
        "text": {"1.png": b"no image", "2.jpg": b""},
        "program": {"1.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"},
        "vector": {"1.png": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"},
    }  # fmt: skip


def _png(width: int, height: int) -> bytes:
    """Return a small file that declares a large image."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _odd_hdf5(folder: Path) -> Iterator[Path]:
    import h5py

    def made(name: str, **datasets: object) -> Path:
        with h5py.File(folder / name, "w") as file:
            for key, value in datasets.items():
                if isinstance(value, dict):
                    file.create_dataset(key, **value)
                elif isinstance(value, h5py.SoftLink | h5py.ExternalLink):
                    file[key] = value
                else:
                    file[key] = value
        return folder / name

    x, y = _pixels(ROWS), np.arange(ROWS) % 2
    yield made("rows.h5", X={"shape": (10**9, 28, 28), "dtype": "f4", "chunks": (1, 28, 28)}, y=y)
    yield made("targets.h5", X=x, y={"shape": (10**10,), "dtype": "f8", "chunks": (1000,)})
    yield made("nothing.h5")
    yield made("empty.h5", X=h5py.Empty("f4"), y=y)
    yield made("scalar.h5", X=3.0, y=y)
    yield made("text.h5", X="abc", y=y)
    yield made("texts.h5", X=x, y=[f"k{i % 2}" for i in range(ROWS)])
    yield made("fields.h5", X=np.zeros(30, [("a", "f8"), ("b", "i4")]), y=y)
    yield made("link.h5", X=h5py.SoftLink("/nowhere"), y=y)
    yield made("cycle.h5", X=h5py.SoftLink("/X"), y=y)
    yield made("external.h5", X=h5py.ExternalLink("/etc/passwd", "/"), y=y)
    yield made("lengths.h5", X={"shape": (ROWS,), "dtype": h5py.vlen_dtype("f4")}, y=y)
    yield made("reference.h5", X={"shape": (ROWS,), "dtype": h5py.ref_dtype}, y=y)
    yield made("shorter.h5", X=x, y=y[:5])


def _many_rows(path: Path) -> Path:
    """Write a small file that declares more rows than memory has room for."""
    import pyarrow as pa
    from pyarrow import ipc, parquet

    part = pa.table({"a": np.zeros(10_000_000), "b": np.zeros(10_000_000)})
    if path.suffix == ".parquet":
        with parquet.ParquetWriter(path, part.schema, compression="zstd") as writer:
            for _ in range(20):
                writer.write_table(part)
    else:
        with ipc.new_file(path, part.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
            for _ in range(20):
                writer.write_table(part)
    return path


def _hdf5() -> bytes:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_dataset("X", data=_pixels(ROWS), chunks=(4, 8, 8), compression="gzip")
        file["y"] = np.arange(ROWS) % 2
    return out.getvalue()


def _pixels(rows: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 255, (rows, 8, 8), dtype=np.uint8)


def _ods_rows(rows: list[tuple[object, ...]] | list[object]) -> str:
    def cell(value: object) -> str:
        kind = f'"float" office:value="{value}"' if isinstance(value, float | int) else '"string"'
        return f"<table:table-cell office:value-type={kind}><text:p>{value}</text:p></table:table-cell>"

    return "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)


def _laughs() -> str:
    entities = ['<!ENTITY a0 "ha">', *(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))]
    return f"<!DOCTYPE w [{''.join(entities)}]>"


def _with_part(content: bytes, name: str, old: str, new: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    assert old.encode() in parts[name]
    return _zipped({**parts, name: parts[name].replace(old.encode(), new.encode())})


def _zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _header(shape: tuple[int, ...], kind: str = "<f8") -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": kind, "fortran_order": False, "shape": shape})
    return out.getvalue()


def _npy(array: object, allow_pickle: bool = False) -> bytes:
    return _written(lambda out: np.save(out, np.asarray(array), allow_pickle=allow_pickle))


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


if __name__ == "__main__":
    what, where, *numbers = sys.argv[1:]
    files = (
        (path for _, path in write_changed(Path(where), int(numbers[0]), int(numbers[1])))
        if what == "changed"
        else write_odd(Path(where), full=numbers[0] == "full")
    )
    print(json.dumps([str(path) for path in files]))
