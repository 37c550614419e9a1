"""The XLA engine: a block of members in one compiled program, by jax.

One member's training is written once, against the array namespace; `jax.vmap` lifts it to a block and
`jax.shard_map` deals the members of a block to the devices, one per CPU core or GPU.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from shoal.networks import Namespace, Network
from shoal.results import Status
from shoal.streams import threefry, to_uniform
from shoal.training.engines.base import Chunk
from shoal.training.member import Member, Problem
from shoal.training.optimizers import SECOND_STARTS_AT, Slots, update
from shoal.training.packing import (
    Parameters,
    Structure,
    batch_order,
    group_members,
    member_network,
    member_numbers,
    padded_start,
    unpad_parameters,
)
from shoal.training.penalties import weight_penalty
from shoal.training.schedules import learning_rate

xp = Namespace(jnp, erf=jax.scipy.special.erf, scan=jax.lax.scan, stop_gradient=jax.lax.stop_gradient)
MOST_MEMBERS = 128  # of one block: more of them fall out of the cache
CHUNK_EPOCHS = 10
VALIDATION_BATCH = 1024

# jax warns of machine features when it reads its own cache; it is not the user's business
logging.getLogger("jax._src.compilation_cache").setLevel(logging.ERROR)


def use_every_core(cores: int | None = None) -> None:
    """Make each CPU core one device and keep compiled programs in the user's cache folder.

    It must come before the first use of jax; later calls change nothing.
    """
    cache = os.environ.get("SHOAL_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "shoal", "programs"
    )
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    with contextlib.suppress(RuntimeError):  # jax was in use before: its devices are as they are
        jax.config.update("jax_num_cpu_devices", cores or available_cores())


def available_cores() -> int:
    """Return the cores that this process may use, as the scheduler says."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    slurm = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return max(1, min(allowed, int(slurm)) if slurm.isdigit() else allowed)


class State(NamedTuple):
    """A block between two chunks; every array has the member axis first, parameters are flat."""

    parameters: Any
    slots: Slots
    best: Any
    best_loss: Any
    best_epoch: Any
    epoch: Any
    status: Any


class Rows(NamedTuple):
    """The data that every member of a block reads."""

    x: Any
    y: Any
    weights: Any
    validation_x: Any
    validation_y: Any
    validation_weights: Any


class Flat:
    """Converts between flat vectors and the parameters of each layer."""

    def __init__(self, network: Network) -> None:
        self.shapes = network.parameter_shapes
        self.size = sum(math.prod(shape) for layer in self.shapes for shape in layer.values())

    def split(self, flat: Any) -> list[dict[str, Any]]:
        """Return the parameters of each layer."""
        layers: list[dict[str, Any]] = []
        start = 0
        for shapes in self.shapes:
            layer = {}
            for name, shape in shapes.items():
                stop = start + math.prod(shape)
                layer[name] = flat[start:stop].reshape(shape)
                start = stop
            layers.append(layer)
        return layers

    def join(self, layers: Sequence[dict[str, Any]], module: Any) -> Any:
        """Return the flat vector of the parameters of each layer."""
        pairs = zip(self.shapes, layers, strict=True)
        return module.concatenate([layer[name].ravel() for shapes, layer in pairs for name in shapes])


class MemberProgram:
    """The training of one member, pure functions of its state, its numbers and the shared rows."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.network = structure.network
        self.flat = Flat(self.network)
        self.loss = structure.loss
        self.fused = structure.loss.absorbs(structure.output_activation)
        absorbed = structure.loss.values_of_logits if self.fused else None
        self.values = absorbed or structure.loss.values

    def layer_numbers(self, numbers: dict[str, Any]) -> list[dict[str, Any]]:
        """Return each layer's own numbers."""
        hidden = numbers["layers"]
        if not self.structure.dropout:
            return [*hidden, {}]
        pairs = [(layer, {"rate": layer["rate"]}) for layer in hidden]
        return [*(numbers for pair in pairs for numbers in pair), {}]

    def output(self, layers: Any, x: Any, numbers: dict[str, Any], random: Any = None) -> Any:
        """Return the output of the network, before the last activation where the loss absorbs it."""
        return self.network.apply(
            xp,
            layers,
            x,
            training=random is not None,
            numbers=self.layer_numbers(numbers),
            random=random,
            logits=self.fused,
        )

    def cost(self, layers: Any, batch: tuple[Any, Any, Any], count: Any, numbers: dict[str, Any], random: Any) -> Any:
        """Return the cost of a batch and, beside it, its loss without penalties."""
        x, y, weights = batch
        output = self.output(layers, x, numbers, random)
        mean = jnp.sum(jnp.mean(weights * self.values(xp, y, output, numbers), axis=-1)) / count
        loss = self.loss.finish(xp, mean)
        pairs = zip(self.network.layers, layers, strict=True)
        kernels = [each[name] for layer, each in pairs for name in layer.regularised if name in each]
        penalty = weight_penalty(xp, kernels, numbers)
        own = [layer for layer in layers if layer]  # a dropout layer may stand there for another member's sake
        penalty += sum(extra(xp, own) for extra in self.structure.penalties)
        return loss + penalty, loss

    def random(self, numbers: dict[str, Any], step: Any) -> Any:
        """Return a source of uniform numbers for one step; a neuron's depend neither on padding nor on others."""
        key = (numbers["key"][0], numbers["key"][1])

        def draw(layer: int, shape: tuple[int, ...]) -> Any:
            rows, pairs = shape[0], -(-shape[1] // 2)
            where = (jnp.arange(rows, dtype=jnp.uint32)[:, None] << 16) | jnp.arange(pairs, dtype=jnp.uint32)
            when = step.astype(jnp.uint32) * np.uint32(64) + np.uint32(layer)
            words = threefry(key, (where, jnp.full_like(where, when)), rounds=13)
            return to_uniform(jnp, jnp.stack(words, axis=-1).reshape(rows, 2 * pairs))[:, : shape[1]]

        return draw

    def step(self, numbers: dict[str, Any], rows: Rows, carry: tuple[Any, ...], indices: Any) -> tuple[Any, Any]:
        """Return the carry after one mini-batch: parameters, slots, steps done, sum of the loss."""
        flat, slots, done, total = carry
        present = (indices >= 0).astype(jnp.float32)[:, None]
        batch = rows.x[indices], rows.y[indices], rows.weights[indices] * present
        count = jnp.sum(present)
        random = self.random(numbers, done) if self.structure.dropout else None
        differentiate = jax.grad(self.cost, has_aux=True)
        gradients, loss = differentiate(self.flat.split(flat), batch, count, numbers, random)
        rate = learning_rate(xp, done.astype(jnp.float32), numbers)
        when = done.astype(jnp.float32) + 1.0
        gradient = self.flat.join(gradients, jnp)
        flat, slots = update(xp, self.structure.optimizers, flat, gradient, slots, rate, when, numbers)
        return (flat, slots, done + 1, total + loss * count), None

    def validate(self, flat: Any, numbers: dict[str, Any], rows: Rows) -> tuple[Any, Any, Any]:
        """Return the validation loss, the loss of each half, and the metric."""
        layers = self.flat.split(flat)

        def batch(sums: Any, part: tuple[Any, Any, Any]) -> tuple[Any, None]:
            x, y, weights = part  # weights: (rows, outputs or 1, 2), one column for each half
            output = self.output(layers, x, numbers)
            plain = {**numbers, "label_smoothing": 0.0}
            values = self.values(xp, y, output, plain)
            halves = jnp.sum(jnp.mean(weights * values[:, :, None], axis=1), axis=0)
            hit = _metric_values(self.structure, y, output)
            row_weights = jnp.mean(weights, axis=1)
            parts = (halves, jnp.sum(row_weights, axis=0), jnp.sum(jnp.sum(row_weights, axis=1) * hit))
            return jax.tree.map(jnp.add, sums, parts), None

        start = (jnp.zeros(2), jnp.zeros(2), jnp.zeros(()))
        parts = (rows.validation_x, rows.validation_y, rows.validation_weights)
        (halves, weight, hits), _ = jax.lax.scan(batch, start, parts)
        total = self.loss.finish(xp, jnp.sum(halves) / jnp.sum(weight))
        return total, self.loss.finish(xp, halves / jnp.maximum(weight, 1e-12)), hits / jnp.sum(weight)

    def epoch(self, numbers: dict[str, Any], rows: Rows, state: State, order: Any) -> tuple[State, Any]:
        """Return the state after one pass over the training rows, and the numbers of its curves."""
        running = state.status == Status.RUNNING
        carry = (state.parameters, state.slots, state.epoch * order.shape[0], jnp.zeros(()))
        (flat, slots, _, total), _ = jax.lax.scan(partial(self.step, numbers, rows), carry, order)
        train_loss = total / jnp.sum(order >= 0)
        loss, halves, metric = self.validate(flat, numbers, rows)
        finite = jnp.isfinite(train_loss) & jnp.isfinite(loss)
        epoch = state.epoch + 1
        better = finite & (loss < state.best_loss)
        best_epoch = jnp.where(better, epoch, state.best_epoch)
        status = jnp.where(epoch - best_epoch >= numbers["patience"], Status.STOPPED_EARLY, Status.RUNNING)
        status = jnp.where(epoch >= numbers["epochs"], Status.FINISHED, status)
        new = State(
            parameters=flat,
            slots=slots,
            best=jnp.where(better, flat, state.best),
            best_loss=jnp.where(better, loss, state.best_loss),
            best_epoch=best_epoch,
            epoch=epoch,
            status=jnp.where(finite, status, Status.DIVERGED).astype(jnp.int32),
        )
        kept = jax.tree.map(lambda after, before: jnp.where(running, after, before), new, state)
        curves = jax.tree.map(lambda value: jnp.where(running, value, jnp.nan), (train_loss, loss, halves, metric))
        return kept, curves

    def chunk(self, state: State, numbers: dict[str, Any], rows: Rows, orders: Any) -> tuple[State, Any]:
        """Return the state after a chunk of epochs, and its curves."""
        return jax.lax.scan(partial(self.epoch, numbers, rows), state, orders)


def _metric_values(structure: Structure, y: Any, output: Any) -> Any:
    """Return one value per row: 1 for a right class, or the mean squared error."""
    if structure.output_activation == "linear":
        return jnp.mean((y - output) ** 2, axis=-1)
    if structure.outputs == 1:
        threshold = 0.0 if structure.loss.fused == "sigmoid" else 0.5
        return ((output[:, 0] > threshold) == (y[:, 0] > 0.5)).astype(jnp.float32)
    return (jnp.argmax(output, axis=-1) == jnp.argmax(y, axis=-1)).astype(jnp.float32)


@dataclass
class XlaBlock:
    """Members of one structure with the shape of their program."""

    members: tuple[Member, ...]
    structure: Structure
    size: int
    problem: Problem
    program: Program
    begun: tuple[State, Any] | None = None


@dataclass
class Program:
    """One compiled function for blocks of one structure, size and data shape."""

    member: MemberProgram
    mesh: jax.sharding.Mesh
    rows: Rows
    orders: Any
    compiled: Any = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class XlaEngine:
    """Trains every network on CPUs and GPUs.

    Args:
        devices: how many devices to use; by default all.
    """

    name = "xla"

    def __init__(self, devices: int | None = None) -> None:
        use_every_core()
        self.devices = jax.devices()[:devices]
        self.programs_compiled = 0

    def plan(self, problem: Problem, members: Sequence[Member]) -> list[XlaBlock]:
        """Return blocks of equal structure and size, so that one program serves all blocks of a group."""
        blocks = []
        for group in group_members(problem, members):
            count = len(group.members)
            parts = -(-count // MOST_MEMBERS)
            devices = min(len(self.devices), count)
            size = -(-count // (parts * devices)) * devices
            program = self._program(problem, group.structure, devices)
            for start in range(0, count, size):
                part = group.members[start : start + size]
                blocks.append(XlaBlock(part, group.structure, size, problem, program))
        return blocks

    def _program(self, problem: Problem, structure: Structure, devices: int) -> Program:
        mesh = jax.sharding.Mesh(np.array(self.devices[:devices]), ("members",))
        everywhere = NamedSharding(mesh, PartitionSpec())
        orders = batch_order(problem, structure.batch_size, CHUNK_EPOCHS)
        rows = jax.device_put(_rows(problem), everywhere)
        return Program(MemberProgram(structure), mesh, rows, jax.device_put(orders, everywhere))

    def prepare(self, block: XlaBlock) -> float:
        """Compile the block's program unless it is at hand; return the seconds that it took."""
        program = block.program
        with program.lock:  # blocks that share a program may be prepared at the same time
            if program.compiled is not None:
                return 0.0
            began = time.perf_counter()
            program.compiled = self._compile(block)
            self.programs_compiled += 1
            return time.perf_counter() - began

    def _compile(self, block: XlaBlock) -> Any:
        program = block.program
        members, shared = PartitionSpec("members"), PartitionSpec()
        lifted = jax.vmap(program.member.chunk, in_axes=(0, 0, None, None))
        dealt = jax.shard_map(
            lifted,
            mesh=program.mesh,
            in_specs=(members, members, shared, shared),
            out_specs=(members, members),
            check_vma=False,
        )
        state, numbers = block.begun = self.start(block)
        return jax.jit(dealt, donate_argnums=0).lower(state, numbers, program.rows, program.orders).compile()

    def start(self, block: XlaBlock) -> tuple[State, Any]:
        """Return the state of a block before its first epoch, with its members' numbers."""
        begun, block.begun = block.begun, None  # compiling needed it already
        return begun or (self._start(block), self._numbers(block))

    def _place(self, block: XlaBlock, tree: Any) -> Any:
        return jax.device_put(tree, NamedSharding(block.program.mesh, PartitionSpec("members")))

    def _numbers(self, block: XlaBlock) -> Any:
        each = [member_numbers(block.problem, block.structure, member) for member in _filled(block)]
        return self._place(block, jax.tree.map(lambda *values: np.stack(values), *each))

    def _start(self, block: XlaBlock) -> State:
        flat, size, members = block.program.member.flat, block.size, _filled(block)
        starts: list[np.ndarray] = []
        for member in block.members:
            starts.append(_joined(padded_start(block.problem, block.structure, member)))
        starts += [starts[0]] * (size - len(starts))
        parameters = np.stack(starts)
        second = np.asarray([SECOND_STARTS_AT.get(m.hyperparameters.optimizer, 0.0) for m in members], np.float32)
        zeros = np.zeros((size, flat.size), np.float32)
        slots = Slots(zeros, zeros + second[:, None], np.ones(size, np.float32))
        idle = np.arange(size) >= len(block.members)
        state = State(
            parameters=parameters,
            slots=slots,
            best=parameters,
            best_loss=np.full(size, np.inf, np.float32),
            best_epoch=np.zeros(size, np.int32),
            epoch=np.zeros(size, np.int32),
            status=np.where(idle, Status.FINISHED, Status.RUNNING).astype(np.int32),
        )
        return jax.tree.map(lambda array: self._place(block, np.array(array)), state)

    def advance(self, block: XlaBlock, state: tuple[State, Any]) -> tuple[tuple[State, Any], Chunk]:
        """Train every running member of the block for a chunk of epochs."""
        program = block.program
        after, curves = program.compiled(state[0], state[1], program.rows, program.orders)
        count = len(block.members)
        train_loss, loss, halves, metric = (np.asarray(curve)[:count] for curve in curves)
        if block.structure.output_activation == "linear":
            metric = np.sqrt(metric)
        status, epoch, best = (np.asarray(a)[:count] for a in (after.status, after.epoch, after.best_epoch))
        return (after, state[1]), Chunk(train_loss, loss, halves, metric, status, epoch, best)

    def read_out(self, block: XlaBlock, state: tuple[State, Any]) -> list[Parameters]:
        """Return each member's parameters at its best epoch."""
        best = np.asarray(state[0].best)
        split = block.program.member.flat.split
        return [
            unpad_parameters(member_network(block.problem, member), [layer for layer in split(flat) if layer])
            for member, flat in zip(block.members, best, strict=False)
        ]

    def to_arrays(self, state: tuple[State, Any]) -> dict[str, np.ndarray]:
        """Return a state as named arrays."""
        leaves = jax.tree.leaves(state[0])
        return {f"{i:02d}": np.asarray(leaf) for i, leaf in enumerate(leaves)}

    def from_arrays(self, block: XlaBlock, arrays: dict[str, np.ndarray]) -> tuple[State, Any]:
        """Return the state that `to_arrays` wrote."""
        state, numbers = self.start(block)
        leaves = [self._place(block, arrays[name]) for name in sorted(arrays)]
        return jax.tree.unflatten(jax.tree.structure(state), leaves), numbers


def _filled(block: XlaBlock) -> list[Member]:
    """Return the members of a block, the last places filled with idle copies of the first."""
    return [*block.members, *[block.members[0]] * (block.size - len(block.members))]


def _joined(padded: Parameters) -> np.ndarray:
    return np.concatenate([array.ravel() for layer in padded for array in layer.values()])


def _rows(problem: Problem) -> Rows:
    """Return the rows as a program reads them, the validation rows in batches that are filled up with weight 0."""
    count = len(problem.validation_x)
    size = min(count, VALIDATION_BATCH)
    batches = -(-count // size)
    halves = np.eye(2, dtype=np.float32)[problem.validation_half]
    weights = problem.validation_weights[:, :, None] * halves[:, None, :]

    def batched(array: np.ndarray) -> np.ndarray:
        full = np.zeros((batches * size, *array.shape[1:]), np.float32)
        full[:count] = array
        return full.reshape(batches, size, *array.shape[1:])

    parts = (problem.validation_x, problem.validation_y, weights)
    return Rows(problem.x, problem.y, problem.weights, *(batched(part) for part in parts))
