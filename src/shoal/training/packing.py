"""Packing: which members share one program, and each member's numbers in it.

Members of one program have the same structure. Their widths are padded to a common bucket and masked,
their activations and optimizers are chosen from tables; all else in which they differ are numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from shoal.networks import ACTIVATIONS, Dense, Dropout, Network, get_activation
from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import Loss
from shoal.training.member import DROPOUT, ORDER, Member, Problem, build_network, initial_parameters
from shoal.training.schedules import SCHEDULES

BUCKETS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
SHARED_BUCKET = 64  # networks up to this width share a program: compiling costs more than the padding
COMPILE_SECONDS = 4.0  # of one more program, measured on two cores
FLOPS = 1e10  # per second, of small batched products on two cores

Parameters = list[dict[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Structure:
    """What is static in a program; members with equal structure share it."""

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    output_activation: str
    activations: tuple[str, ...]
    optimizers: tuple[str, ...]
    loss: Loss
    batch_size: int
    dropout: bool
    skips: bool = False
    fixed_activations: tuple[str, ...] = ()
    penalties: tuple[Any, ...] = ()

    @property
    def chooses_activation(self) -> bool:
        """Whether each member brings its own activations, as positions in the table."""
        return not self.fixed_activations and len(self.activations) > 1

    @cached_property
    def network(self) -> Network:
        """The padded network that the program trains."""
        layers: list[Any] = []
        fixed = self.fixed_activations or self.activations[:1] * len(self.hidden)
        table = self.activations if self.chooses_activation else ()
        for units, activation in zip(self.hidden, fixed, strict=True):
            layers.append(Dense(units, activation=activation, table=table))
            if self.dropout:
                layers.append(Dropout(0.0))
        layers.append(Dense(self.outputs, activation=self.output_activation))
        return Network(layers, input_shape=(self.inputs,))


@dataclass(frozen=True)
class Group:
    """Members that share a structure."""

    structure: Structure
    members: tuple[Member, ...]


def bucket(width: int) -> int:
    """Return the smallest bucket that holds a width.

    Example:
        >>> bucket(5), bucket(64), bucket(5000)
        (8, 64, 8192)
    """
    for size in BUCKETS:
        if width <= size:
            return size
    return -(-width // BUCKETS[-1]) * BUCKETS[-1]


def _padded_alone(problem: Problem, hyperparameters: Hyperparameters) -> tuple[int, ...]:
    """Return bucketed widths; exact ones where an activation mixes neurons or a user's penalty sees the weights."""
    exact = _mixes(hyperparameters) or problem.penalties
    return tuple(units if exact else bucket(units) for units in hyperparameters.hidden)


def _key(problem: Problem, hyperparameters: Hyperparameters, merge_depths: bool) -> tuple[Any, ...]:
    exact: tuple[Any, ...] = (hyperparameters.hidden,) if problem.penalties else ()
    if _mixes(hyperparameters):
        exact = (hyperparameters.hidden, hyperparameters.layer_activations())
    widest = max(_padded_alone(problem, hyperparameters), default=0)
    depth = len(hyperparameters.hidden)
    depth = min(depth, 1) if merge_depths and not exact else depth
    return (depth, max(widest, SHARED_BUCKET), hyperparameters.batch_size, exact)


def group_members(problem: Problem, members: Sequence[Member]) -> list[Group]:
    """Return the members in groups of one structure each, in the order in which the groups first appear."""
    merge = _skipping_is_cheap(problem, members)
    groups: dict[tuple[Any, ...], list[Member]] = {}
    for member in members:
        groups.setdefault(_key(problem, member.hyperparameters, merge), []).append(member)
    return [Group(_structure(problem, group), tuple(group)) for group in groups.values()]


def _skipping_is_cheap(problem: Problem, members: Sequence[Member]) -> bool:
    """Whether carrying shallow networks through skipped layers costs less than compiling one more program."""
    widest = max((max(_padded_alone(problem, m.hyperparameters), default=0) for m in members), default=0)
    epochs = max((m.hyperparameters.epochs for m in members), default=0)
    flops_of_a_layer = 6.0 * widest**2 * len(problem.x) * epochs * len(members)
    return flops_of_a_layer / FLOPS < COMPILE_SECONDS


def _structure(problem: Problem, members: list[Member]) -> Structure:
    each = [member.hyperparameters for member in members]
    names = {get_activation(name).name for h in each for name in h.layer_activations()}
    return Structure(
        inputs=problem.inputs,
        hidden=_shared_widths([_padded_alone(problem, h) for h in each]),
        skips=len({len(h.hidden) for h in each}) > 1,
        outputs=problem.outputs,
        output_activation=problem.output_activation,
        activations=tuple(name for name in ACTIVATIONS if name in names) or ("linear",),
        optimizers=tuple(sorted({h.optimizer for h in each})),
        loss=problem.loss,
        batch_size=min(each[0].batch_size, len(problem.x)),
        dropout=any(h.dropout > 0.0 for h in each),
        fixed_activations=_fixed_activations(each[0]),
        penalties=problem.penalties,
    )


def _shared_widths(widths: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Return widths that hold all networks; equal ones where layers may be skipped."""
    depth = max(len(each) for each in widths)
    if all(len(each) == depth for each in widths):
        return tuple(max(layer) for layer in zip(*widths, strict=True))
    return (max(max(each) for each in widths),) * depth


def _mixes(hyperparameters: Hyperparameters) -> bool:
    """Whether an activation mixes neurons: then layers can be neither padded nor choose from a table."""
    return any(not get_activation(name).elementwise for name in hyperparameters.layer_activations())


def _fixed_activations(hyperparameters: Hyperparameters) -> tuple[str, ...]:
    return hyperparameters.layer_activations() if _mixes(hyperparameters) else ()


def member_numbers(problem: Problem, structure: Structure, member: Member) -> dict[str, Any]:
    """Return a member's numbers: scalars by name, and per hidden layer its mask and its activations."""
    h = member.hyperparameters
    steps = -(-len(problem.x) // structure.batch_size)
    network = member_network(problem, member)
    scalars: dict[str, float] = {
        "learning_rate": h.learning_rate,
        "momentum": h.momentum,
        "nesterov": float(h.nesterov),
        "beta_1": h.beta_1,
        "beta_2": h.second_decay(),
        "rho": h.rho,
        "epsilon": h.epsilon,
        "weight_decay": h.weight_decay,
        "schedule": SCHEDULES.index(h.schedule),
        "warmup_steps": h.warmup_epochs * steps,
        "total_steps": h.epochs * steps,
        "final_fraction": h.final_fraction,
        "l2": h.l2,
        "l1": h.l1,
        "weights": sum(shape[0] * shape[1] for shape in kernel_shapes(network)),
        "label_smoothing": h.label_smoothing,
        "huber_delta": h.huber_delta,
    }
    numbers: dict[str, Any] = {name: np.float32(value) for name, value in scalars.items()}
    numbers["epochs"], numbers["patience"] = np.int32(h.epochs), np.int32(h.patience)
    numbers["optimizer"] = np.int32(structure.optimizers.index(h.optimizer))
    numbers["key"] = np.concatenate(Stream(problem.seed, DROPOUT, member.id).key)
    numbers["layers"] = [_layer_numbers(structure, h, i) for i in range(len(structure.hidden))]
    return numbers


def member_network(problem: Problem, member: Member) -> Network:
    """Return a member's network in its own size."""
    return build_network(member.hyperparameters, problem.inputs, problem.outputs, problem.output_activation)


def kernel_shapes(network: Network) -> list[tuple[int, ...]]:
    """Return the shapes of the regularised weights."""
    shapes = zip(network.layers, network.parameter_shapes, strict=True)
    return [each[name] for layer, each in shapes for name in layer.regularised if name in each]


def _layer_numbers(structure: Structure, h: Hyperparameters, layer: int) -> dict[str, Any]:
    """Return a member's own numbers of one hidden layer; a layer beyond its depth is skipped."""
    padded, real = structure.hidden[layer], layer < len(h.hidden)
    numbers: dict[str, Any] = {"rate": np.float32(h.dropout if real else 0.0)} if structure.dropout else {}
    if structure.skips and layer > 0:
        numbers["skip"] = np.bool_(not real)
    if not structure.fixed_activations:
        numbers["mask"] = (np.arange(padded) < (h.hidden[layer] if real else padded)).astype(np.float32)
    if structure.chooses_activation:
        name = get_activation(h.layer_activations()[layer]).name if real else structure.activations[0]
        numbers["activation"] = np.full(padded, structure.activations.index(name), np.int32)
    return numbers


def _places(own: int, padded: int) -> list[int]:
    """Return where a network's own layers with parameters stand among the padded ones: the output layer last."""
    return [*range(own - 1), padded - 1]


def pad_parameters(structure: Structure, parameters: Parameters) -> Parameters:
    """Return parameters with zeros up to the padded sizes; layers without parameters are left out."""
    shapes = [each for each in structure.network.parameter_shapes if each]
    padded = [{name: np.zeros(shape, np.float32) for name, shape in each.items()} for each in shapes]
    own = [layer for layer in parameters if layer]
    for layer, place in zip(own, _places(len(own), len(padded)), strict=True):
        for name, array in layer.items():
            padded[place][name][tuple(slice(n) for n in array.shape)] = array
    return padded


def unpad_parameters(network: Network, padded: Parameters) -> Parameters:
    """Return the parameters of a member's own network, cut out of padded ones."""
    own = [shapes for shapes in network.parameter_shapes if shapes]
    places, parameters = iter(_places(len(own), len(padded))), []
    for shapes in network.parameter_shapes:
        source: dict[str, np.ndarray] = padded[next(places)] if shapes else {}
        cut = {name: source[name][tuple(slice(n) for n in shape)].copy() for name, shape in shapes.items()}
        parameters.append(cut)
    return parameters


def padded_start(problem: Problem, structure: Structure, member: Member) -> Parameters:
    """Return a member's initial parameters, padded: drawn in its own size, so that padding draws nothing."""
    network = member_network(problem, member)
    return pad_parameters(structure, initial_parameters(network, problem.seed, member.id))


def batch_order(problem: Problem, batch_size: int, epochs: int) -> np.ndarray:
    """Return the rows of every step, `(epochs, steps, batch)`, -1 where the last batch is short.

    The order depends on the run and the batch size alone and repeats after `epochs`, so that a member sees
    the same batches whenever it is taken in.
    """
    rows = len(problem.x)
    steps = -(-rows // batch_size)
    order = np.full((epochs, steps * batch_size), -1, np.int32)
    for epoch in range(epochs):
        order[epoch, :rows] = Stream(problem.seed, ORDER, batch_size, epoch).permutation(rows)
    return order.reshape(epochs, steps, batch_size)
