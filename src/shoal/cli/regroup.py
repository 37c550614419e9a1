"""`shoal regroup`: tables as one Parquet file whose rows are mixed, in groups that are read one at a time."""

from __future__ import annotations

from typing import Annotated

import typer

from shoal.cli.options import Force, Quiet

Data = Annotated[
    str, typer.Argument(metavar="DATA", help="a Parquet, Arrow or HDF5 file, a folder of Parquet files, or a pattern")
]
Out = Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="the Parquet file to write")]
Rows = Annotated[int, typer.Option("--rows", min=1024, max=1_048_576, help="rows of a group")]
Seed = Annotated[int, typer.Option(min=0, help="names the random numbers")]


def regroup(
    data: Data, out: Out, rows: Rows = 65_536, seed: Seed = 0, *, force: Force = False, quiet: Quiet = False
) -> None:
    """Write the rows of files anew as one Parquet file, mixed at random and in many row groups.

    Rows that do not fit into memory are read in row groups, in random order. A file with a single one, or one whose
    neighbouring rows are alike, is better regrouped once. Memory holds a few groups; beside the new file, the disk
    holds the rows once more meanwhile.
    """
    from shoal.cli.files import check_output
    from shoal.cli.guard import tell
    from shoal.cli.live import watching
    from shoal.data.readers import ReadOptions
    from shoal.data.stream.writing import regroup as write
    from shoal.errors import counted
    from shoal.runs.writing import remove_parts, written_beside
    from shoal.steps.streaming import pieces_of

    path = check_output(out, (".parquet", ".pq"), "a table in row groups", force=force)
    with watching(quiet=quiet, plain_lines=False) as progress:
        progress.stage(f"regrouping {data}")
        pieces = pieces_of(data, ReadOptions())
        remove_parts(path.parent, path.name)
        with written_beside(path) as beside:
            groups = write(pieces, beside, rows, seed)
    if not quiet:
        tell("note", f"{counted(pieces.rows, 'row')} in {counted(groups, 'row group')} written to {str(path)!r}.")
