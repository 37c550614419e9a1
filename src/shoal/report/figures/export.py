"""From a drawn figure to files for papers and to SVG that lives in the page, in light and dark."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shoal.notebook.html import svg_text as svg_text
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import BLUE, GREEN, GRID, INK, MUTED, ON_BLUE, PAPER, STYLE, VERMILION, figure_width
from shoal.report.figures.tabular import frame

# What a colour of the drawing becomes in the page, where the style sheet gives it a value for light and dark.
PAGE_COLOURS = {
    INK: "currentColor",
    "#000000": "currentColor",
    PAPER: "var(--paper)",
    MUTED: "var(--muted)",
    GRID: "var(--rule)",
    BLUE: "var(--blue)",
    VERMILION: "var(--vermilion)",
    GREEN: "var(--green)",
    ON_BLUE: "var(--on-blue)",
    # Those of the drawing of a network.
    "#333333": "currentColor",
    "#9a9a9a": "var(--muted)",
    "#dce6f0": "var(--cool)",
    "#f6e3cf": "var(--warm)",
}
PNG_DPI = 200


@contextmanager
def drawing(style: dict[str, Any] | None = None, width: float | None = None) -> Iterator[None]:
    """Use shoal's style for what is drawn inside, whatever the user's Matplotlib settings.

    Args:
        style: settings that differ from those of shoal.
        width: of all figures in inches; None: each as wide as it is by itself.
    """
    import warnings

    from matplotlib import rc_context

    settings: Any = {**STYLE, **(style or {})}
    with rc_context(settings), figure_width(width), warnings.catch_warnings():
        # A class name in a script that the font lacks is no reason to stop: the SVG keeps it as text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def pdf_bytes(figure: Figure) -> bytes:
    """Return a figure as PDF, the same bytes each time."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="pdf", dpi=PNG_DPI, metadata={"CreationDate": None, "Creator": None, "Producer": None}
    )
    return buffer.getvalue()


def png_bytes(figure: Figure, dpi: int = PNG_DPI) -> bytes:
    """Return a figure as PNG, the same bytes each time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def inline_svg(svg: str, name: str, alt: str) -> str:
    """Turn an SVG file into an element for the page.

    Colours become those of the page, ids get the figure's name in front so that two figures do not share one,
    and everything that only a file needs is left out.

    Args:
        svg: the text of the file.
        name: a short name, unique in the page.
        alt: what the figure shows, for people who do not see it.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.S)
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", body, count=1, flags=re.S)
    opening = body[: body.index(">") + 1]
    box = re.search(r'viewBox="([^"]+)"', opening)
    view = box.group(1) if box else "0 0 252 252"
    width = float(view.split()[2])
    body = _unique_ids(body[len(opening) :].replace("xlink:href", "href"), name)
    head = (
        f'<svg class="drawing" role="img" aria-label="{html.escape(alt)}" viewBox="{view}" '
        f'style="--width: {width:g}" fill="currentColor">'
    )
    return head + re.sub(r'style="[^"]*"', lambda m: _page_style(m.group(0)), body).strip()


def _unique_ids(body: str, name: str) -> str:
    used = set(re.findall(r'href="#([^"]+)"', body)) | set(re.findall(r"url\(#([^)]+)\)", body))
    body = re.sub(r' id="([^"]+)"', lambda m: f' id="{name}-{m.group(1)}"' if m.group(1) in used else "", body)
    return body.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")


def _page_style(style: str) -> str:
    style = re.sub(r"#[0-9a-f]{6}\b", lambda m: PAGE_COLOURS.get(m.group(0), m.group(0)), style)
    # The page's own font: the reader's machine may not have the one that the files embed.
    style = re.sub(r"font-family: [^;\"]+", "font-family: var(--sans)", style)
    return re.sub(r"(font: [^;'\"]*?[\d.]+px) [^;\"]+", r"\1 var(--sans)", style)


def save(figure: Figure, folder: Path, name: str, alt: str) -> str:
    """Write `name`.svg and `name`.pdf to a folder and return the SVG for the page."""
    from shoal.runs.writing import write_atomically

    svg = svg_text(figure)
    write_atomically(folder / f"{name}.svg", svg)
    write_atomically(folder / f"{name}.pdf", pdf_bytes(figure))
    return inline_svg(svg, name, alt)


def save_table(columns: Mapping[str, Any], folder: Path, name: str) -> None:
    """Write the numbers of a figure to `name`.csv in a folder, a column for each name."""
    from shoal.runs.writing import write_atomically

    write_atomically(folder / f"{name}.csv", csv_text(columns))


def csv_text(columns: Mapping[str, Any]) -> str:
    """Return columns as CSV; shorter ones end in empty cells. A number reads back as it was."""
    return frame(columns).write_csv()
