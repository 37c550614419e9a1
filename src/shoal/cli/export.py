"""`shoal export`: the model of a run for other programs."""

from __future__ import annotations

from typing import Annotated

import typer

from shoal.cli.options import Force, Json, RunArgument

FORMATS = ".c, .f90, .keras, .onnx, .py or .lwtnn.json"
Out = Annotated[str, typer.Argument(metavar="FILE", help=f"where to write; its ending says the format: {FORMATS}")]
Member = Annotated[
    str | None,
    typer.Option(metavar="NETWORK", help=".keras, .lwtnn.json: one network alone, by its number, or: smallest"),
]
Fixed = Annotated[bool, typer.Option("--fixed", help="layers in whole numbers of 16 bits (.c only)")]


def export(
    run: RunArgument,
    file: Out,
    *,
    member: Member = None,
    fixed: Fixed = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write the model of a run for other programs, whole: preparation, networks, averaging, calibration, error bars.

    `.onnx`: one graph, with the columns as they are in the file as inputs; needs `pip install 'shoal[onnx]'`.

    `.c`: C99, one file and a header beside it, without allocation and with no library but `math.h`. `.f90`: a module of
    Fortran 2008, and beside it a program that checks it. `.py`: one file that needs NumPy only. All hold test rows,
    without their targets, by which they check themselves.

    `.keras`: one model of Keras, which loads on TensorFlow, JAX and PyTorch. With `--member smallest` it is a single
    plain network, as hls4ml takes it.

    `.lwtnn.json`: one dense network on numbers, for lwtnn in C++; `--member smallest` takes one of an ensemble.

    Of `shoal evolve` the champion is written, as `.c`, `.f90`, `.py` or `.keras`.

    `--fixed` writes layers of C in whole numbers, for processors without floating point, with units chosen by the
    validation rows, and tells the scores of these rows in floating and in fixed point.
    """
    from shoal.after.exporting import export_model
    from shoal.cli.output import print_json, print_text
    from shoal.evolution.folder import is_evolution

    if is_evolution(run):
        _of_evolution(run, file, other=member is not None or fixed, force=force, as_json=as_json)
        return
    written = export_model(run, file, member=member, fixed=fixed, force=force)
    if as_json:
        print_json(
            {
                "files": list(map(str, written.files)),
                "agreement": {**written.agreement.to_dict(), "holds": written.agreement.holds},
                "notes": list(written.notes),
                **({} if written.scores is None else {"scores": dict(written.scores.values)}),
            }
        )
        return
    print_text(f"written: {', '.join(map(str, written.files))}")
    print_text(str(written.agreement))
    for note in written.notes:
        print_text(note)


def _of_evolution(run: str, file: str, *, other: bool, force: bool, as_json: bool) -> None:
    """Write the champion of `shoal evolve`."""
    from shoal.cli.output import print_json, print_text
    from shoal.errors import SettingError
    from shoal.evolution.exporting import export_champion
    from shoal.evolution.folder import read_policy

    if other:
        raise SettingError(
            "--member and --fixed are for runs of `shoal fit`; an evolution writes its champion, in floats"
        )
    written = export_champion(*read_policy(run), file, force=force)
    agreement = written.agreement
    if as_json:
        agrees = {**agreement.to_dict(), "holds": agreement.holds}
        print_json({"files": list(map(str, written.files)), "agreement": agrees, "notes": []})
        return
    print_text(f"written: {', '.join(map(str, written.files))}")
    print_text(str(agreement))
