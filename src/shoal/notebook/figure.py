"""A figure that notebooks show, although it belongs to nobody and pyplot does not know it."""

from __future__ import annotations

from matplotlib.figure import Figure

from shoal.notebook.html import svg_text


class ShownFigure(Figure):
    """Matplotlib's figure; where it is the last value of a cell, the cell shows it.

    Example:
        >>> ShownFigure(figsize=(1.0, 1.0))._repr_svg_().startswith("<?xml")
        True
    """

    def _repr_svg_(self) -> str:
        """Return the figure as notebooks show it."""
        return svg_text(self)
