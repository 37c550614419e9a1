"""How every figure looks: sizes, colours that the colour-blind can tell apart, axes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from shoal.report.figures.canvas import Axes, Figure
from shoal.report.words import short

COLUMN, WIDE = 86 / 25.4, 178 / 25.4  # inches: one column and both columns of a journal's page
INK, PAPER, MUTED, GRID = "#1b1f24", "#ffffff", "#6a727c", "#dde1e6"
# After Okabe and Ito, "Color universal design" (2008). Where series share axes they also differ in marks or lines, so
# that they can be told apart in grey.
BLUE, VERMILION, GREEN = "#0072b2", "#d55e00", "#00845f"
TITLE = 0.26  # inches above a figure
ON_BLUE = "#fdfdfd"  # text on a cell that is filled with blue
DASHED: Any = {"color": MUTED, "lw": 0.8, "ls": (0, (4, 3))}  # a line to compare points with
LEGEND_ABOVE: Any = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": 2, "borderaxespad": 0.2}

STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": 8,
    "axes.labelpad": 3,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 8,
    "axes.titlecolor": INK,
    "axes.unicode_minus": True,
    "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "font.family": ["DejaVu Sans"],
    "font.size": 8,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "image.composite_image": False,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.2,
    "path.simplify": True,
    # Type 3 fonts take 0.1 s a figure less than Type 42, a third of the report's time.
    "pdf.fonttype": 3,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "svg.hashsalt": "shoal",
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is no formula
    "text.usetex": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "xtick.major.size": 3,
    "xtick.major.width": 0.6,
    "xtick.minor.size": 1.5,
    "xtick.minor.width": 0.4,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 7.5,
    "ytick.major.size": 3,
    "ytick.major.width": 0.6,
    "ytick.minor.size": 1.5,
    "ytick.minor.width": 0.4,
}


def name_text(name: str, most: int = 24) -> str:
    """Return a name that came with the data, safe to draw: one line, no control characters, at most `most` long.

    Long names lose their middle: names of one family often differ at the end only.

    >>> name_text("a very long name of class 12", most=15)
    'a very lo…ss 12'
    """
    clean = "".join(c if c.isprintable() and unicodedata.category(c) != "Cs" else " " for c in str(name))
    clean = " ".join(clean.split())
    if len(clean) <= most:
        return clean
    end = most // 3
    return clean[: most - end - 1].rstrip() + "…" + clean[-end:]


def text_width(texts: Sequence[str], size: float = 7.5) -> float:
    """Return the estimated width in inches of the longest text at `size` points."""
    return max((len(t) for t in texts), default=0) * size * 0.57 / 72


_ASKED: ContextVar[float | None] = ContextVar("width of figures", default=None)


@contextmanager
def figure_width(inches: float | None) -> Iterator[None]:
    """Let figures that are drawn inside be so wide; None: each as it is by itself."""
    token = _ASKED.set(inches)
    try:
        yield
    finally:
        _ASKED.reset(token)


def asked_width() -> float | None:
    """Return the width in inches that all figures shall have, or None."""
    return _ASKED.get()


def narrow() -> float:
    """Return the width in inches of a figure that fits one column of a journal, unless another is asked for."""
    return _ASKED.get() or COLUMN


def wide() -> float:
    """Return the width in inches of a figure that needs both columns of a journal, unless another is asked for."""
    return _ASKED.get() or WIDE


def beside_rows(names: Sequence[str], least: float) -> tuple[list[str], float, float]:
    """Return names of rows, shortened where there is little room, the room for them, and the width of the figure.

    Args:
        names: what stands to the left of the axes.
        least: the width of the axes in inches, at least.
    """
    left = text_width(names) + 0.15
    width = asked_width() or max(COLUMN, left + least)
    most = int((width - least - 0.15) / text_width("x"))
    fitted = [name if len(name) <= most else name_text(name, most) for name in names]
    return fitted, min(left, text_width(fitted) + 0.15), width


def new_figure(height: float, width: float | None = None) -> Figure:
    """Return an empty figure of `height` inches; its width is that of a column by default, see `wide` for others."""
    from shoal.notebook.figure import ShownFigure

    return ShownFigure(figsize=(width or narrow(), height))


def with_title(figure: Figure, text: str) -> None:
    """Write a title above a figure, which grows by the room for it."""
    width, height = figure.get_size_inches()
    taller = height + TITLE
    for axes in figure.axes:
        left, bottom, across, tall = axes.get_position(original=True).bounds
        axes.set_position((left, bottom * height / taller, across, tall * height / taller))
    for label in figure.texts:
        label.set_y(label.get_position()[1] * height / taller)
    figure.set_size_inches(width, taller)
    figure.text(0.06 / width, 1 - 0.06 / taller, name_text(text, int(width / 0.075)), size=9, va="top", weight="bold")


def add_axes(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Add axes whose margins to the figure's four edges are given in inches.

    Margins are set by hand, since Matplotlib's automatic layouts draw each figure several times.
    """
    width, height = figure.get_size_inches()
    box = (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    return figure.add_axes(box)


def stacked(count: int, height: float, *, titles: bool = True, below: float = 0.45) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` axes of `height` inches below each other, beside each other where it is wide.

    `below` is the room in inches for the names below each.
    """
    title, left, right, gap = (0.28 if titles else 0.1), 0.62, 0.1, below
    width = narrow()
    columns = min(count, max(1, int(width / 2.9)))
    rows = math.ceil(count / columns)
    total = rows * (height + title + gap)
    figure = new_figure(total)
    axes = []
    for i in range(count):
        row, place = divmod(i, columns)
        top = title + row * (height + title + gap)
        begin, end = (place * width / columns, (columns - 1 - place) * width / columns)
        axes.append(add_axes(figure, begin + left, total - top - height, end + right, top))
    return figure, axes


def log_scale(values: np.ndarray, ratio: float = 20.0) -> bool:
    """Return whether values are better seen on a logarithmic axis: all positive and spread by `ratio`."""
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() > 0 and finite.max() / finite.min() > ratio)


def set_log(axes: Axes, which: str, low: float, high: float) -> None:
    """Make an axis logarithmic from `low` to `high`, with plain numbers as labels."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    axis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda v, _: short(float(f"{v:.3g}"))))
    axis.set_minor_formatter(NullFormatter())
    if high / low > 300:
        axis.set_minor_locator(NullLocator())


def fit_axis(axes: Axes, which: str, values: np.ndarray, *, ratio: float = 8.0, margin: float = 0.05) -> None:
    """Let an axis hold values: logarithmic if they are spread by `ratio`, else with a share `margin` of room."""
    if log_scale(values, ratio):
        set_log(axes, which, *limits(values, log=True))
    else:
        (axes.set_xlim if which == "x" else axes.set_ylim)(limits(values, log=False, margin=margin))


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Write names beside rows, the first at the top, in place of ticks and a line."""
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round positions for a logarithmic axis.

    >>> log_ticks(0.09, 12.0)
    [0.1, 1.0, 10.0]
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5)):
        ticks = [float(f"{s}e{d}") for d in decades for s in steps]
        ticks = [t for t in ticks if low <= t <= high]
        if len(ticks) >= 3:
            break
    return ticks[:: math.ceil(len(ticks) / most)] if ticks else [low, high]


def limits(values: np.ndarray, log: bool, margin: float = 0.05) -> tuple[float, float]:
    """Return axis limits around the finite values with some room at both ends."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if log:
        room = max(high / low, 1.2) ** margin
        return low / room, high * room
    room = (high - low) * margin or max(abs(low), 1.0) * margin
    return low - room, high + room


def broken_lines(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join curves `(lines, points)` over `x` into one line with gaps, which is one path in the file."""
    gap = np.full((len(rows), 1), np.nan)
    return np.tile(np.append(x, np.nan), len(rows)), np.hstack([rows, gap]).ravel()


def bars(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join vertical bars from `low` to `high` at `x` into one line with gaps."""
    gap = np.full(len(x), np.nan)
    return np.repeat(x, 3), np.column_stack([low, high, gap]).ravel()
