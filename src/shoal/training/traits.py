"""Traits: what a structure must know of the members that it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shoal.networks import get_activation
from shoal.training.augmentation import AUGMENTATIONS
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member
from shoal.training.problem import Problem
from shoal.training.structure import bucket


@dataclass(frozen=True)
class Traits:
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

    def joined(self, other: Traits) -> Traits:
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


def traits_of(problem: Problem, members: Sequence[Member]) -> Traits:
    """Return the traits of some members that may share a structure."""
    hyperparameters = [member.hyperparameters for member in members]
    each = list({id(h): h for h in hyperparameters}.values())  # folds and repeats share theirs
    trunk = each[0].layers != "" or len(problem.input_shape) > 1
    activations = {h.layer_activations() + h.activation[:1] * trunk for h in each if problem.network is None}
    return Traits(
        hidden=frozenset(h.hidden for h in each),
        padded=frozenset(padded_widths(problem, h) for h in each),
        activations=frozenset(get_activation(name).name for names in activations for name in names),
        optimizers=frozenset(h.optimizer for h in each),
        fixed_activations=fixed_activations(each[0]) if problem.network is None else (),
        layers=each[0].layers,
        augmented=frozenset(name for name in AUGMENTATIONS for h in each if getattr(h, name) > 0.0),
        batch_size=min(each[0].batch_size, len(problem.x)),
        one_each=all(len(set(names)) == 1 for names in activations),
        dropout=any(h.dropout > 0.0 for h in each),
        bootstrap=any(member.bootstrap for member in members),
        replica=any(member.replica for member in members),
        members=len(members),
        epochs=sum(h.epochs for h in hyperparameters),
        most_epochs=max(h.epochs for h in each),
        may_stop=any(h.patience < h.epochs for h in each),
    )


def padded_widths(problem: Problem, hyperparameters: Hyperparameters) -> tuple[int, ...]:
    """Return bucketed widths; exact ones where an activation mixes neurons, and for a user's network or penalty."""
    exact = problem.network is not None or problem.penalties or mixes_neurons(hyperparameters)
    return tuple(units if exact else bucket(units) for units in hyperparameters.hidden)


def mixes_neurons(hyperparameters: Hyperparameters) -> bool:
    """Return whether an activation mixes neurons: then layers can be neither padded nor choose from a table."""
    return any(not get_activation(name).elementwise for name in hyperparameters.activation)


def fixed_activations(hyperparameters: Hyperparameters) -> tuple[str, ...]:
    """Return the activation of each layer where one of them mixes neurons; else none."""
    return hyperparameters.layer_activations() if mixes_neurons(hyperparameters) else ()
