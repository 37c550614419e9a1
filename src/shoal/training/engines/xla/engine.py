"""The XLA engine: blocks of members in one compiled program each, on every core or GPU."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from shoal.networks import get_activation
from shoal.resources import available_cores
from shoal.training import planner
from shoal.training.cost import COMPILE_SECONDS, member_step, members_per_core
from shoal.training.engines.base import Chunk
from shoal.training.engines.xla.blocks import Program, XlaBlock, XlaState, block_numbers, copied
from shoal.training.engines.xla.devices import compile_lowered, compiler_options, find_devices
from shoal.training.engines.xla.program import MemberProgram
from shoal.training.engines.xla.rows import SharedRows, exchanged, shared_orders, shared_rows
from shoal.training.engines.xla.state import BlockState, idle_state, starting_state
from shoal.training.grouping import group_members
from shoal.training.member import Member
from shoal.training.packing import Parameters, member_network, padded_starts, unpad_parameters
from shoal.training.parts import Part
from shoal.training.planner import Budget, find_budget, member_bytes, shared_bytes, validation_batch
from shoal.training.problem import Problem
from shoal.training.structure import LAYOUTS, ORDERS, Structure, bucket_rows

WORTH_SHRINKING = 4.0  # times what compiling costs; nothing trains meanwhile
ON_A_GPU = 4096  # members at once: it is not filled by fewer small networks


class XlaEngine:
    """Trains every network on CPUs and GPUs.

    Args:
        devices: how many devices to use; by default all.
        budget: the memory that training may take; by default what is free.

    Attributes:
        programs: how many programs its last plan needs.
        programs_compiled: how many it has compiled because the cache had none.
    """

    name = "xla"

    def __init__(self, devices: int | None = None, budget: Budget | None = None) -> None:
        self.devices = find_devices()[:devices]
        self.on_cpu = self.devices[0].platform == "cpu"
        self.budget = (budget or find_budget()) if self.on_cpu else _memory_of(self.devices)
        self.layouts = LAYOUTS if self.on_cpu else ("first",)
        self.programs = self.programs_compiled = 0
        self._rows: dict[tuple[Any, ...], SharedRows] = {}  # on the devices
        self._exchanged: tuple[Program, SharedRows] | None = None  # the program with rows of its own, and those before

    def plan(self, problem: Problem, members: Sequence[Member]) -> list[XlaBlock]:
        """Return one block for each group of members that share a program."""
        blocks, groups = [], group_members(problem, members, self.layouts)
        self.programs = len(groups)
        self._rows.clear()
        for group in groups:
            behind, devices = group.problem, min(len(self.devices), len(group.members))
            steps = problem.steps(group.structure.batch_size)
            at_once = members_per_core(group.structure, steps) if self.on_cpu else ON_A_GPU
            parts = _by_activation(group.structure, group.members)
            most = max(len(part) for part in parts.values())
            places = min(bucket_rows(-(-most // devices)), at_once) * devices
            places = self._fitting(behind, group.structure, places, devices)
            program = self._program(behind, group.structure, min(devices, places))
            for activation, part in parts.items():
                blocks.append(XlaBlock(part, group.structure, places, behind, program, activation))
        return blocks

    def _fitting(self, problem: Problem, structure: Structure, places: int, devices: int) -> int:
        """Return as many of these places as the memory holds."""
        network = structure.network
        validation = min(len(problem.validation_x), validation_batch(network.values))
        bytes_per_member = member_bytes(network.parameter_count, (network.values,), structure.batch_size, validation)
        fitting = planner.places_in_memory(
            bytes_per_member, shared_bytes(problem, devices), places, devices, self.budget
        )
        return min(places, fitting)

    def shrink(self, block: XlaBlock, seated: XlaState, seats: Sequence[int]) -> tuple[XlaBlock, XlaState] | None:
        """Return a block with fewer places and its state, or None where compiling it costs more than it saves."""
        program = block.program
        devices = min(program.mesh.size, len(seats))
        places = bucket_rows(-(-len(seats) // devices)) * devices
        steps = int(program.rows.steps) * seated.epochs_left
        saved = 1e-6 * member_step(block.structure) * steps * (block.places - places) / program.mesh.size
        if 2 * places > block.places or saved < WORTH_SHRINKING * COMPILE_SECONDS:
            return None
        smaller = replace(block, places=places, program=self._program(block.problem, block.structure, devices))
        self.prepare(smaller)
        state, numbers = (program.taken(tree, seats) for tree in (seated.state, seated.own_numbers))
        return smaller, self._filled(smaller, state, numbers, seated.turn)

    def _filled(self, block: XlaBlock, state: BlockState, numbers: Any, turn: int) -> XlaState:
        """Return a block whose first places have this state and these numbers, the others idle."""
        empty = self.start(block)
        both = copied(empty.state), empty.own_numbers
        count = len(state.status)
        for arrays, given in zip(both, (state, numbers), strict=True):
            block.program.put(arrays, np.arange(count), given)
        return self._placed(block, *both, turn)

    def _placed(self, block: XlaBlock, state: BlockState, own_numbers: Any, turn: int = 0) -> XlaState:
        """Return a block with its state and its numbers on the devices."""
        seated = XlaState(block.program.place(state), block.program.place(copied(own_numbers)), own_numbers)
        return seated.after(seated.state, state.status, state.epoch, turn)

    def _program(self, problem: Problem, structure: Structure, devices: int) -> Program:
        mesh = jax.sharding.Mesh(np.array(self.devices[:devices]), ("members",))
        everywhere = NamedSharding(mesh, PartitionSpec())
        orders = shared_orders(problem, structure, ORDERS)
        validation = validation_batch(structure.network.values)
        which = (id(problem), structure.input_shape, structure.replicas, validation, devices)
        if which not in self._rows:  # programs share them, whatever their batch
            self._rows[which] = jax.device_put(shared_rows(problem, structure), everywhere)
        steps = jax.device_put(np.int32(problem.steps(structure.batch_size)), everywhere)
        rows = self._rows[which]._replace(steps=steps)
        return Program(MemberProgram(structure), mesh, rows, jax.device_put(orders, everywhere))

    def prepare(self, block: XlaBlock) -> float:
        """Compile the block's program unless it is at hand; return the seconds that it took."""
        program = block.program
        with program.lock:
            if program.compiled is not None:
                return 0.0
            began = time.perf_counter()
            program.compiled, new = self._compile(block)
            self.programs_compiled += new
            return time.perf_counter() - began

    def _compile(self, block: XlaBlock) -> tuple[Any, bool]:
        program = block.program
        lifted = program.member.lift.block(program.member.chunk)
        seated = self.start(block)
        dealt_state, dealt_numbers = (
            jax.tree.map(lambda a: program.spec(a.ndim), tree) for tree in (seated.state, seated.numbers)
        )
        everywhere = PartitionSpec()
        dealt = jax.shard_map(
            lifted,
            mesh=program.mesh,
            in_specs=(dealt_state, dealt_numbers, *(everywhere,) * 5),
            out_specs=(dealt_state, (program.spec(3), program.spec(2))),
            check_vma=False,
        )
        shared = (program.rows, program.orders, np.int32(block.activation), np.int32(0), np.int32(1))
        lowered = jax.jit(dealt, donate_argnums=0).lower(seated.state, seated.numbers, *shared)
        return compile_lowered(lowered, compiler_options(self.devices[0].platform, block.structure.layout))

    def start(self, block: XlaBlock) -> XlaState:
        """Return a block whose places are all idle."""
        program, places = block.program, block.places
        numbers = program.turned(block_numbers(block, block.members[:1]))
        own_numbers = jax.tree.map(lambda a: np.repeat(a, places, axis=program.axis), numbers)
        idle = program.turned(idle_state(places, program.member.storage))
        return XlaState(program.place(idle), program.place(copied(own_numbers)), own_numbers)

    def enter(self, block: XlaBlock, seated: XlaState, newcomers: Mapping[int, Member]) -> XlaState:
        """Put members into places, each at its start."""
        program, members, places = block.program, list(newcomers.values()), np.asarray(list(newcomers))
        state, own_numbers = copied(seated.state), seated.own_numbers
        vectors = padded_starts(block.problem, block.structure, members)
        fresh = starting_state(members, vectors, program.member.storage)
        program.put(state, places, program.turned(fresh))
        program.put(own_numbers, places, program.turned(block_numbers(block, members)))
        return self._placed(block, state, own_numbers)

    def advance(self, block: XlaBlock, seated: XlaState, most: int | None = None) -> tuple[XlaState, Chunk]:
        """Train every running member of the block for a chunk of epochs, or for so many at most."""
        program, chunk = block.program, block.structure.chunk
        epochs = np.int32(min(seated.epochs_left, chunk, most or chunk))
        shared = (program.rows, program.orders, np.int32(block.activation), np.int32(seated.turn), epochs)
        state, (curves, ends) = program.compiled(seated.state, seated.numbers, *shared)
        curves = np.moveaxis(np.asarray(curves), program.axis, 0)  # (places, epochs, 5)
        curves = curves if most is None else curves[:, :epochs]
        train_loss, loss, metric = curves[:, :, 0], curves[:, :, 1], curves[:, :, 4]
        if not block.structure.classifies:
            metric = np.sqrt(np.maximum(metric, 0.0))  # negative weights may outweigh the others
        status, epoch, best = np.moveaxis(np.asarray(ends), program.axis, -1)
        told = Chunk(train_loss, loss, curves[:, :, 2:4], metric, status, epoch, best)
        return seated.after(state, status, epoch, (seated.turn + int(epochs)) % ORDERS), told

    def exchange(self, block: XlaBlock, part: Part) -> None:
        """Replace the training rows of a block by as many others; those of the block before are given back."""
        program, rows = block.program, exchanged(block.problem, block.structure, part)
        if self._exchanged is None or self._exchanged[0] is not program:
            if self._exchanged is not None:
                self._exchanged[0].rows = self._exchanged[1]
            self._exchanged = program, program.rows
        program.rows = program.rows._replace(**jax.device_put(rows, NamedSharding(program.mesh, PartitionSpec())))

    def admits(self, block: XlaBlock, seated: XlaState) -> bool:  # noqa: ARG002
        """Return whether members may enter: where the orders of the rows begin anew, or nobody trains."""
        return seated.turn == 0 or seated.epochs_left == 0

    def read_out(
        self, block: XlaBlock, seated: XlaState, seats: Mapping[int, Member], *, last: bool = False
    ) -> dict[int, Parameters]:
        """Return the parameters at its best epoch, or the last, of each member, by its place."""
        wanted = seated.state.parameters if last else seated.state.best
        parts = jax.tree.map(lambda a: np.moveaxis(np.asarray(a), block.program.axis, 0), wanted)
        parameters = {}
        for place, member in seats.items():
            layers = block.program.member.storage.split(tuple(part[place] for part in parts))
            network = member_network(block.problem, member)
            parameters[place] = unpad_parameters(network, [layer for layer in layers if layer])
        return parameters

    def to_arrays(self, seated: XlaState) -> dict[str, np.ndarray]:
        """Return a state as named arrays."""
        arrays = {f"{i:04d}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(seated.state))}
        return {**arrays, "turn": np.asarray(seated.turn)}

    def from_arrays(self, block: XlaBlock, arrays: Mapping[str, np.ndarray], seats: Mapping[int, Member]) -> XlaState:
        """Return the state that `to_arrays` wrote, for members in the same places; there may be more or fewer."""
        seated = self.enter(block, self.start(block), seats)
        leaves = [arrays[name] for name in sorted(arrays) if name != "turn"]
        given = jax.tree.unflatten(jax.tree.structure(seated.state), leaves)
        places = np.arange(min(len(given.status), block.places))
        given, own_numbers = (block.program.taken(tree, places) for tree in (given, seated.own_numbers))
        return self._filled(block, given, own_numbers, int(arrays["turn"]))


def _memory_of(devices: Sequence[Any]) -> Budget:
    """Return the memory that GPUs have left, which `--memory` does not speak of."""
    stats = [device.memory_stats() for device in devices]
    return Budget(sum(each["bytes_limit"] - each["bytes_in_use"] for each in stats), available_cores())


def _by_activation(structure: Structure, members: Sequence[Member]) -> dict[int, tuple[Member, ...]]:
    """Return the members that may share a block, by their place in the table of activations."""
    if not structure.one_activation:
        return {0: tuple(members)}
    parts: dict[int, list[Member]] = {}
    for member in members:
        name = get_activation(member.hyperparameters.layer_activations()[0]).name
        parts.setdefault(structure.activations.index(name), []).append(member)
    return {activation: tuple(part) for activation, part in parts.items()}
