"""`shoal network`: a network from a line of text, or the one that a run trained."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from shoal.cli.files import TABLES
from shoal.cli.options import Force, Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from shoal.networks import Network

DRAWINGS = (".png", ".svg", ".pdf")
Source = Annotated[
    str,
    typer.Argument(
        metavar="LAYERS|RUN",
        help="inputs, then units of each layer with its activation: '4 8:relu 3:softmax'; or the folder of a run",
    ),
]
Member = Annotated[
    int | None,
    typer.Option("--member", metavar="NUMBER", help="of a run, this network (default: the best)", show_default=False),
]
Weights = Annotated[
    str,
    typer.Option("--show-weights", help="in a drawing: colours, values, or symbols (w₁₂, b₁); both of small networks"),
]
Unrolled = Annotated[bool, typer.Option("--unrolled", help="draw recurrent layers unrolled in time")]
Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="where the drawing goes: .png, .svg or .pdf, of LAYERS by default network-<LAYERS>.svg; of a RUN also its "
        "weights as a table: .csv, .tsv, .parquet, .jsonl",
        show_default=False,
    ),
]


class Drawing(NamedTuple):
    """How a network shall be drawn."""

    show_weights: str = "colours"
    unrolled: bool = False

    def of(self, network: Network, draw: Callable[[str], Figure] | None = None) -> Figure:
        """Return the drawing of a network; `draw` draws it another way than without its weights."""
        if self.unrolled:
            return network.draw_unrolled()
        return network.draw(show_weights=self.show_weights) if draw is None else draw(self.show_weights)


def network(
    source: Source,
    out: Out = None,
    *,
    member: Member = None,
    show_weights: Weights = "colours",
    unrolled: Unrolled = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Print the layers, shapes and parameters of a network, and draw it; of a run with the weights that it learned.

    Weights are named as Keras names them (dense/kernel, dense/bias, …); small arrays are printed whole. They act on
    inputs as the run prepares them, which it normalises by default.
    """
    drawing = Drawing(show_weights, unrolled)
    if Path(source).is_dir() or "/" in source or "\\" in source:
        _of_run(source, out, member, drawing, force=force, as_json=as_json, quiet=quiet)
        return
    from shoal.errors import SettingError

    if member is not None:
        raise SettingError(f"--member names a network of a run, but {source!r} is no folder of one")
    _of_text(source, out, drawing, force=force, as_json=as_json, quiet=quiet)


def _of_text(layers: str, out: str | None, drawing: Drawing, *, force: bool, as_json: bool, quiet: bool) -> None:
    from shoal.cli.files import check_output
    from shoal.cli.output import print_json, print_text
    from shoal.networks import Network

    path = check_output(out, DRAWINGS, "a drawing", force=force) if out else None
    built = Network.parse(layers)
    if path is None and not as_json:
        # The name tells all of the drawing, so that writing it again harms nothing.
        path = Path("-".join(["network", *re.findall(r"[\w.]+", layers)])[:100] + ".svg")
    if path:
        _write(drawing.of(built), path)
    if as_json:
        print_json({**built.to_dict(), "parameter_count": built.parameter_count, "drawing": out})
        return
    if not quiet:
        print_text(built.summary())
    print_text(str(path) if quiet else f"drawing: {path}")


def _of_run(
    source: str, out: str | None, number: int | None, drawing: Drawing, *, force: bool, as_json: bool, quiet: bool
) -> None:
    import polars as pl

    from shoal.cli.files import check_output, write_table
    from shoal.cli.output import print_json, print_text
    from shoal.errors import SettingError
    from shoal.networks.weights import summarize_weights, tabulate_weights
    from shoal.run import load

    path = check_output(out, (*DRAWINGS, *TABLES), "a network", force=force) if out else None
    if drawing != Drawing() and not (path and path.suffix.lower() in DRAWINGS):
        raise SettingError("--show-weights and --unrolled are of a drawing: say where it goes, e.g. -o network.svg")
    run = load(source)
    member = run.member(number)
    if path and path.suffix.lower() in DRAWINGS:
        _write(drawing.of(member.network, lambda way: run.draw_network(number, show_weights=way)), path)
    elif path:
        write_table(pl.DataFrame(tabulate_weights(member.weights)), path)
    if as_json:
        weights = {} if path else {"weights": member.weights}
        print_json({**member.network.to_dict(), "member": member.id, **weights, "output": out})
        return
    if not quiet or not path:
        print_text(f"network {member.id} of {run.name}\n{member.network.summary()}\n")
        print_text(summarize_weights(member.weights))
    if path:
        print_text(str(path) if quiet else f"written: {path}")


def _write(figure: Figure, path: Path) -> None:
    from shoal.networks.drawing import save_drawing
    from shoal.runs.writing import write_atomically

    with tempfile.TemporaryDirectory() as folder:
        drawing = Path(folder) / path.name
        save_drawing(figure, drawing)
        write_atomically(path, drawing.read_bytes())
