"""Blocks: members that share a compiled program, and what of them is on the devices."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from shoal.results import Status
from shoal.training.engines.xla.program import MemberProgram
from shoal.training.engines.xla.state import BlockState
from shoal.training.member import Member
from shoal.training.packing import member_numbers
from shoal.training.problem import Problem
from shoal.training.structure import Structure


@dataclass
class Program:
    """One compiled function for blocks of one structure, number of places and data shape."""

    member: MemberProgram
    mesh: jax.sharding.Mesh
    rows: Any
    orders: Any
    compiled: Any = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def axis(self) -> int:
        """Where the member axis is."""
        return self.member.lift.axis

    def spec(self, rank: int) -> PartitionSpec:
        """Return how an array of members with so many axes is dealt to the devices."""
        before = rank - 1 if self.axis == -1 else 0
        return PartitionSpec(*(None,) * before, "members")

    def turned(self, tree: Any) -> Any:
        """Return arrays whose members come first with the members where the layout puts them."""
        return jax.tree.map(lambda a: np.moveaxis(a, 0, self.axis), tree)

    def put(self, arrays: Any, places: np.ndarray, given: Any) -> None:
        """Write what belongs to some places into arrays of NumPy that hold all."""
        at = (..., places) if self.axis == -1 else places
        jax.tree.map(lambda array, values: array.__setitem__(at, values), arrays, given)

    def taken(self, tree: Any, places: Sequence[int] | np.ndarray) -> Any:
        """Return what belongs to some places, in NumPy."""
        return jax.tree.map(lambda array: np.take(np.asarray(array), places, axis=self.axis), tree)

    def place(self, tree: Any) -> Any:
        """Return arrays of members on the devices."""
        return jax.tree.map(lambda a: jax.device_put(a, NamedSharding(self.mesh, self.spec(np.ndim(a)))), tree)


@dataclass
class XlaBlock:
    """Members of one structure, in the order in which they enter, and how many train at a time."""

    members: tuple[Member, ...]
    structure: Structure
    places: int
    problem: Problem
    program: Program
    activation: int = 0


@dataclass
class XlaState:
    """A block in training: its state and its members' numbers, on the devices, and the numbers in NumPy.

    `epochs_left` are those of the member that has most before it, `turn` is the next of the orders of the rows.
    """

    state: BlockState
    numbers: Any
    own_numbers: Any
    epochs_left: int = 0
    turn: int = 0

    def after(self, state: BlockState, status: np.ndarray, epoch: np.ndarray, turn: int) -> XlaState:
        """Return the block with another state, of which these are the status and the epoch of each place."""
        left = np.where(status == Status.RUNNING, self.own_numbers["epochs"] - epoch, 0)
        return XlaState(state, self.numbers, self.own_numbers, int(left.max()), turn)


def copied(tree: Any) -> Any:
    """Return arrays that a device may keep: it need not copy an array of NumPy that it is given."""
    return jax.tree.map(np.array, tree)


def block_numbers(block: XlaBlock, members: Sequence[Member]) -> dict[str, Any]:
    """Return the members' numbers as the program takes them, the members first."""
    numbers = member_numbers(block.problem, block.structure, members)
    if block.structure.masks:
        numbers["own"] = block.program.member.storage.parts(numbers["own"])
    return numbers
