"""Grouping: which members share one program.

Members of one program have the same structure. Their widths are padded to a common bucket, their activations and
optimizers are chosen from tables; all else in which they differ are numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

from shoal.networks import ACTIVATIONS, Dense, Dropout, Network, get_activation
from shoal.training.cost import COMPILE_SECONDS, ORDERS, epochs_of_a_chunk, fits_last, member_step
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import LOSSES, Loss
from shoal.training.member import Member, Problem

BUCKETS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
LAYOUTS = ("first", "last")
FEWEST_OF_ONE_ACTIVATION = 32
CORES = 2  # that the model of the cost counts with; the same programs are compiled whatever the machine has


@dataclass(frozen=True, eq=False)
class Structure:
    """What is static in a program; members with equal structure share it.

    Attributes:
        inputs, hidden, outputs: padded sizes.
        output_activation, loss, batch_size, penalties: as the problem and the members have them.
        activations, optimizers: the tables from which members choose.
        fixed_activations: of each layer, where one of them mixes neurons.
        dropout, skips, folds, bootstrap, replicas: whether any member uses it.
        masks: whether padding neurons have outputs, so that the weights behind them must be held at zero.
        one_activation: whether all members of a block have the same activation, so that only this is computed.
        layout: `first` or `last`, where the member axis is.
        chunk: epochs that one call of the program trains.
    """

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
    layout: str = "first"
    folds: bool = False
    bootstrap: bool = False
    replicas: bool = False
    masks: bool = False
    one_activation: bool = False
    chunk: int = ORDERS
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


def bucket_rows(count: int) -> int:
    """Return a length that holds so many rows and that counts a little below it share: at most a quarter is added.

    Example:
        >>> bucket_rows(7), bucket_rows(96), bucket_rows(97), bucket_rows(1000)
        (7, 96, 112, 1024)
    """
    if count <= 8:
        return count
    step = 1 << (count.bit_length() - 3)
    return -(-count // step) * step


def _padded_alone(problem: Problem, hyperparameters: Hyperparameters) -> tuple[int, ...]:
    """Return bucketed widths; exact ones where an activation mixes neurons or a user's penalty sees the weights."""
    exact = _mixes(hyperparameters) or problem.penalties
    return tuple(units if exact else bucket(units) for units in hyperparameters.hidden)


def group_members(problem: Problem, members: Sequence[Member], layouts: Sequence[str] = LAYOUTS) -> list[Group]:
    """Return the members in groups of one structure each, those of long training first in each group.

    Groups that may share a program do so where carrying the smaller networks in the sizes of the larger costs less
    than compiling one more program.

    Args:
        problem: what they train on.
        members: the members.
        layouts: those that may be chosen.
    """
    parts: dict[tuple[Any, ...], list[Member]] = {}
    for member in members:
        parts.setdefault(_finest(problem, member.hyperparameters), []).append(member)
    families: dict[Any, list[list[Member]]] = {}
    for key, part in parts.items():
        families.setdefault(key[0], []).append(part)
    merged = [part for family in families.values() for part in _merged(problem, family, layouts)]
    ordered = [sorted(part, key=lambda m: (-m.hyperparameters.epochs, m.id)) for part in merged]
    ordered.sort(key=lambda part: min(member.id for member in part))
    return [Group(structure_of(problem, part, layouts), tuple(part)) for part in ordered]


def _finest(problem: Problem, h: Hyperparameters) -> tuple[Any, ...]:
    """Return what parts members: first what always does, then what may be padded away."""
    exact: tuple[Any, ...] = (h.hidden,) if problem.penalties else ()
    if _mixes(h):
        exact = (h.hidden, h.layer_activations())
    always = (h.batch_size, bool(h.hidden), exact)
    return always, len(h.hidden), max(_padded_alone(problem, h), default=0)


def _merged(problem: Problem, parts: list[list[Member]], layouts: Sequence[str]) -> list[list[Member]]:
    """Return parts joined for as long as a program less pays."""
    costs = [_seconds(problem, part, layouts) for part in parts]
    while len(parts) > 1:
        gain, i, j = max(
            (costs[i] + costs[j] - _seconds(problem, parts[i] + parts[j], layouts), i, j)
            for i, j in combinations(range(len(parts)), 2)
        )
        if gain + COMPILE_SECONDS <= 0.0:
            break
        together = parts[i] + parts[j]
        keep = [k for k in range(len(parts)) if k not in (i, j)]
        parts = [*(parts[k] for k in keep), together]
        costs = [*(costs[k] for k in keep), _seconds(problem, together, layouts)]
    return parts


def _seconds(problem: Problem, members: list[Member], layouts: Sequence[str]) -> float:
    """Return about how long training takes, its program at hand."""
    structure = structure_of(problem, members, layouts)
    steps = -(-len(problem.x) // structure.batch_size)
    epochs = sum(member.hyperparameters.epochs for member in members)
    return 1e-6 * member_step(structure) * steps * epochs / CORES


def structure_of(problem: Problem, members: Sequence[Member], layouts: Sequence[str] = LAYOUTS) -> Structure:
    """Return the structure that holds some members, in the layout that costs least."""
    each = [member.hyperparameters for member in members]
    names = {get_activation(name).name for h in each for name in h.layer_activations()}
    widths = _shared_widths([_padded_alone(problem, h) for h in each])
    structure = Structure(
        inputs=problem.inputs if problem.penalties else bucket_rows(problem.inputs),
        hidden=widths,
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
        folds=problem.folds is not None,
        bootstrap=any(member.bootstrap for member in members),
        replicas=any(member.replica for member in members),
        masks=_wakes_padding(names, each, widths),
        one_activation=_blocks_by_activation(each, len(names)),
    )
    best = min((replace(structure, layout=layout) for layout in _possible(structure, layouts)), key=member_step)
    steps = -(-len(problem.x) // best.batch_size)
    return replace(best, chunk=epochs_of_a_chunk(best, steps, max(h.epochs for h in each)))


def _possible(structure: Structure, layouts: Sequence[str]) -> list[str]:
    """Return the layouts that a structure can have: a user's functions are written for one member."""
    own = structure.penalties or structure.loss.name not in LOSSES or structure.fixed_activations
    whole = structure.output_activation == "softmax" and not structure.loss.absorbs("softmax")
    last = not (own or whole) and fits_last(structure)
    return [layout for layout in layouts if layout == "first" or last] or ["first"]


def _blocks_by_activation(each: list[Hyperparameters], names: int) -> bool:
    """Whether each activation has members enough for blocks of its own."""
    alike = all(len(set(h.layer_activations())) == 1 for h in each)
    return alike and 1 < names <= len(each) / FEWEST_OF_ONE_ACTIVATION


def _wakes_padding(names: set[str], each: list[Hyperparameters], padded: tuple[int, ...]) -> bool:
    """Whether a padding neuron may have an output other than 0: then the weights behind it must be held at 0."""
    return any(h.hidden != padded for h in each) and not all(get_activation(name).keeps_zero for name in names)


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
