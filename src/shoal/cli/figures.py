"""`shoal figures`: the figures of a run, drawn again for a paper."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shoal.cli.options import Json

Source = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="folder of a run, or one that select, systematics, explain or formula wrote figures to"
    ),
]
Format = Annotated[str, typer.Option("--format", help="pdf, svg, png or pgf; several with commas between them")]
Width = Annotated[
    str | None,
    typer.Option(
        "--width",
        metavar="single|double|MM",
        help="one column of a journal (86 mm), both (178 mm) or so many mm; by default as each figure needs it",
    ),
]
Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="NAME", help="only these figures; several with commas, or again")
]
Out = Annotated[
    str | None, typer.Option("--out", "-o", metavar="FOLDER", help="write here; by default where the figures are")
]
Title = Annotated[bool, typer.Option("--title/--no-title", help="write the names of run and figure above it")]
Font = Annotated[str, typer.Option("--font", help="sans or serif")]
Force = Annotated[bool, typer.Option("--force", help="replace files in FOLDER that exist")]


def figures(
    run: Source,
    *,
    format: Format = "pdf",
    width: Width = None,
    only: Only = None,
    out: Out = None,
    title: Title = False,
    font: Font = "sans",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Draw the figures of a finished run again, e.g. for a paper, with their numbers as CSV; the data are not read."""
    from shoal.cli.output import print_json, print_text
    from shoal.report.redraw import redraw

    names = [name for word in only or () for name in _words(word)]
    chosen: dict[str, Any] = {"width": width, "only": names, "out": out, "title": title, "font": font, "force": force}
    written = redraw(run, formats=_words(format), **chosen)
    if as_json:
        print_json({"figures": written})
        return
    for path in written:
        print_text(str(path))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
