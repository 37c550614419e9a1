"""Lots: members that one worker trains in one go, and what comes back of them, as plain data and arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256

from shoal.cluster.job import Arrays, Document, Job, versions
from shoal.errors import RunError
from shoal.training.checkpointing import Checkpoint, checkpoint_to_parts
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
    """Members of a job; `key` names them and the job."""

    key: str
    members: tuple[Member, ...]

    @property
    def job(self) -> str:
        """The key of the job that it belongs to."""
        return self.key.partition("-")[0]


def deal(job: Job, members: Sequence[Member], workers: int) -> list[Lot]:
    """Return members as lots, neighbours together.

    A worker gets some lots, so that the last are done at about the same time, and a lot fills the lanes of the native
    engine where there are enough members.

    Args:
        job: what they learn.
        members: who trains.
        workers: how many there are, or about as many.
    """
    size = max(1, -(-len(members) // (LOTS_OF_A_WORKER * max(1, workers))))
    size = max(size, min(FEWEST, -(-len(members) // max(1, workers))))
    return [_lot(job, tuple(members[i : i + size])) for i in range(0, len(members), size)]


def _lot(job: Job, members: tuple[Member, ...]) -> Lot:
    ids = ",".join(str(member.id) for member in members)
    return Lot(f"{job.key}-{sha256(ids.encode()).hexdigest()[:12]}", members)


def lot_to_dict(lot: Lot) -> Document:
    """Return a lot as plain data."""
    plain = [{f.name: getattr(m, f.name) for f in fields(Member)} for m in lot.members]
    for entry in plain:
        entry["hyperparameters"] = entry["hyperparameters"].model_dump(mode="json")
    return {"key": lot.key, "members": plain}


def lot_from_dict(data: Document) -> Lot:
    """Return the lot that `lot_to_dict` described."""
    members = [{**entry, "hyperparameters": Hyperparameters(**entry["hyperparameters"])} for entry in data["members"]]
    return Lot(data["key"], tuple(Member(**entry) for entry in members))


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
    training = train(job.problem, lot.members, make_engine(job.engine, budget), seconds=seconds, progress=progress)
    document, arrays = checkpoint_to_parts(Checkpoint(training.checkpoint.finished, {}, job.engine))
    return {**document, "programs": training.programs, "note": note}, arrays


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
