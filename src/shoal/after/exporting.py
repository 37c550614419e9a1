"""Models of finished runs written for other programs, with rows by which what is written can check itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoal import __version__
from shoal.after.fixed_scores import FixedScores, fixed_scores, seen_rows
from shoal.after.rows_of_fit import Refusals, RowsOfFit, read_rows_of_fit
from shoal.errors import ExportError, RunError
from shoal.export.example_rows import ExampleRows, example_rows
from shoal.export.exporter import Agreement, Exporter, Written
from shoal.export.exporters import exporter_of
from shoal.export.plain_network import chosen_member
from shoal.run import Run, load
from shoal.runs.writing import write_atomically, write_files

MOST_ROWS = 64
EXPORTS = "exports"
NOTHING_TO_COMPARE = Agreement.none("It has no rows to check itself.")
REFUSALS = Refusals(
    not_kept="{run} was fitted on data from Python, which are not kept",
    unreadable="the rows of {run} cannot be read again: {error}",
    changed="the data in {source!r} have changed since {run} was fitted",
)


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        files: the main one first.
        agreement: how well they agree with shoal.
        notes: in sentences what they leave out.
        scores: what fixed point costs; None in floating point.
    """

    files: tuple[Path, ...]
    agreement: Agreement
    notes: tuple[str, ...]
    scores: FixedScores | None = None


def export_model(
    run: Run | str | Path,
    path: str | Path,
    *,
    member: str | int | None = None,
    fixed: bool = False,
    force: bool = False,
) -> Exported:
    """Write the model of a run for other programs: preparation, networks, averaging, calibration, error bars.

    The ending of the path says in which format: `.c` for C99, with a header beside it; `.f90` for Fortran 2008, with a
    program beside it that checks it; `.onnx`; `.py` for Python with NumPy alone; `.keras` for Keras; `.lwtnn.json` for
    lwtnn. The first 64 test rows (of a run whose test is sealed, validation rows) are compared; how well they agree is
    kept in the folder of the run, `exports/<file>.json`. Source code holds them without their targets, so that it can
    check itself.

    Args:
        run: a run or its folder.
        path: where to write.
        member: write one network alone, for Keras or lwtnn, with the scaling of its inputs and no error bars:
            `smallest`, the one of the fewest parameters that was kept, or its number; default the whole ensemble.
        fixed: compute layers in whole numbers of 16 bits, for processors without floating point; C only, dense and
            convolutional networks only. Scores of validation rows in floating and in fixed point are kept.
        force: replace files that exist.

    Raises:
        SettingError: no network of that number was kept.
        ExportError: the ending is not known, or the format cannot say all of the model; nothing is written.
        RunError: the run is not finished, or a file exists or cannot be written.

    Example:
        >>> import shoal, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = shoal.fit("iris", networks=1, hidden=(4,), epochs=2, batch_size=32, out=folder + "/iris")
        ...     [file.name for file in export_model(run, folder + "/iris.c").files]
        ['iris.c', 'iris.h']
    """
    run, path = run if isinstance(run, Run) else load(run), Path(path)
    exporter = exporter_of(path.name)
    fit, notes = _rows_of_fit(run)
    if fixed:
        if member is not None:
            raise ExportError(
                "one network alone is written for Keras and lwtnn, which have no fixed point; leave out one of the two"
            )
        return _export_fixed(run, exporter, path, fit, force=force)
    written, agreement = _write(run, exporter, path, fit, member=member, force=force)
    _keep(run, path, agreement, {})
    return Exported(tuple(written.files), agreement, (*notes, *written.notes))


def _export_fixed(run: Run, exporter: Exporter, path: Path, fit: RowsOfFit | None, *, force: bool) -> Exported:
    if fit is None:
        raise ExportError(
            f"fixed point takes its units from the validation rows, and the data of {run.name} cannot be read again. "
            f"Export without --fixed, or bring the data back"
        )
    rows, seen = seen_rows(run, fit)
    written, agreement = _write(run, exporter.in_fixed_point(seen), path, fit, force=force)
    assert written.answers is not None
    scores = fixed_scores(run, fit, rows, seen, written.answers)
    kept = {name: {"floating": was, "fixed": now} for name, (was, now) in scores.values.items()}
    _keep(run, path, agreement, {"fixed_point": {"rows": scores.rows, "kind": scores.kind, "scores": kept}})
    return Exported(tuple(written.files), agreement, (str(scores), *written.notes), scores)


def _write(
    run: Run, exporter: Exporter, path: Path, fit: RowsOfFit | None, *, member: str | int | None = None, force: bool
) -> tuple[Written, Agreement]:
    """Write the files, and compare what is written."""
    examples = None if fit is None else _examples(run, fit)
    if member is None:
        written = exporter.written(run.predictor, path, examples)
    else:
        one = chosen_member(run.predictor, member)
        written, examples = exporter.written_member(run.predictor, one, path, examples)
    write_files(written.files, force=force)
    return written, NOTHING_TO_COMPARE if examples is None else exporter.checked(written.files, examples)


def _keep(run: Run, path: Path, agreement: Agreement, more: dict[str, Any]) -> None:
    kept = {"file": path.name, "shoal": __version__, "agreement": agreement.to_dict(), **more}
    write_atomically(run.path / EXPORTS / f"{path.name}.json", json.dumps(kept, indent=2) + "\n")


def _rows_of_fit(run: Run) -> tuple[RowsOfFit | None, tuple[str, ...]]:
    """Return the rows of the fit, or why there are none by which what is written can check itself."""
    try:
        return read_rows_of_fit(run, REFUSALS), ()
    except RunError as error:
        return None, (f"It goes without rows to check itself: {error}.",)


def _examples(run: Run, fit: RowsOfFit) -> ExampleRows:
    """Return rows by which what is written can check itself."""
    kind, rows = ("validation", fit.split.validation) if run.folder.test_sealed else ("test", fit.split.test)
    return example_rows(run.predictor, fit.dataset.inputs(rows[:MOST_ROWS]), kind)
