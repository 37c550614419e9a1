"""Grouping: which members share one program.

Members of one program have the same structure. Their widths are padded to a common bucket, their activations and
optimizers are chosen from tables; all else in which they differ are numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from shoal.networks import ACTIVATIONS, get_activation
from shoal.training.building import build_trunk
from shoal.training.cost import COMPILE_SECONDS, epochs_of_a_chunk, fits_last, member_step
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member
from shoal.training.packing import by_encoding
from shoal.training.problem import Problem
from shoal.training.structure import LAYOUTS, Structure, bucket_rows
from shoal.training.traits import Traits, mixes_neurons, padded_widths, traits_of

FEWEST_OF_ONE_ACTIVATION = 32
CORES = 2  # that the model of the cost counts with; the same programs are compiled whatever the machine has


@dataclass(frozen=True)
class Group:
    """Members that share a structure, and what they learn, behind their encoding."""

    structure: Structure
    members: tuple[Member, ...]
    problem: Problem


def group_members(problem: Problem, members: Sequence[Member], layouts: Sequence[str] = LAYOUTS) -> list[Group]:
    """Return the members in groups of one structure each, those of long training first in each group.

    Groups that may share a program do so where carrying the smaller networks in the sizes of the larger costs less
    than compiling one more program.
    """
    groups = [
        group
        for behind, part in by_encoding(problem, members)
        for group in _groups_of_one_encoding(behind, part, layouts)
    ]
    return sorted(groups, key=lambda group: min(member.id for member in group.members))


def _groups_of_one_encoding(problem: Problem, members: Sequence[Member], layouts: Sequence[str]) -> list[Group]:
    finest: dict[tuple[Any, ...], list[Member]] = {}
    known: dict[int, tuple[Any, ...]] = {}  # folds and repeats share their hyperparameters
    for member in members:
        h = member.hyperparameters
        if id(h) not in known:
            known[id(h)] = _finest(problem, h)
        finest.setdefault(known[id(h)], []).append(member)
    families: dict[Any, list[_SharedProgram]] = {}
    for key, several in finest.items():
        traits = traits_of(problem, several)
        families.setdefault(key[0], []).append(_part(problem, several, traits, layouts))
    merged = [part for family in families.values() for part in _merged(problem, family, layouts)]
    return [
        Group(part.structure, tuple(sorted(part.members, key=lambda m: (-m.hyperparameters.epochs, m.id))), problem)
        for part in merged
    ]


def structure_of(problem: Problem, members: Sequence[Member], layouts: Sequence[str] = LAYOUTS) -> Structure:
    """Return the structure that holds some members, in the layout that costs least."""
    return _structure(problem, traits_of(problem, members), layouts)


def _finest(problem: Problem, h: Hyperparameters) -> tuple[Any, ...]:
    """Return what parts members: first what always does, then what may be padded away."""
    exact: tuple[Any, ...] = (h.hidden,) if problem.penalties else ()
    if problem.network is None and mixes_neurons(h):
        exact = (h.hidden, h.layer_activations(), h.activation[0])
    always = (h.layers, h.batch_size, bool(h.hidden), exact)
    return always, len(h.hidden), max(padded_widths(problem, h), default=0)


@dataclass(frozen=True)
class _SharedProgram:
    """Members that share a program, and about how long it trains them."""

    members: list[Member]
    traits: Traits
    structure: Structure
    seconds: float


def _part(problem: Problem, members: list[Member], traits: Traits, layouts: Sequence[str]) -> _SharedProgram:
    structure = _structure(problem, traits, layouts)
    steps = problem.steps(structure.batch_size)
    return _SharedProgram(members, traits, structure, 1e-6 * member_step(structure) * steps * traits.epochs / CORES)


def _merged(problem: Problem, parts: list[_SharedProgram], layouts: Sequence[str]) -> list[_SharedProgram]:
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


def _structure(problem: Problem, traits: Traits, layouts: Sequence[str]) -> Structure:
    widths = _shared_widths(traits.padded)
    several = 1 < len(traits.activations) <= traits.members / FEWEST_OF_ONE_ACTIVATION
    wakes = not all(get_activation(name).keeps_zero for name in traits.activations)
    given = problem.network
    trunk = () if given else build_trunk(traits.layers, problem.input_shape, problem.stem, problem.per_step)
    exact = bool(problem.penalties or trunk or problem.per_step or given)
    structure = Structure(
        input_shape=problem.input_shape if exact else (bucket_rows(problem.inputs),),
        trunk=trunk,
        text=traits.layers,
        augmented=tuple(sorted(traits.augmented)) if trunk or given else (),
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
        given=given,
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
    by_user = structure.penalties or structure.loss.user
    softmax = structure.output_activation == "softmax" and not structure.loss.absorbs("softmax")
    mixes = structure.fixed_activations or softmax or structure.trunk or structure.per_step or structure.given
    last = not (by_user or mixes) and fits_last(structure)
    return [layout for layout in layouts if layout == "first" or last] or ["first"]


def _shared_widths(widths: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Return widths that hold all networks; equal ones where layers may be skipped."""
    widths = list(widths)
    depth = max(len(each) for each in widths)
    if all(len(each) == depth for each in widths):
        return tuple(max(layer) for layer in zip(*widths, strict=True))
    return (max(max(each) for each in widths),) * depth
