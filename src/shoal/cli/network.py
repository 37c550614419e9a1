"""`shoal network`: a network from a line of text."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shoal.cli.options import Force, Json, Quiet

if TYPE_CHECKING:
    from shoal.networks import Network

DRAWINGS = (".png", ".svg", ".pdf")
Spec = Annotated[
    str,
    typer.Argument(metavar="LAYERS", help="inputs, then units of each layer with its activation: '4 8:relu 3:softmax'"),
]
Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="where the drawing goes: .png, .svg or .pdf; by default network-<LAYERS>.svg",
        show_default=False,
    ),
]


def network(
    layers: Spec, out: Out = None, *, force: Force = False, as_json: Json = False, quiet: Quiet = False
) -> None:
    """Print the layers, shapes and parameters of a network, and write its drawing."""
    from shoal.cli.files import check_output
    from shoal.cli.output import print_json, print_text
    from shoal.networks import Network

    path = check_output(out, DRAWINGS, "a drawing", force=force) if out else None
    built = Network.parse(layers)
    if path is None and not as_json:
        # The name tells all of the drawing, so that writing it again harms nothing.
        path = Path("-".join(["network", *re.findall(r"[\w.]+", layers)])[:100] + ".svg")
    if path:
        _draw(built, path)
    if as_json:
        print_json({**built.to_dict(), "parameter_count": built.parameter_count, "drawing": out})
        return
    if not quiet:
        print_text(built.summary())
    print_text(str(path) if quiet else f"drawing: {path}")


def _draw(network: Network, path: Path) -> None:
    from shoal.runs.writing import write_atomically

    with tempfile.TemporaryDirectory() as folder:
        drawing = Path(folder) / path.name
        network.draw(path=drawing)
        write_atomically(path, drawing.read_bytes())
