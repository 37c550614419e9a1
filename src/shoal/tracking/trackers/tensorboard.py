"""TensorBoard: event files, written by tensorboardX, which needs no TensorFlow.

The run itself has the scores and a text with the verdict; each candidate is a run within it, with its hyperparameters
and results, and with its curves, or, where it has several networks, a run of each of these. No file keeps when it was
written but when the run began: the same run gives the same files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.tracking.finished import Curves, FinishedRun, TriedCandidate

if TYPE_CHECKING:
    from tensorboardX.proto.summary_pb2 import Summary

PACKAGE = "tensorboardX"
FILE = "events.out.tfevents.0.shoal"


def write(run: FinishedRun, folder: str) -> None:
    """Write the event files of a run in a folder."""
    root = Path(folder)
    _write(root, run.began, [*_texts(run), (0, _scalars(run.scores))])
    digits = len(str(run.candidates[-1].number)) if run.candidates else 1
    for candidate in run.candidates:
        _write_candidate(root / f"candidate-{candidate.number:0{digits}d}", candidate, run.began)


def _texts(run: FinishedRun) -> Iterator[tuple[int, Summary]]:
    from tensorboardX.summary import text

    kept = "\n".join(f"- `{path}`" for path in run.artefacts)
    settings = "\n".join(f"- {name}: `{value}`" for name, value in run.settings.items())
    shown = {"verdict": run.verdict, "command": f"    {run.command}", "settings": settings, "files": kept}
    yield from ((0, text(name, words)) for name, words in shown.items())


def _write_candidate(folder: Path, candidate: TriedCandidate, began: float) -> None:
    from tensorboardX.summary import hparams

    _, start, end = hparams(dict(candidate.hyperparameters), dict(candidate.results))
    own = [(0, start), (0, _scalars(candidate.results)), (0, end)]
    alone = len(candidate.curves) == 1
    for number, curves in candidate.curves.items():
        if alone:
            own += _of_curves(curves)
        else:
            _write(folder / f"network-{number}", began, _of_curves(curves))
    _write(folder, began, own)


def _of_curves(curves: Curves) -> list[tuple[int, Summary]]:
    """Return the values of each epoch with its number."""
    epochs = zip(*(values.tolist() for values in curves.values()), strict=True)
    return [(i, _scalars(dict(zip(curves, values, strict=True)))) for i, values in enumerate(epochs, 1)]


def _scalars(values: Mapping[str, float]) -> Summary:
    from tensorboardX.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()])


def _write(folder: Path, began: float, summaries: list[tuple[int, Any]]) -> None:
    """Write an event for each step and its summary; the first event says the version of the file, as in every one."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    writer = RecordWriter(os.fspath(folder / FILE))
    try:
        writer.write(Event(wall_time=began, file_version="brain.Event:2").SerializeToString())
        for step, summary in summaries:
            writer.write(Event(wall_time=began, step=step, summary=summary).SerializeToString())
    finally:
        writer.close()
