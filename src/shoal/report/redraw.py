"""Figures for a paper: drawn again from the numbers that a run, or what was done with it later, keeps of them.

The test rows are not opened anew: the numbers are those of the page.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shoal.errors import RunError, SettingError, listing, suggest
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import FigureNumbers
from shoal.report.figures.export import csv_text, drawing, pdf_bytes, png_bytes, svg_text
from shoal.report.figures.kept import NAME, kept
from shoal.report.figures.pgf import pgf_files, pgf_style
from shoal.report.figures.style import COLUMN, WIDE, with_title
from shoal.report.words import with_unit
from shoal.runs.folder import RunFolder
from shoal.runs.new_folder import FIGURES
from shoal.runs.writing import write_atomically

FORMATS = ("pdf", "svg", "png", "pgf")
WIDTHS = {"single": COLUMN, "double": WIDE}
NARROWEST, WIDEST = 80, 400  # mm; below, axes and their labels would run into each other
# Serifs of Times, and of what lies behind it for letters that it lacks.
FONTS = {"sans": ["DejaVu Sans"], "serif": ["STIXGeneral", "DejaVu Serif", "DejaVu Sans"]}
DPI = 300
CAPTIONS = "captions.txt"


def redraw(
    source: str | Path,
    *,
    formats: Sequence[str] = ("pdf",),
    width: str | float | None = None,
    only: str | Sequence[str] = (),
    out: str | Path | None = None,
    title: bool = False,
    font: str = "sans",
    force: bool = False,
) -> list[Path]:
    """Draw the figures of a finished run and write them with their numbers as CSV and a file of captions.

    Args:
        source: the folder of the run, or one to which `select`, `systematics`, `explain` or `formula` wrote figures.
        formats: some of pdf, svg, png (300 dots per inch) and pgf (needs LaTeX).
        width: `single` (86 mm), `double` (178 mm) or a width in mm; by default one column for most figures and two for
            those that need it.
        only: name of a figure, several with commas between them, or a sequence of names; by default all.
        out: the folder to write to, which is made if it is missing; by default where the figures are.
        title: whether each figure has its name and that of the run above it; papers have captions instead.
        font: `sans` or `serif`.
        force: replace files in `out` that differ; where the figures are they are always replaced.

    Returns:
        The paths of the figures, in the order of the page.

    Raises:
        SettingError: a format, width, font or figure that is not known, or no LaTeX for pgf.
        RunError: the run is not finished, keeps no numbers of its figures, or a file is there or cannot be written.
    """
    asked = [_known(one, FORMATS, "format") for one in formats or ("",)]
    letters = FONTS[_known(font, FONTS, "font")]
    inches = width_in_inches(width)
    place = place_of(Path(source))
    everything = kept(place)
    sealed = RunFolder(place.parent).test_sealed
    figures = chosen(
        everything, only, "; those of test rows come with shoal open, which they wait for" if sealed else ""
    )
    style = {"font.family": letters, "pdf.fonttype": 42, **(pgf_style() if "pgf" in asked else {})}
    files: dict[str, bytes] = {}
    with drawing(style, inches):
        for name, figure in figures.items():
            drawn = figure.draw()
            if title:
                with_title(drawn, f"{Path(source).resolve().name}: {name.replace('_', ' ')}")
            for form in asked:
                files |= _files(drawn, name, form)
    names = [f"{name}.{form}" for name in figures for form in asked]
    files |= {f"{name}.csv": csv_text(figure.numbers.table()).encode() for name, figure in figures.items()}
    folder = place if out is None else Path(out)
    run = RunFolder(place.parent)
    unit = run.metrics()["data"].get("row", "row") if run.finished else "row"
    files[CAPTIONS] = captions(everything, unit).encode()  # of all, so that it stays the same when others are drawn
    if out is not None and not force:
        _check_free(folder, files)
    with run.writing(folder) if run.finished else contextlib.nullcontext():
        for name, content in files.items():
            write_atomically(folder / name, content)
    return [folder / name for name in names]


def place_of(source: Path) -> Path:
    """Return the folder that keeps the numbers of figures: that of a finished run, or the one that was named.

    Raises:
        RunError: there is no such folder, or the run is not finished or keeps none.
    """
    if (source / NAME).is_file():
        return source
    run = RunFolder.open(source)
    unfinished = run.has_checkpoint or not (run.path / FIGURES / NAME).is_file()
    if not run.finished and not run.diverged and unfinished:
        raise RunError(f"the run {str(run.path)!r} is not finished, so that it has no figures yet; {run.how_to_go_on}.")
    if not (run.figures / NAME).is_file():
        raise RunError(
            f"the run {str(run.path)!r} keeps no numbers of its figures ({str(run.figures / NAME)!r} is missing): an "
            f"earlier shoal made it. Repeat it: shoal fit --config {run.path}"
        )
    return run.figures


def chosen(
    figures: Mapping[str, FigureNumbers], only: str | Sequence[str], others: str = ""
) -> dict[str, FigureNumbers]:
    """Return the figures of some names (a text may hold several with commas), in the order of the page; default all.

    `others` says of which there may be more later.

    Raises:
        SettingError: there is no figure of that name, or none at all.
    """
    only = [name.strip() for name in only.split(",")] if isinstance(only, str) else only
    if not figures:
        raise SettingError("there are no figures: all networks diverged before an epoch ended with a finite loss")
    for name in only:
        if name not in figures:
            raise SettingError(
                f"there is no figure {name!r}; there are: {listing(figures, 40)}{others}.{suggest(name, figures)}"
            )
    return {name: figure for name, figure in figures.items() if not only or name in only}


def width_in_inches(width: str | float | None) -> float | None:
    """Return a width in inches, None where each figure has its own.

    Raises:
        SettingError: no known word, no number, or too narrow or wide.

    Example:
        >>> round(width_in_inches("single"), 3), width_in_inches(None), round(width_in_inches("120"), 2)
        (3.386, None, 4.72)
    """
    if width is None or width in WIDTHS:
        return None if width is None else WIDTHS[str(width)]
    try:
        mm = float(str(width).removesuffix("mm"))
    except ValueError:
        mm = float("nan")
    if not NARROWEST <= mm <= WIDEST:
        words = " or ".join(f"{word} ({round(25.4 * inches)} mm)" for word, inches in WIDTHS.items())
        raise SettingError(
            f"width must be {words} or a number of mm from {NARROWEST} to {WIDEST}, got {width!r}."
            f"{suggest(str(width), WIDTHS)}"
        )
    return mm / 25.4


def captions(figures: Mapping[str, FigureNumbers], unit: str = "row") -> str:
    """Return for each figure how to read it, and what it shows for people who do not see it; a row is a `unit`."""
    texts = (
        f"{name}\n{figure.numbers.caption}\nAlternative text: {figure.numbers.alt}\n"
        for name, figure in figures.items()
    )
    return with_unit("\n".join(texts), unit)


def _known(value: str, words: Any, what: str) -> str:
    if value not in words:
        raise SettingError(f"{what} must be one of {listing(words)}, got {value!r}.{suggest(value, words)}")
    return value


def _files(figure: Figure, name: str, form: str) -> dict[str, bytes]:
    """Return a figure as files of a format by name."""
    if form == "pgf":
        return pgf_files(figure, name)
    render = {"pdf": pdf_bytes, "svg": lambda one: svg_text(one).encode(), "png": lambda one: png_bytes(one, DPI)}
    return {f"{name}.{form}": render[form](figure)}


def _check_free(folder: Path, files: Mapping[str, bytes]) -> None:
    """Refuse to replace files with other content.

    Raises:
        RunError: names the first of them.
    """
    try:
        taken = [
            name for name, new in files.items() if (folder / name).exists() and (folder / name).read_bytes() != new
        ]
    except OSError as error:
        raise RunError(f"cannot look into {str(folder)!r}: {error.strerror or error}") from error
    if taken:
        what, them = ("exists", "it") if len(taken) == 1 else (f"and {len(taken) - 1} more exist", "them")
        raise RunError(
            f"{str(folder / taken[0])!r} {what} with other content; replace {them} with force (--force), or choose "
            "another folder"
        )
