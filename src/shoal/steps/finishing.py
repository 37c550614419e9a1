"""From trained networks to a run that is written; of several targets of classes, a run of each and one of all.

Networks that predict several targets have a group of outputs for each. Of one target alone, such a network is an
ordinary one, whose last layer has the outputs of that group: so each target gets its own calibration, intervals,
baselines and page by the same steps as a run with one target, and every command can be asked about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shoal.data import Dataset
from shoal.evaluation.baselines.series import Learned
from shoal.evaluation.evaluate import evaluate
from shoal.evaluation.record import Record
from shoal.evaluation.sealed import SealedTarget
from shoal.prediction.error_bars import CalibrationRecord
from shoal.resources import one_blas_thread
from shoal.steps.assembling import Trained, assemble, put_together
from shoal.steps.choosing import Kept
from shoal.steps.ensemble import alone
from shoal.steps.posing import Posed, wanted_metrics
from shoal.steps.session import Session
from shoal.steps.training import keep_training, train_replicas
from shoal.steps.writing import provenance_of, write_config, write_run
from shoal.training.heads import ClassesHead
from shoal.training.loss_choice import choose_loss


def finish(trained: Trained, baselines: Learned, session: Session) -> Record:
    """Make the ensemble with its error bars, evaluate it and write the run."""
    posed, kept = trained.posed, trained.kept
    replicas = train_replicas(posed, kept.members, session, trained.training)
    with one_blas_thread():
        fitted = assemble(trained, replicas, baselines)
        record = evaluate(fitted, provenance_of(posed, trained.training))
        session.timing.end("evaluate")
        write_run(fitted.predictor, record, session, page=posed.settings.page)
    return record


def finish_each_target(trained: Trained, baselines: Sequence[Learned], session: Session) -> None:
    """Write a run of each target within the folder of the run, then that of all."""
    posed, folders, records = trained.posed, session.folder.new_folders_of_targets(trained.posed.dataset.targets), {}
    keep_training(session.folder, trained.training.checkpoint)  # what follows may be interrupted
    for number, (part, name) in enumerate(zip(posed_for_each(posed), posed.dataset.targets, strict=True)):
        within = replace(session, folder=folders[number], resumed=False)
        session.progress.stage(f"evaluating {name}")
        write_config(part, within)
        records[name] = finish(of_target(trained, part, number), baselines[number], within)
    predictor = alone(trained.kept.members, posed.preparation, posed.problem)
    ensemble = predictor, CalibrationRecord("")
    fitted = put_together(trained, ensemble, (), lambda _: {}, targets=records)
    record = evaluate(fitted, provenance_of(posed, trained.training))
    write_run(predictor, record, session, page=posed.settings.page)


def posed_for_each(posed: Posed) -> tuple[Posed, ...]:
    """Return what is to be learned of each of several targets of classes; else `posed` itself."""
    if not posed.dataset.classes_by_target:
        return (posed,)
    return tuple(_posed(posed, part, number) for number, part in enumerate(posed.dataset.of_each_target))


def _posed(posed: Posed, dataset: Dataset, number: int) -> Posed:
    problem, outputs = posed.problem, _outputs(posed, number)
    problem = replace(
        problem,
        y=problem.y[:, outputs],
        validation_y=problem.validation_y[:, outputs],
        loss=choose_loss(dataset.task, len(dataset.classes), None),
    )
    return replace(
        posed,
        dataset=dataset,
        preparation=posed.preparation.of_target(dataset),
        problem=problem,
        metrics=wanted_metrics(dataset, posed.split, posed.settings),
    )


def of_target(trained: Trained, part: Posed, number: int) -> Trained:
    """Return what was trained with the outputs of one of several targets of classes only, posed alone as `part`."""
    outputs, kept = _outputs(trained.posed, number), trained.kept
    folds = None
    if kept.folds is not None:
        folds = replace(kept.folds, members=tuple(with_outputs(member, outputs) for member in kept.folds.members))
    return Trained(
        part,
        trained.space,
        replace(trained.training, members=[with_outputs(member, outputs) for member in trained.training.members]),
        Kept(kept.places, [with_outputs(member, outputs) for member in kept.members], folds),
        SealedTarget(trained.sealed, number),
    )


def _outputs(posed: Posed, number: int) -> slice:
    head = posed.problem.loss.head
    assert isinstance(head, ClassesHead)
    return head.groups[number]


def with_outputs(member: Any, outputs: slice) -> Any:
    """Return a network, as trained or as kept, with some of its outputs, and what makes probabilities of them."""
    network, (*before, last) = member.network, member.network.layers
    count = outputs.stop - outputs.start
    layers = [*before, replace(last, units=count, activation="sigmoid" if count == 1 else "softmax")]
    of_last = {name: array[..., outputs] for name, array in member.parameters[-1].items()}
    return replace(
        member, network=type(network)(layers, network.input_shape), parameters=[*member.parameters[:-1], of_last]
    )
