"""Grouping: which members share one program.

Members of one program have the same structure. Their widths are padded to a common bucket, their activations and
optimizers are chosen from tables; all else in which they differ are numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

from shoal.networks import ACTIVATIONS, Dense, Dropout, Layer, Network, get_activation
from shoal.networks.bottleneck import is_whole
from shoal.training.augmentation import AUGMENTATIONS, Augmentation
from shoal.training.cost import COMPILE_SECONDS, ORDERS, epochs_of_a_chunk, fits_last, member_step
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import LOSSES, Loss
from shoal.training.member import Member, Problem, activated_trunk, build_trunk, output_layer

BUCKETS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
LAYOUTS = ("first", "last")
FEWEST_OF_ONE_ACTIVATION = 32
CORES = 2  # that the model of the cost counts with; the same programs are compiled whatever the machine has


@dataclass(frozen=True, eq=False)
class Structure:
    """What is static in a program; members with equal structure share it.

    Attributes:
        input_shape, hidden, outputs: padded sizes; images and series are not padded.
        trunk: layers before the hidden ones, without the activations that members choose; `text` is what the members
            call those that are their own.
        augmented: the augmentations that any member uses.
        output_activation, loss, batch_size, penalties: as the problem and the members have them.
        activations, optimizers: the tables from which members choose.
        fixed_activations: of each layer, where one of them mixes neurons.
        dropout, skips, folds, bootstrap, replicas: whether any member uses it.
        masks: whether padding neurons have outputs, so that the weights behind them must be held at zero.
        one_activation: whether all members of a block have the same activation, so that only this is computed.
        layout: `first` or `last`, where the member axis is.
        chunk: epochs that one call of the program trains.
        per_step: whether each step of a series has a target; the dense layers then work at every step.
    """

    input_shape: tuple[int, ...]
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
    trunk: tuple[Layer, ...] = ()
    text: str = ""
    augmented: tuple[str, ...] = ()
    stem: tuple[Layer, ...] = ()
    reconstruct: bool = False
    per_step: bool = False
    constants: int = 0

    @property
    def inputs(self) -> int:
        """How many numbers the first dense layer takes."""
        return Network(self.trunk, self.input_shape).output_shape[-1] if self.trunk else self.input_shape[-1]

    @cached_property
    def whole(self) -> bool:
        """Whether the trunk is an autoencoder to its end, behind which no layer comes."""
        return not self.hidden and is_whole(self.trunk, self.input_shape, self.outputs)

    @property
    def classifies(self) -> bool:
        """Whether outputs are probabilities of classes."""
        return self.output_activation in ("sigmoid", "softmax")

    @property
    def chooses_activation(self) -> bool:
        """Whether each member brings its own activations, as positions in the table."""
        return not self.fixed_activations and len(self.activations) > 1

    @property
    def table(self) -> tuple[str, ...]:
        """The activations from which layers choose; empty where they do not."""
        return self.activations if self.chooses_activation else ()

    @cached_property
    def network_trunk(self) -> tuple[Layer, ...]:
        """The layers before the hidden ones with their activations."""
        own = activated_trunk(self.trunk, self.activations[0], self.table)
        behind = len(self.stem)
        return (*own[:behind], Augmentation(), *own[behind:]) if self.augmented else own

    @cached_property
    def network(self) -> Network:
        """The padded network that the program trains."""
        if self.whole:
            return Network(self.network_trunk, self.input_shape)
        drop = [Dropout(0.0)] if self.dropout else []
        layers: list[Layer] = [*self.network_trunk, *(drop if self.text else [])]
        fixed = self.fixed_activations or self.activations[:1] * len(self.hidden)
        for units, activation in zip(self.hidden, fixed, strict=True):
            layers += [Dense(units, activation=activation, table=self.table), *drop]
        layers.append(output_layer(self.outputs, self.output_activation, self.constants))
        return Network(layers, self.input_shape)


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
    finest: dict[tuple[Any, ...], list[Member]] = {}
    known: dict[int, tuple[Any, ...]] = {}  # folds and repeats share their hyperparameters
    for member in members:
        h = member.hyperparameters
        if id(h) not in known:
            known[id(h)] = _finest(problem, h)
        finest.setdefault(known[id(h)], []).append(member)
    families: dict[Any, list[_Part]] = {}
    for key, several in finest.items():
        traits = _traits(problem, several)
        families.setdefault(key[0], []).append(_part(problem, several, traits, layouts))
    merged = [part for family in families.values() for part in _merged(problem, family, layouts)]
    groups = [
        Group(part.structure, tuple(sorted(part.members, key=lambda m: (-m.hyperparameters.epochs, m.id))))
        for part in merged
    ]
    return sorted(groups, key=lambda group: min(member.id for member in group.members))


def structure_of(problem: Problem, members: Sequence[Member], layouts: Sequence[str] = LAYOUTS) -> Structure:
    """Return the structure that holds some members, in the layout that costs least."""
    return _structure(problem, _traits(problem, members), layouts)


def _finest(problem: Problem, h: Hyperparameters) -> tuple[Any, ...]:
    """Return what parts members: first what always does, then what may be padded away."""
    exact: tuple[Any, ...] = (h.hidden,) if problem.penalties else ()
    if _mixes(h):
        exact = (h.hidden, h.layer_activations(), h.activation[0])
    always = (h.layers, h.batch_size, bool(h.hidden), exact)
    return always, len(h.hidden), max(_padded_alone(problem, h), default=0)


@dataclass(frozen=True)
class _Traits:
    """What a structure must know of the members that it holds; quick to join."""

    hidden: frozenset[tuple[int, ...]]
    padded: frozenset[tuple[int, ...]]
    activations: frozenset[str]
    optimizers: frozenset[str]
    fixed_activations: tuple[str, ...]
    layers: str
    augmented: frozenset[str]
    batch_size: int
    one_each: bool
    dropout: bool
    bootstrap: bool
    replica: bool
    members: int
    epochs: int
    most_epochs: int
    may_stop: bool

    def joined(self, other: _Traits) -> _Traits:
        """Return the traits of the members of both."""
        return replace(
            self,
            hidden=self.hidden | other.hidden,
            padded=self.padded | other.padded,
            activations=self.activations | other.activations,
            optimizers=self.optimizers | other.optimizers,
            augmented=self.augmented | other.augmented,
            one_each=self.one_each and other.one_each,
            dropout=self.dropout or other.dropout,
            bootstrap=self.bootstrap or other.bootstrap,
            replica=self.replica or other.replica,
            members=self.members + other.members,
            epochs=self.epochs + other.epochs,
            most_epochs=max(self.most_epochs, other.most_epochs),
            may_stop=self.may_stop or other.may_stop,
        )


def _traits(problem: Problem, members: Sequence[Member]) -> _Traits:
    all_ = [member.hyperparameters for member in members]
    each = list({id(h): h for h in all_}.values())  # folds and repeats share theirs
    trunk = each[0].layers != "" or len(problem.input_shape) > 1
    activations = {h.layer_activations() + h.activation[:1] * trunk for h in each}
    return _Traits(
        hidden=frozenset(h.hidden for h in each),
        padded=frozenset(_padded_alone(problem, h) for h in each),
        activations=frozenset(get_activation(name).name for names in activations for name in names),
        optimizers=frozenset(h.optimizer for h in each),
        fixed_activations=_fixed_activations(each[0]),
        layers=each[0].layers,
        augmented=frozenset(name for name in AUGMENTATIONS for h in each if getattr(h, name) > 0.0),
        batch_size=min(each[0].batch_size, len(problem.x)),
        one_each=all(len(set(names)) == 1 for names in activations),
        dropout=any(h.dropout > 0.0 for h in each),
        bootstrap=any(member.bootstrap for member in members),
        replica=any(member.replica for member in members),
        members=len(members),
        epochs=sum(h.epochs for h in all_),
        most_epochs=max(h.epochs for h in each),
        may_stop=any(h.patience < h.epochs for h in each),
    )


@dataclass(frozen=True)
class _Part:
    """Members that share a program, and about how long it trains them."""

    members: list[Member]
    traits: _Traits
    structure: Structure
    seconds: float


def _part(problem: Problem, members: list[Member], traits: _Traits, layouts: Sequence[str]) -> _Part:
    structure = _structure(problem, traits, layouts)
    steps = problem.steps(structure.batch_size)
    return _Part(members, traits, structure, 1e-6 * member_step(structure) * steps * traits.epochs / CORES)


def _merged(problem: Problem, parts: list[_Part], layouts: Sequence[str]) -> list[_Part]:
    """Return parts joined for as long as a program less pays."""
    while len(parts) > 1:
        loss, both, a, b = min(
            (
                (both.seconds - a.seconds - b.seconds, both, a, b)
                for a, b in combinations(parts, 2)
                for both in [_part(problem, a.members + b.members, a.traits.joined(b.traits), layouts)]
            ),
            key=lambda choice: choice[0],
        )
        if loss >= COMPILE_SECONDS:
            break
        parts = [*(part for part in parts if part is not a and part is not b), both]
    return parts


def _structure(problem: Problem, traits: _Traits, layouts: Sequence[str]) -> Structure:
    widths = _shared_widths(traits.padded)
    several = 1 < len(traits.activations) <= traits.members / FEWEST_OF_ONE_ACTIVATION
    wakes = not all(get_activation(name).keeps_zero for name in traits.activations)
    trunk = build_trunk(traits.layers, problem.input_shape, problem.stem, problem.per_step)
    exact = bool(problem.penalties or trunk or problem.per_step)
    structure = Structure(
        input_shape=problem.input_shape if exact else (bucket_rows(problem.inputs),),
        trunk=trunk,
        text=traits.layers,
        augmented=tuple(sorted(traits.augmented)) if trunk else (),
        stem=problem.stem,
        reconstruct=problem.reconstruct,
        per_step=problem.per_step,
        hidden=widths,
        skips=len({len(hidden) for hidden in traits.hidden}) > 1,
        outputs=problem.outputs,
        constants=problem.constants,
        output_activation=problem.output_activation,
        activations=tuple(name for name in ACTIVATIONS if name in traits.activations) or ("linear",),
        optimizers=tuple(sorted(traits.optimizers)),
        loss=problem.loss,
        batch_size=traits.batch_size,
        dropout=traits.dropout,
        fixed_activations=traits.fixed_activations,
        penalties=problem.penalties,
        folds=problem.folds is not None,
        bootstrap=traits.bootstrap,
        replicas=traits.replica,
        masks=wakes and traits.hidden != {widths},
        one_activation=several and traits.one_each,
    )
    best = min((replace(structure, layout=layout) for layout in _possible(structure, layouts)), key=member_step)
    steps = problem.steps(best.batch_size)
    return replace(best, chunk=epochs_of_a_chunk(best, steps, traits.most_epochs, traits.may_stop))


def _possible(structure: Structure, layouts: Sequence[str]) -> list[str]:
    """Return the layouts that a structure can have: a user's functions are written for one member."""
    own = structure.penalties or structure.loss.name not in LOSSES or structure.fixed_activations
    own = own or structure.trunk
    whole = structure.output_activation == "softmax" and not structure.loss.absorbs("softmax")
    last = not (own or whole or structure.per_step) and fits_last(structure)
    return [layout for layout in layouts if layout == "first" or last] or ["first"]


def _shared_widths(widths: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Return widths that hold all networks; equal ones where layers may be skipped."""
    widths = list(widths)
    depth = max(len(each) for each in widths)
    if all(len(each) == depth for each in widths):
        return tuple(max(layer) for layer in zip(*widths, strict=True))
    return (max(max(each) for each in widths),) * depth


def _mixes(hyperparameters: Hyperparameters) -> bool:
    """Whether an activation mixes neurons: then layers can be neither padded nor choose from a table."""
    return any(not get_activation(name).elementwise for name in hyperparameters.activation)


def _fixed_activations(hyperparameters: Hyperparameters) -> tuple[str, ...]:
    return hyperparameters.layer_activations() if _mixes(hyperparameters) else ()
