"""Packing: each member's numbers and parameters in the program that it shares, padded to the common sizes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from shoal.networks import Layer, Network, Shape, get_activation
from shoal.networks.minirocket import beginning_of, rest_of
from shoal.streams import Stream, Streams
from shoal.training.augmentation import AUGMENTATIONS, Augmentation
from shoal.training.building import build_network
from shoal.training.encodings import PLAIN
from shoal.training.frozen import fitted_beginning
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member
from shoal.training.penalties import penalised
from shoal.training.problem import Problem
from shoal.training.purposes import DROPOUT, INITIAL, ORDER
from shoal.training.resampling import resampling_numbers
from shoal.training.schedules import SCHEDULES
from shoal.training.structure import Structure

Parameters = list[dict[str, np.ndarray]]


def member_numbers(problem: Problem, structure: Structure, members: Sequence[Member]) -> dict[str, Any]:
    """Return the members' numbers, each an array with the members first.

    Scalars by name; the keys of their random numbers; how each sees its rows; per hidden layer what is the member's
    own; and, where padding could wake up, which parameters are its own.
    """
    each = [member.hyperparameters for member in members]
    numbers: dict[str, Any] = dict(member_scalars(problem, structure.batch_size, members))
    numbers["epochs"] = np.asarray([h.epochs for h in each], np.int32)
    numbers["patience"] = np.asarray([h.patience for h in each], np.int32)
    numbers["optimizer"] = np.asarray([structure.optimizers.index(h.optimizer) for h in each], np.int32)
    numbers["key"] = Streams(problem.seed, (DROPOUT,), np.asarray([member.origin for member in members])).keys
    numbers |= resampling_numbers(problem.seed, members, rolling=problem.rolling)
    numbers["layers"] = _layer_numbers(structure, each)
    if structure.masks:
        numbers["own"] = np.stack([_own_parameters(problem, structure, member) for member in members])
    return numbers


def member_scalars(problem: Problem, batch_size: int, members: Sequence[Member]) -> dict[str, np.ndarray]:
    """Return the members' plain numbers by name, each float32 `(members,)`."""
    each = [member.hyperparameters for member in members]
    steps = problem.steps(batch_size)
    known = {id(h): _scalars(h, steps, _weights(problem, h)) for h in {id(h): h for h in each}.values()}
    scalars = [known[id(h)] for h in each]
    return {name: np.asarray([s[name] for s in scalars], np.float32) for name in scalars[0]}


def _scalars(h: Hyperparameters, steps: int, weights: int) -> dict[str, float]:
    return {
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
        "weights": weights,
        "label_smoothing": h.label_smoothing,
        "huber_delta": h.huber_delta,
    }


def member_network(problem: Problem, member: Member) -> Network:
    """Return a member's network in its own size; of a problem behind a frozen beginning, the rest of it."""
    return _network(problem, member.hyperparameters)


def trained_network(problem: Problem, member: Member) -> Network:
    """Return what of a member's network remains to be trained where its frozen beginning is done once."""
    network = member_network(problem, member)
    return rest_of(network) if shares_beginning(problem, member) else network


def shares_beginning(problem: Problem, member: Member) -> bool:
    """Return whether a member begins with frozen layers that may be done once, before training."""
    augmented = any(getattr(member.hyperparameters, name) for name in AUGMENTATIONS)
    if problem.network is not None or problem.whole is not None or augmented:
        return False
    return beginning_of(member_network(problem, member)) > 0


def _network(problem: Problem, h: Hyperparameters) -> Network:
    """Return the network of some hyperparameters, which is asked for several times and built once."""
    known = problem.networks.get(id(h))
    if known is None or known[0] is not h:
        known = problem.networks[id(h)] = h, _built(problem, h)  # with h, so that no other takes its place in memory
    return known[1]


def _built(problem: Problem, h: Hyperparameters) -> Network:
    if problem.whole is not None:
        return rest_of(_network(problem.whole, h))
    if problem.network is not None:
        return problem.network
    sizes, stem = (problem.input_shape, problem.outputs), encoded_stem(problem, h)
    return build_network(h, *sizes, problem.output_activation, stem, problem.per_step, problem.constants)


def encoded_stem(problem: Problem, h: Hyperparameters) -> tuple[Layer, ...]:
    """Return the layers with which a member's network begins: its encoding, and what the data need."""
    return (*problem.encodings.layers(h.feature_encoding), *problem.stem)


def by_encoding(problem: Problem, members: Sequence[Member]) -> list[tuple[Problem, list[Member]]]:
    """Return the members in parts that read the rows in one encoding, each with the problem behind it."""
    parts: dict[str, list[Member]] = {}
    for member in members:
        encoding = member.hyperparameters.feature_encoding if problem.number_columns else PLAIN
        parts.setdefault(encoding, []).append(member)
    return [(problem.behind(encoding), part) for encoding, part in parts.items()]


def _weights(problem: Problem, h: Hyperparameters) -> int:
    """Return how many weights are regularised."""
    if h.layers or len(problem.input_shape) > 1 or problem.network is not None:
        network = _network(problem, h)
        pairs = zip(network.layers, network.parameter_shapes, strict=True)
        return sum(math.prod(shapes[name]) for layer, shapes in pairs for name in penalised(layer))
    widths = (problem.inputs, *h.hidden, problem.outputs - problem.constants)
    return sum(a * b for a, b in itertools.pairwise(widths))


def _layer_numbers(structure: Structure, each: Sequence[Hyperparameters]) -> list[dict[str, Any]]:
    """Return the members' own numbers of each layer of the padded network."""
    if structure.given is not None:
        return [_trunk_numbers(structure, each, layer) for layer in structure.network.layers]
    numbers = [_trunk_numbers(structure, each, layer) for layer in structure.network_trunk]
    if structure.is_autoencoder:
        return numbers
    if structure.dropout and structure.text:
        numbers.append({"rate": np.asarray([h.dropout for h in each], np.float32)})
    for i in range(len(structure.hidden)):
        numbers.append(_hidden_numbers(structure, each, i))
        if structure.dropout:
            rates = [h.dropout if i < len(h.hidden) else 0.0 for h in each]
            numbers.append({"rate": np.asarray(rates, np.float32)})
    return [*numbers, {}]


def _trunk_numbers(structure: Structure, each: Sequence[Hyperparameters], layer: Any) -> dict[str, Any]:
    """Return the members' own numbers of a layer before the hidden ones."""
    if isinstance(layer, Augmentation):
        return {name: np.asarray([getattr(h, name) for h in each], np.float32) for name in structure.augmented}
    if not getattr(layer, "table", ()) or structure.one_activation:
        return {}
    chosen = [structure.activations.index(get_activation(h.activation[0]).name) for h in each]
    return {"activation": np.asarray(chosen, np.int32)[:, None]}


def _hidden_numbers(structure: Structure, each: Sequence[Hyperparameters], layer: int) -> dict[str, Any]:
    """Return the members' own numbers of one hidden layer; a layer beyond a member's depth is skipped."""
    real = [layer < len(h.hidden) for h in each]
    numbers: dict[str, Any] = {}
    if structure.skips and layer > 0:
        numbers["skip"] = ~np.asarray(real, bool)
    if structure.chooses_activation and not structure.one_activation:
        names = [h.layer_activations()[layer] if deep else None for h, deep in zip(each, real, strict=True)]
        known = {name: structure.activations.index(get_activation(name).name) for name in set(names) if name}
        chosen = [0 if name is None else known[name] for name in names]
        numbers["activation"] = np.repeat(np.asarray(chosen, np.int32)[:, None], structure.hidden[layer], axis=1)
    return numbers


def _own_parameters(problem: Problem, structure: Structure, member: Member) -> np.ndarray:
    shapes = member_network(problem, member).parameter_shapes
    ones = [{name: np.ones(shape, np.float32) for name, shape in each.items()} for each in shapes]
    return pad_parameters(structure, ones)[0] > 0


def _layer_places(layers: int, padded: int) -> list[int]:
    """Return where a network's own layers with parameters stand among the padded ones: the output layer last."""
    return [*range(layers - 1), padded - 1]


def pad_parameters(structure: Structure, parameters: Parameters, members: int = 1) -> np.ndarray:
    """Return flat parameters `(members, parameters)` with zeros up to the padded sizes.

    Args:
        structure: the sizes of the program.
        parameters: one dict of arrays per layer, each array of one member or with the members first.
        members: how many members there are.
    """
    shapes = [each for each in structure.network.parameter_shapes if each]
    padded = [{name: np.zeros((members, *shape), np.float32) for name, shape in each.items()} for each in shapes]
    of_member = [layer for layer in parameters if layer]
    for layer, place in zip(of_member, _layer_places(len(of_member), len(padded)), strict=True):
        for name, array in layer.items():
            rank = padded[place][name].ndim - 1
            padded[place][name][(slice(None), *(slice(n) for n in array.shape[-rank:]))] = array
    return np.concatenate([array.reshape(members, -1) for layer in padded for array in layer.values()], axis=1)


def unpad_parameters(network: Network, padded: Parameters) -> Parameters:
    """Return the parameters of a member's own network, cut out of padded ones."""
    of_member = [shapes for shapes in network.parameter_shapes if shapes]
    places, parameters = iter(_layer_places(len(of_member), len(padded))), []
    for shapes in network.parameter_shapes:
        source: dict[str, np.ndarray] = padded[next(places)] if shapes else {}
        cut = {name: source[name][tuple(slice(n) for n in shape)].copy() for name, shape in shapes.items()}
        parameters.append(cut)
    return parameters


def split_vector(layer_shapes: Sequence[Mapping[str, Shape]], vector: Any) -> list[dict[str, Any]]:
    """Return the parameters of each layer, cut out of a vector that holds them all; axes behind the first stay."""
    layers: list[dict[str, Any]] = []
    start = 0
    for shapes in layer_shapes:
        layer = {}
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            layer[name] = vector[start:stop].reshape(*shape, *vector.shape[1:])
            start = stop
        layers.append(layer)
    return layers


def own_starts(problem: Problem, members: Sequence[Member]) -> Iterator[tuple[list[int], Parameters]]:
    """Return the members' initial parameters in their own sizes, those of one size together.

    Each part names the positions of its members and holds one dict of arrays per layer, the members first, or those of
    one member where all start alike.
    """
    if problem.whole is not None:
        for which, parameters in own_starts(problem.whole, members):
            yield which, parameters[beginning_of(member_network(problem.whole, members[which[0]])) :]
        return
    if problem.start is not None:
        yield list(range(len(members))), [dict(layer) for layer in problem.start]
        return
    sizes: dict[tuple[Any, ...], list[int]] = {}
    for i, member in enumerate(members):
        h = member.hyperparameters
        sizes.setdefault((h.layers, h.hidden, h.kernel_initializer, h.dropout > 0.0), []).append(i)
    for which in sizes.values():
        network = member_network(problem, members[which[0]])
        streams = Streams(problem.seed, (INITIAL,), np.asarray([members[i].origin for i in which]))
        begins = beginning_of(network)
        fitted = [{name: array[None] for name, array in layer.items()} for layer in fitted_beginning(problem, network)]
        yield which, [*fitted, *network.initialize(streams)[begins:]]


def padded_starts(problem: Problem, structure: Structure, members: Sequence[Member]) -> np.ndarray:
    """Return the members' initial parameters, `(members, parameters)` padded.

    They are drawn in a member's own size, so that padding draws nothing; members of one size draw together.
    """
    starts: dict[int, np.ndarray] = {}
    for which, parameters in own_starts(problem, members):
        flat = pad_parameters(structure, parameters, len(which))
        starts.update(zip(which, flat, strict=True))
    return np.stack([starts[i] for i in range(len(members))])


def batch_order(problem: Problem, batch_size: int, epochs: int) -> np.ndarray:
    """Return the rows of every step, `(epochs, steps, batch)`, -1 where the last batch is short.

    The order depends on the run and the batch size alone and repeats after `epochs`, so that a member sees
    the same batches whenever it is taken in.
    """
    rows, steps = len(problem.x), problem.steps(batch_size)
    order = np.full((epochs, steps * batch_size), -1, np.int32)
    for epoch in range(epochs):
        order[epoch, :rows] = Stream(problem.seed, ORDER, batch_size, epoch).permutation(rows)
    return order.reshape(epochs, steps, batch_size)
