"""A folder of image files: one folder for each class, a table of labels beside them, or images alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import polars as pl

from shoal.data.readers.base import Content, Reader
from shoal.data.readers.files import check_name
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.signals.image_files import read_images
from shoal.data.readers.tables.text_files import TextReader
from shoal.data.roles import Roles
from shoal.errors import DataError, listing, suggest

EXTENSIONS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif")
LABELS = "labels.csv"
_FILE_NAMES = ("file", "filename", "file_name", "image", "path", "name")


class ImageFolderReader(Reader):
    """PNG, JPEG, TIFF, BMP and GIF files in a folder.

    * `photos/cat/1.png`, `photos/dog/1.png`: the name of the folder is the class; the table is `class`, `file`.
    * `photos/labels.csv` with a column `file` beside columns of targets.
    * `photos/1.png`: no targets; the table is `file`.
    """

    name = "images"
    gives_signals = True

    def takes(self, path: Path, options: ReadOptions) -> bool:
        """Return whether there is an image in the folder or in a folder in it."""
        if options.kind == "series" or not path.is_dir():
            return False
        inner = (file for folder in _visible(path) if folder.is_dir() for file in _visible(folder))
        return any(_is_image(file) for file in chain(_visible(path), inner)) or options.kind == "images"

    def read(self, path: Path, options: ReadOptions) -> Content:
        """Return the images in the order of their classes and names, brought to one size.

        Raises:
            DataError: no image, folders that are no classes, files that do not fit together, many damaged ones.
        """
        if (path / LABELS).is_file():
            return _labelled(path, options)
        files, skipped = _find_images(path)
        pixels = read_images(path, files, options)
        files = [files[i] for i in pixels.kept]
        columns = {"class": [file.parent.name for file in files]} if files[0].parent != path else {}
        columns["file"] = [file.relative_to(path).as_posix() for file in files]
        roles = Roles(target=["class"] if len(columns) == 2 else [], id="file")
        return Content(pl.DataFrame(columns), roles, pixels.signals, (*_skipped(skipped), *pixels.notes))


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if not path.name.startswith((".", "__")))


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS and path.is_file()


def _find_images(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the images of all classes in order, and what else was in the way."""
    classes = sorted((folder for folder in _visible(path) if folder.is_dir()), key=lambda folder: folder.name)
    here = sorted(path.iterdir(), key=lambda file: file.name)
    files, others = [file for file in here if _is_image(file)], [file for file in here if file.is_file()]
    inner: list[Path] = []
    for folder in classes:
        content = sorted(folder.iterdir(), key=lambda file: file.name)
        for deeper in content:
            if deeper.is_dir() and any(_is_image(file) for file in deeper.rglob("*")):
                raise _too_deep(path, folder, deeper)
        images = [file for file in content if _is_image(file)]
        inner += images
        others += [file for file in content if file.is_file()] if images else [folder]
    files = inner or files
    for file in files:
        check_name(file)
    if not files:
        deep = next((file for file in path.rglob("*") if _is_image(file)), None)
        where = f"; the first is {deep.relative_to(path).as_posix()!r}, too deep" if deep else ""
        raise DataError(
            f"{path} has no images ({', '.join(EXTENSIONS)}){where}; expected them in one folder for each class, "
            f"such as {path / 'cat' / '1.png'}, or directly in it"
        )
    used = set(files)
    return files, [file for file in others if file not in used]


def _too_deep(path: Path, folder: Path, deeper: Path) -> DataError:
    mend = f"move them up into {folder}, or give {folder} as the data if its folders are the classes"
    if folder.name.lower().startswith(("train", "test", "val")):  # a data set that is divided already
        mend = f"give one folder such as {folder} as the data, and the other as the test data"
    return DataError(f"{deeper} holds images, deeper in {path} than one folder for each class; {mend}")


def _skipped(paths: list[Path]) -> list[str]:
    """Return a sentence for each kind of thing that was passed over."""
    kinds: dict[str, list[str]] = {}
    for path in paths:
        what = "folders without images" if path.is_dir() else "files that are no images"
        kinds.setdefault("images beside the folders of the classes" if _is_image(path) else what, []).append(path.name)
    return [f"Skipped {what}: {len(names):,} ({listing(map(repr, names), most=3)})." for what, names in kinds.items()]


def _labelled(path: Path, options: ReadOptions) -> Content:
    """Return the images that the table names, in its order, with its other columns."""
    where = path / LABELS
    table = TextReader().read(where, options).table
    column = next((name for wanted in _FILE_NAMES for name in table.columns if name.lower() == wanted), None)
    if column is None:
        raise DataError(
            f"{where} has no column that names the files; expected one called 'file' beside the targets, "
            f"got {listing(table.columns)}"
        )
    names = table.get_column(column).cast(pl.String).fill_null("").to_list()
    files = [path / name for name in names]
    inside = path.resolve()
    for row, (name, file) in enumerate(zip(names, files, strict=True), 1):
        if not name or not os.path.isfile(file):  # False, too, where no file can be called so
            near = suggest(name, [image.name for image in _visible(path)])
            raise DataError(f"{where}, row {row}: there is no image {name!r} in {path}.{near}")
        if not file.resolve().is_relative_to(inside):
            raise DataError(f"{where}, row {row}: {name!r} lies outside {path}; copy the image into the folder")
    pixels = read_images(path, files, options)
    kept = table[pixels.kept]
    rest = [file for file in _visible(path) if _is_image(file) and file not in set(files)]
    shown = listing(sorted(repr(file.name) for file in rest), most=3)
    note = [f"Images that {LABELS} does not name: {len(rest):,} ({shown})."] if rest else []
    return Content(kept, Roles(id=column), pixels.signals, (*note, *pixels.notes))
