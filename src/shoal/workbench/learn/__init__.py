"""Learn: the figures of the course, to touch: formula, controls, and networks that are trained while one looks."""

from shoal.workbench.learn.figure import Choice, Figure, Numbers, Slider, Toggle
from shoal.workbench.learn.registry import all_figures, get_figure

__all__ = ["Choice", "Figure", "Numbers", "Slider", "Toggle", "all_figures", "get_figure"]
