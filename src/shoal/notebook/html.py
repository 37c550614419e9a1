"""HTML that notebooks show: paragraphs, tables and drawings, with all text escaped."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def paragraph(text: str, bold: str = "") -> str:
    """Return a paragraph, which may begin with a word or two in bold.

    Example:
        >>> paragraph("a < b", bold="run")
        '<p><b>run</b> a &lt; b</p>'
    """
    return f"<p>{f'<b>{html.escape(bold)}</b> ' if bold else ''}{html.escape(text)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table.

    Example:
        >>> table(["name", "value"], [["a<b", 1]])
        '<table><thead><tr><th>name</th><th>value</th></tr></thead><tbody><tr><td>a&lt;b</td><td>1</td></tr></tbody></table>'
    """
    body = "".join(_row("td", row) for row in rows)
    return f"<table><thead>{_row('th', head)}</thead><tbody>{body}</tbody></table>"


def figure_html(figure: Figure) -> str:
    """Return a figure as SVG that is no wider than the notebook."""
    svg = svg_text(figure)
    return f"<div>{svg[svg.index('<svg') :].replace('<svg', _FITTED, 1)}</div>"


_FITTED = '<svg style="max-width:100%;height:auto"'


def svg_text(figure: Figure) -> str:
    """Return a figure as SVG, the same bytes each time."""
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "shoal"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _row(cell: str, values: Sequence[Any]) -> str:
    return f"<tr>{''.join(f'<{cell}>{html.escape(str(value))}</{cell}>' for value in values)}</tr>"
