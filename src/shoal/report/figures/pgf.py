"""A figure as PGF, which LaTeX draws in the fonts of a paper. LaTeX measures the texts, so that it must be there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shoal.errors import SettingError
from shoal.report.figures.canvas import Figure

ENGINES = ("xelatex", "lualatex")  # those that know more letters than English has
_ESCAPED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", **{c: f"\\{c}" for c in "{}$#&_"}}


def pgf_style() -> dict[str, Any]:
    """Return the settings by which Matplotlib writes PGF.

    Raises:
        SettingError: there is no LaTeX.
    """
    engine = next(filter(shutil.which, ENGINES), None)
    if engine is None:
        raise SettingError(
            f"pgf needs LaTeX, which measures the texts, but there is no {' or '.join(ENGINES)}; install it "
            "(TeX Live with XeTeX), or take pdf, svg or png"
        )
    return {"pgf.texsystem": engine}


def pgf_files(figure: Figure, name: str) -> dict[str, bytes]:
    """Return a figure as `name.pgf`, and the pictures that it needs beside it."""
    with TemporaryDirectory() as folder, _texts_escaped():
        figure.savefig(Path(folder) / f"{name}.pgf", format="pgf", dpi=300)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def tex_text(text: str) -> str:
    r"""Return a text that LaTeX prints as it is: a name of the data must not become a command.

    Example:
        >>> print(tex_text(r"\input{a} $x_1$"))
        \textbackslash{}input\{a\} \$x\_1\$
    """
    return "".join(_ESCAPED.get(letter, letter) for letter in text)


@contextmanager
def _texts_escaped() -> Iterator[None]:
    """Let Matplotlib's PGF renderer print texts as they are; it takes all of them for LaTeX."""
    from matplotlib.backends import backend_pgf

    class Renderer(backend_pgf.RendererPgf):
        def draw_text(
            self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
        ) -> None:
            super().draw_text(gc, x, y, tex_text(s), prop, angle, ismath, mtext)

        def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
            return super().get_text_width_height_descent(tex_text(s), prop, ismath)

    module: Any = backend_pgf
    usual, module.RendererPgf = module.RendererPgf, Renderer
    try:
        yield
    finally:
        module.RendererPgf = usual
