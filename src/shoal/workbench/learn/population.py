"""Many small networks trained at once by the native engine, while a figure waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.results import Status, Task
from shoal.training.building import hyperparameters_of
from shoal.training.engine_choice import make_engine
from shoal.training.engines.base import seated_at_once
from shoal.training.engines.native.library import best_kernel
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import get_loss
from shoal.training.member import Member, initial_parameters
from shoal.training.packing import member_network
from shoal.training.planner import find_budget
from shoal.training.problem import Problem

Parameters = list[dict[str, np.ndarray]]
Look = Callable[[int, list[Parameters]], None]


@dataclass(frozen=True)
class TrainedPopulation:
    """Networks at their last epoch, in the order of the members.

    Attributes:
        networks, parameters: one of each member.
        loss, validation_loss: `(members, epochs)`; NaN after a member diverged.
    """

    networks: list[Network]
    parameters: list[Parameters]
    loss: np.ndarray
    validation_loss: np.ndarray

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs of all for rows, `(members, rows, outputs)`."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.stack([np.asarray(n.predict(p, x)) for n, p in zip(self.networks, self.parameters, strict=True)])


def train_population(
    x: np.ndarray,
    y: np.ndarray,
    settings: Sequence[Mapping[str, Any]],
    *,
    network: Network | None = None,
    classes: int = 0,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    start: Parameters | None = None,
    seed: int = 0,
    look: Look | None = None,
) -> TrainedPopulation:
    """Train one network for each of the settings, to its last epoch.

    Args:
        x: `(rows, features)`.
        y: `(rows, outputs)`, or with classes their numbers `(rows,)`.
        settings: hyperparameters of each member.
        network: what all are; None: what their hyperparameters say.
        classes: how many there are; 0: a regression.
        validation: rows beside; by default those that train.
        start: weights from which all begin; by default each draws its own.
        seed: of the first weights and the order of rows.
        look: is called with the epoch, 0 to the last, and the parameters of all.
    """
    task = Task.CLASSIFICATION if classes else Task.REGRESSION
    loss = "mse" if not classes else "binary_crossentropy" if classes == 2 else "categorical_crossentropy"
    parts = [_part(*rows, classes) for rows in ((x, y), validation or (x, y))]
    half = np.arange(len(parts[1][0])) % 2
    problem = Problem(
        *parts[0], *parts[1], half, task=task, loss=get_loss(loss), seed=seed, network=network, start=start
    )
    known = {} if network is None else hyperparameters_of(network)
    each = [Hyperparameters(**{**known, **one, "patience": one["epochs"]}) for one in settings]
    members = [Member(number, one) for number, one in enumerate(each)]
    networks = [network or member_network(problem, member) for member in members]
    if look is not None:
        look(0, [start or initial_parameters(n, seed, m.id) for n, m in zip(networks, members, strict=True)])
    return _run(problem, members, networks, look)


def _part(x: np.ndarray, y: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    targets = np.eye(classes)[y] if classes else y
    if classes == 2:
        targets = targets[:, 1:]
    return np.asarray(x, np.float32), np.asarray(targets, np.float32), np.ones((len(x), 1), np.float32)


def _run(problem: Problem, members: list[Member], networks: list[Network], look: Look | None) -> TrainedPopulation:
    """Take all members through the engine block by block, or epoch by epoch where somebody looks."""
    engine = make_engine("native" if best_kernel() is not None else "xla", find_budget())
    most = max(member.hyperparameters.epochs for member in members)
    loss, beside = np.full((2, len(members), most), np.nan)
    latest: list[Any] = [None] * len(members)
    blocks = []
    for block in chain.from_iterable(map(seated_at_once, engine.plan(problem, members))):
        seats = dict(enumerate(block.members))
        engine.prepare(block)
        blocks.append([block, engine.enter(block, engine.start(block), seats), seats, 0])
    for epoch in range(1, most + 1):
        for place in blocks:
            block, state, seats, done = place
            target = epoch if look is not None else most
            while done < target:
                state, chunk = engine.advance(block, state, target - done)
                length = chunk.train_loss.shape[1]
                for seat, member in seats.items():
                    loss[member.id, done : done + length] = chunk.train_loss[seat]
                    beside[member.id, done : done + length] = chunk.validation_loss[seat]
                done = done + length if (chunk.status == Status.RUNNING).any() else most  # an engine never idles
            place[1], place[3] = state, done
            for seat, parameters in engine.read_out(block, state, seats, last=True).items():
                latest[seats[seat].id] = parameters
        if look is None:
            break
        look(epoch, list(latest))
    return TrainedPopulation(networks, latest, loss, beside)
