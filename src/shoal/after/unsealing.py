"""The test rows of runs that were fitted with `seal_test`, opened once for all of them.

A sealed run keeps what it has trained. Here it is put together again as its fit would have done, from the same rows,
and goes on where that stopped, so that its numbers are those of a run that was not sealed. All runs are evaluated
before anything is written: what fails leaves every one of them sealed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.after.comparing import compared, contender, distinct_names
from shoal.after.opening import as_run
from shoal.after.rows_of_fit import Refusals, read_rows_of_fit
from shoal.errors import RunError, listing
from shoal.evaluation.compare import Comparison, check_same
from shoal.evaluation.evaluate import evaluate
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.record import Record
from shoal.evaluation.sealed import SealedRows
from shoal.helper_process import HelperProcess
from shoal.repeating import check_cores
from shoal.results import Task
from shoal.run import Run
from shoal.runs.folder import START_AGAIN
from shoal.runs.lock import locked
from shoal.runs.log import read_networks
from shoal.runs.looks import looks_at, write_looks
from shoal.search.members import replicas_of
from shoal.settings import check_settings
from shoal.short_repr import ShortRepr
from shoal.steps.assembling import Trained, assemble
from shoal.steps.beside import learn_meanwhile, open_helper
from shoal.steps.choosing import keep_best
from shoal.steps.posing import Posed
from shoal.steps.proposing import pose_search
from shoal.steps.session import Session
from shoal.steps.timing import Timing
from shoal.steps.training import load_training
from shoal.steps.writing import provenance_of, write_run
from shoal.training.checkpointing import Checkpoint
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member, TrainedMember
from shoal.training.progress import Progress
from shoal.training.progress_lines import listener
from shoal.training.trainer import Training

REFUSALS = Refusals(
    not_kept="{run} was fitted on data from Python, which are not kept; hand them over again: shoal.open_test(run, "
    "data=data)",
    unreadable="the test rows of {run} cannot be read again: {error} Say where the data are now: shoal open RUN --data "
    "FILE",
    changed="the data in {source!r} have changed since {run} was fitted, so that its test rows are not known any more; "
    "it stays sealed. Restore the data, or fit again.",
)


@dataclass(frozen=True, repr=False)
class OpenedRuns(ShortRepr):
    """Runs whose test rows were opened together, and how they compare on these; None for one run."""

    runs: tuple[Run, ...]
    comparison: Comparison | None = None


def open_test(*runs: Run | str | Path, data: Any = None, progress: Progress | bool | None = None) -> OpenedRuns:
    """Open the test rows of sealed runs, once for all of them, and compare the runs with the first.

    Afterwards each run is what it would be without `seal_test`: scores, baselines, error bars and page. The differences
    are paired, and their intervals share a level of 5 % as in `shoal.compare`; the comparison is part of this one look.

    Args:
        runs: one or more runs or their folders, fitted with `seal_test=True`; several have the same test rows.
        data: where the data of the fit are now, or these data; by default they are read from where the fit read them.
        progress: as for `fit`.

    Returns:
        `.runs`, and the `.comparison` of several.

    Raises:
        RunError: a run is not sealed, or opened already; test rows differ; the data have changed or are gone.

    Example:
        >>> import shoal, tempfile
        >>> tiny = {"networks": 1, "hidden": (4,), "batch_size": 32, "page": False, "seal_test": True}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sealed = [shoal.fit("iris", epochs=n, out=f"{folder}/{n}", **tiny) for n in (2, 4)]
        ...     opened = shoal.open_test(*sealed)
        >>> opened.comparison.rows, [len(run.metrics["test"]) > 0 for run in opened.runs]
        (30, [True, True])
    """
    if not runs:
        raise RunError("no run is named; expected one or more that were fitted with seal_test")
    opened = [as_run(run) for run in runs]
    names = distinct_names(opened)
    watching = listener(progress)
    with ExitStack() as stack:
        for path in sorted({run.path.resolve() for run in opened}):
            stack.enter_context(locked(path))
        for run in opened:
            check_sealed(run)
        put_together = []
        for run, name in zip(opened, names, strict=True):
            watching.stage(f"reading the data of {name}")
            put_together.append(_Sealed.of(run, data))
        _check_same_rows(put_together, names)
        helper = open_helper()
        stack.callback(helper.close)
        evaluated = []
        for sealed, name in zip(put_together, names, strict=True):
            watching.stage(f"opening the test rows of {name}")
            evaluated.append(sealed.evaluate(watching, helper))
        for run, (record, session) in zip(opened, evaluated, strict=True):
            write_run(run.predictor, record, session, page=run.folder.config["settings"].get("page", True))
            run.__dict__.pop("metrics", None)
    if len(opened) == 1:
        return OpenedRuns(tuple(opened))
    for run in opened:  # what the first page says of looks was written before the others were opened
        write_looks(run.folder)
    comparison = replace(compared(opened), looks=looks_at([run.folder for run in opened]))
    return OpenedRuns(tuple(opened), comparison)


def check_sealed(run: Run) -> None:
    """Check that the test rows of a run wait to be opened.

    Raises:
        RunError: they do not.
    """
    if run.folder.test_sealed:
        return
    path = str(run.path)
    if run.folder.diverged:
        raise RunError(f"{path!r} has no test rows to open, since its networks diverged. {START_AGAIN}")
    if run.folder.seal_lost:
        raise RunError(
            f"{path!r} is sealed, but its folder 'sealed' is gone, without which it cannot be opened. {AGAIN}"
        )
    how = "its test rows were opened before" if run.folder.config["settings"].get("seal_test") else "it was not sealed"
    raise RunError(
        f"{path!r} has its test scores already, since {how}; leave it out here, and compare it with the others by "
        "`shoal compare`, which counts as one more look"
    )


AGAIN = "Restore it from a copy, or fit again: shoal fit --config RUN."


@dataclass(frozen=True)
class _Sealed:
    """A sealed run with its problem posed once more, and what it has trained."""

    run: Run
    posed: Posed
    training: Training

    @classmethod
    def of(cls, run: Run, data: Any) -> _Sealed:
        """Read the data and what is trained."""
        config, metrics = run.folder.config, run.folder.metrics()
        check_cores(config)
        fit = read_rows_of_fit(run, REFUSALS, data)
        posed = Posed.of(fit.dataset, fit.split, check_settings(config["settings"]))
        members, engine = _restored(run, posed, members_of_log(run)), metrics["engine"]
        seconds = metrics["seconds"]["compile"], metrics["seconds"]["train"]
        names: dict[str, Any] = {"engine": engine["name"], "programs": engine["programs"], "reason": engine["reason"]}
        return cls(run, posed, Training(members, *seconds, checkpoint=Checkpoint(), **names))

    def evaluate(self, progress: Progress, helper: HelperProcess) -> tuple[Record, Session]:
        """Open the test rows and return everything that the run has to say now, and the session that writes it."""
        run, posed = self.run, self.posed
        seconds = run.folder.metrics()["seconds"]
        session = Session(run.folder, progress, Timing(seconds["total"]), helper)
        baselines = learn_meanwhile(helper, posed)
        kept = keep_best(self.training, posed, run.folder)
        replicas: list[TrainedMember] = []
        if posed.settings.replicas is not None:
            again = replicas_of([member.member for member in kept.members], posed.settings.replicas)
            replicas = _restored(run, posed, again)
        sealed = SealedRows(posed.dataset, posed.split.test)
        trained = Trained(posed, pose_search(posed).space, self.training, kept, sealed)
        fitted = assemble(trained, replicas, baselines)
        # what is opened is what was sealed, though another machine may calibrate it otherwise in the last digit
        fitted = replace(fitted, predictor=run.predictor)
        provenance = replace(provenance_of(posed, self.training), seconds=dict(seconds))
        record = evaluate(fitted, provenance)
        session.timing.end("opening")
        return record, session


def members_of_log(run: Run) -> list[Member]:
    """Return all networks that a run has trained, by its log."""
    members = []
    for row in read_networks(run.folder.log).iter_rows(named=True):
        choices = json.loads(row["candidate"])
        choices.pop("bottleneck", None)  # the size of its code, which follows from its layers
        members.append(Member(row["id"], Hyperparameters(**choices), row["candidate_id"], row["fold"], row["repeat"]))
    return members


def _restored(run: Run, posed: Posed, members: list[Member]) -> list[TrainedMember]:
    """Return those of some members that the sealed run has trained, in the order of their identities."""
    checkpoint = load_training(run.folder, posed.problem, members)
    return [] if checkpoint is None else [checkpoint.finished[identity] for identity in sorted(checkpoint.finished)]


def _check_same_rows(sealed: Sequence[_Sealed], names: Sequence[str]) -> None:
    """Refuse runs that cannot be compared on the same test rows, before any of them is opened.

    Raises:
        RunError: says what differs.
    """
    if len(sealed) < 2:
        return
    if Task.RECONSTRUCTION in (one.posed.dataset.task for one in sealed):
        raise RunError(
            f"{listing(names)} cannot be compared, since reconstructions keep no predictions; open each alone"
        )
    contenders = []
    for one, name in zip(sealed, names, strict=True):
        rows, weights, nothing = one.posed.split.test, one.posed.dataset.weights(), np.empty(0)
        kept = PredictedRows(rows, nothing, nothing, None if weights is None else weights[rows])
        contenders.append(contender(one.run, name, kept))
    for other in contenders[1:]:
        check_same(contenders[0], other)
