"""Formulas as MathML, which browsers draw by themselves: no script, and the font comes with the site."""

from __future__ import annotations

import shutil
from importlib import resources
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number, wrap_displaymath


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    text = node.astext()
    if "\\\\" in text and not node["no-wrap"]:  # several lines, as Sphinx wraps them
        text = wrap_displaymath(text, None, False)
    self.body.append(self.starttag(node, "div", CLASS="formula"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(convert(text, display="block") + "</div>\n")
    raise nodes.SkipNode


def _copy_font(app: Sphinx, error: Exception | None) -> None:
    """Copy the font that ziamath ships: brackets grow with their content only in fonts made for formulas."""
    if error is None and app.builder.format == "html":
        name = "STIXTwoMath-Regular.ttf"
        with resources.as_file(resources.files("ziamath") / "fonts" / name) as font:
            shutil.copy(font, app.outdir / "_static" / name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the renderer `mathml`."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    app.connect("build-finished", _copy_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
