"""Lots: members that one worker trains in one go, and what comes back of them, as plain data and arrays."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

from shoal.cluster.job import Arrays, Document, Job, versions
from shoal.errors import RunError
from shoal.training.checkpointing import checkpoint_from_parts, checkpoint_to_parts
from shoal.training.engine_choice import make_engine
from shoal.training.engines.native.library import KERNEL_VARIABLE, kernels
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member
from shoal.training.planner import Budget
from shoal.training.progress import Progress
from shoal.training.trainer import train

LOTS_OF_A_WORKER = 4  # so that none waits long for another at the end
FEWEST = 16  # members of a lot, where there are enough: the lanes of a register


@dataclass(frozen=True)
class Lot:
    """Members of a job.

    Attributes:
        key: names them, the job and how far they are.
        members: who trains.
        rungs: epochs after which candidates of all lots are compared.
        let_go: the candidates that did not go on from the first of the rungs; training ends at the next one.
        state: what the lot left at the rung before, as `train_lot` returned it.
    """

    key: str
    members: tuple[Member, ...]
    rungs: tuple[int, ...] = ()
    let_go: tuple[tuple[int, ...], ...] = ()
    state: tuple[Document, Arrays] | None = None

    @property
    def job(self) -> str:
        """The key of the job that it belongs to."""
        return self.key.partition("-")[0]

    def after_rung(self, let_go: Collection[int], state: tuple[Document, Arrays]) -> Lot:
        """Return the lot as it trains on from a rung."""
        told = (*self.let_go, tuple(sorted(let_go)))
        return _lot(self.job, self.members, self.rungs, told, state)


def deal(
    job: Job, members: Sequence[Member], workers: int, rungs: Sequence[int] = (), *, in_turn: bool = False
) -> list[Lot]:
    """Return members as lots, those together that an engine trains together: of one encoding and batch size.

    A worker gets some lots, so that the last are done at about the same time, and a lot fills the lanes of the native
    engine where there are enough members.

    Args:
        job: what they learn.
        members: who trains.
        workers: how many there are, or about as many.
        rungs: epochs after which candidates of all lots are compared.
        in_turn: neighbours are together, so that a time budget does not end before some kinds have begun.
    """
    if not in_turn:
        members = sorted(members, key=_kind)
    size = max(1, -(-len(members) // (LOTS_OF_A_WORKER * max(1, workers))))
    size = max(size, min(FEWEST, -(-len(members) // max(1, workers))))
    parts = [tuple(members[i : i + size]) for i in range(0, len(members), size)]
    return [_lot(job.key, part, tuple(rungs)) for part in parts]


def _kind(member: Member) -> tuple[str, int]:
    return str(member.hyperparameters.feature_encoding), member.hyperparameters.batch_size


def _lot(job: str, members: tuple[Member, ...], rungs: tuple[int, ...], *further: Any) -> Lot:
    ids = ",".join(str(member.id) for member in members)
    named = f"{ids} {rungs} {further[0]}" if further else ids
    return Lot(f"{job}-{sha256(named.encode()).hexdigest()[:12]}", members, rungs, *further)


def lot_to_parts(lot: Lot) -> tuple[Document, Arrays]:
    """Return a lot as plain data and the arrays of its state."""
    plain = [{f.name: getattr(m, f.name) for f in fields(Member)} for m in lot.members]
    choices: dict[Hyperparameters, int] = {}  # each once for all of its members and replicas
    for entry in plain:
        entry["hyperparameters"] = choices.setdefault(entry["hyperparameters"], len(choices))
    state, arrays = lot.state or (None, {})
    document = {"key": lot.key, "members": plain, "rungs": lot.rungs, "let_go": lot.let_go, "state": state}
    return {**document, "choices": [choice.model_dump(mode="json") for choice in choices]}, arrays


def lot_from_parts(document: Document, arrays: Arrays) -> Lot:
    """Return the lot that `lot_to_parts` described."""
    choices = [Hyperparameters(**choice) for choice in document["choices"]]
    plain = [{**entry, "hyperparameters": choices[entry["hyperparameters"]]} for entry in document["members"]]
    members, let_go = tuple(Member(**entry) for entry in plain), tuple(map(tuple, document["let_go"]))
    state = None if document["state"] is None else (document["state"], arrays)
    return Lot(document["key"], members, tuple(document["rungs"]), let_go, state)


def train_lot(
    job: Job, lot: Lot, budget: Budget, *, seconds: float | None = None, progress: Progress | None = None
) -> tuple[Document, Arrays]:
    """Train the members of a lot and return what came of them, for `checkpoint_from_parts`.

    Args:
        job: what they learn, by which engine.
        lot: who trains.
        budget: what training may use.
        seconds: until members keep the best epoch that they have seen.
        progress: a listener.

    Raises:
        Stopped: Ctrl-C.
        RunError: the driver has another version of shoal.
    """
    note = agree(job.document["versions"])
    members = {member.id: member for member in lot.members}
    training = train(
        job.problem,
        lot.members,
        make_engine(job.engine, budget),
        seconds=seconds,
        progress=progress,
        checkpoint=None if lot.state is None else checkpoint_from_parts(*lot.state, job.problem, members),
        rungs=lot.rungs,
        let_go=lot.let_go if lot.rungs else None,
    )
    document, arrays = checkpoint_to_parts(training.checkpoint)
    return {**document, "lot": lot.key, "programs": training.programs, "note": note}, arrays


def agree(driver: dict[str, str]) -> str | None:
    """Train with the driver's kernel where this processor can, and return what differs, as `check_versions` does."""
    if driver["kernel"] in {kernel.name for kernel in kernels()}:
        os.environ[KERNEL_VARIABLE] = driver["kernel"]
    return check_versions(driver, versions())


def check_versions(driver: dict[str, str], worker: dict[str, str]) -> str | None:
    """Return what a worker with another kernel changes, None where nothing does.

    Raises:
        RunError: it has another version of shoal.

    Example:
        >>> check_versions({"shoal": "1.0", "kernel": "avx512"}, {"shoal": "1.0", "kernel": "avx2"})
        'a worker trains with the kernel for avx2, the driver has avx512: results may differ in the last digits'
    """
    if worker["shoal"] != driver["shoal"]:
        raise RunError(
            f"this worker has shoal {worker['shoal']}, the driver {driver['shoal']}; install the same version on both"
        )
    if worker["kernel"] == driver["kernel"]:
        return None
    return (
        f"a worker trains with the kernel for {worker['kernel']}, the driver has {driver['kernel']}: "
        "results may differ in the last digits"
    )
