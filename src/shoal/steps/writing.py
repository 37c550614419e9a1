"""Writing a run: what repeats it before its networks train, all else at the end; and what is left if all diverged."""

from __future__ import annotations

import numpy as np

from shoal.evaluation.evaluate import evaluate
from shoal.evaluation.record import Provenance, Record
from shoal.evaluation.sealed import SealedRows
from shoal.evaluation.topics.split import SplitRecord
from shoal.prediction.error_bars import CalibrationRecord
from shoal.prediction.predictor import Predictor
from shoal.repeating import command_line, origin, versions
from shoal.report import keep_figures, write_report
from shoal.resources import available_cores
from shoal.runs.looks import write_looks
from shoal.search.space import Space
from shoal.steps.assembling import Trained, put_together
from shoal.steps.choosing import Kept
from shoal.steps.ensemble import alone
from shoal.steps.posing import Posed
from shoal.steps.session import Session
from shoal.training.trainer import Training


def write_config(posed: Posed, session: Session) -> None:
    """Write what is needed to repeat the run, or to go on with it; it keeps the time when it began."""
    command = command_line(posed.dataset, posed.settings)
    given, folder = posed.settings.given(), session.folder
    began = folder.config.get("created") if session.resumed else None
    chosen = {} if posed.settings.chosen_folds is None else {"folds": posed.settings.chosen_folds}
    known = {
        "data": origin(posed.dataset) | chosen,
        "versions": versions(),
        "command": command,
        "cores": available_cores(),
    }
    folder.write_config(given, **known, created=began)


def provenance_of(posed: Posed, training: Training) -> Provenance:
    """Return how the run came about."""
    settings = posed.settings
    return Provenance(
        settings=settings.given(),
        command=command_line(posed.dataset, settings),
        seed=settings.seed,
        versions=versions(),
        engine={
            "name": training.engine,
            "programs": training.programs,
            "reason": training.reason,
            "cores": available_cores(),
            **({"stopped_by": training.stopped} if training.stopped else {}),
        },
        seconds={"total": 0.0, "compile": training.compile_seconds, "train": training.train_seconds},
    )


def write_diverged(posed: Posed, space: Space, training: Training, sealed: SealedRows, session: Session) -> str:
    """Write what there is to see of a run that kept nothing, since its networks diverged; return where, in words.

    Log, numbers, figures and page tell of the data, the networks and their curves. There is no model, and the test rows
    stay sealed.
    """
    none = alone((), posed.preparation, posed.problem), CalibrationRecord("")
    trained = Trained(posed, space, training, Kept([], [], None), sealed)
    fitted = put_together(trained, none, (), lambda _: {})
    record, folder = evaluate(fitted, provenance_of(posed, training)), session.folder
    record.provenance.seconds.update(session.timing.seconds)
    folder.write_log(record)
    folder.write_metrics(record)
    curves = any(np.isfinite(member.validation_loss).any() for member in training.members)
    what = "The learning curves are" if curves else "No epoch ended with a finite loss; what was tried is"
    if posed.settings.page:
        kept = f"{what} kept: {write_report(record, folder.path, session.helper)}"
    else:
        keep_figures(record, folder.path)
        kept = f"{what} kept in {folder.path}."
    folder.remove_checkpoint()
    return kept


def write_run(predictor: Predictor, record: Record, session: Session, *, page: bool) -> None:
    """Write the run; the numbers before the page, so that a figure that fails loses nothing.

    Where the test rows are sealed, what is trained is kept until they are opened.
    """
    folder, timing, seconds = session.folder, session.timing, record.provenance.seconds
    session.progress.stage("writing the page" if page else "writing")
    seconds.update(timing.seconds)
    folder.write_model(predictor)
    folder.write_log(record)
    if not record[SplitRecord].sealed:
        folder.write_scored(record)
    folder.write_metrics(record)
    if page:
        write_report(record, folder.path, session.helper)
    else:
        keep_figures(record, folder.path)
    timing.end("report")
    seconds.update(timing.seconds)
    folder.write_metrics(record)
    if record[SplitRecord].sealed:
        folder.seal_checkpoint()
        return
    folder.remove_sealed()  # the look counts from here on
    write_looks(folder)
    folder.remove_checkpoint()
