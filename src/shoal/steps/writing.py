"""Writing a run: what repeats it before its networks train, all else at the end."""

from __future__ import annotations

from shoal.evaluation.record import Provenance, Record
from shoal.prediction.predictor import Predictor
from shoal.repeating import command_line, origin, versions
from shoal.report import keep_figures, write_report
from shoal.steps.posing import Posed
from shoal.steps.session import Session
from shoal.training.trainer import Training


def write_config(posed: Posed, session: Session) -> None:
    """Write what is needed to repeat the run, or to go on with it; it keeps the time when it began."""
    command = command_line(posed.dataset, posed.settings)
    given, folder = posed.settings.given(), session.folder
    began = folder.config.get("created") if session.resumed else None
    folder.write_config(given, data=origin(posed.dataset), versions=versions(), command=command, created=began)


def provenance_of(posed: Posed, training: Training) -> Provenance:
    """Return how the run came about."""
    settings = posed.settings
    return Provenance(
        settings=settings.given(),
        command=command_line(posed.dataset, settings),
        seed=settings.seed,
        versions=versions(),
        engine={"name": training.engine, "programs": training.programs, "reason": training.reason},
        seconds={"total": 0.0, "compile": training.compile_seconds, "train": training.train_seconds},
    )


def write_run(predictor: Predictor, record: Record, session: Session, *, page: bool) -> None:
    """Write the run; the numbers before the page, so that a figure that fails loses nothing."""
    folder, timing, seconds = session.folder, session.timing, record.provenance.seconds
    session.progress.stage("writing the page" if page else "writing")
    seconds.update(timing.seconds)
    folder.write_model(predictor)
    folder.write_log(record)
    folder.write_scored(record)
    folder.write_metrics(record)
    if page:
        write_report(record, folder.path, session.helper)
    else:
        keep_figures(record, folder.path)
    timing.end("report")
    seconds.update(timing.seconds)
    folder.write_metrics(record)
    folder.remove_checkpoint()
