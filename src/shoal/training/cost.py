"""A small model of what training costs, measured, by which members are grouped and laid out.

The figures are microseconds of one core, fitted to steps of one to three hidden layers of 8 to 64 units in batches
of 8 to 32 rows, members side by side (`last`) and one after another (`first`). Only their ratios matter, and those
change little from one processor to the next; a fixed model keeps the same command at the same programs.
"""

from __future__ import annotations

import itertools
import math

from shoal.networks import Network
from shoal.training.structure import ORDERS, Structure

COMPILE_SECONDS = 1.2  # of one more program, two of them at a time
FIRST_STEP, FIRST_VALUE, FIRST_FLOP, FIRST_WEIGHT = 1.5, 0.004, 1e-5, 8e-4
LAST_STEP, LAST_VALUE, LAST_PRODUCT = 0.15, 0.0008, 0.002
ONE_MORE_ACTIVATION = 0.25  # of the cost of a value, since each neuron computes all that the program holds
CACHE = 32_768  # bytes of one layer's values that stay close to a core
CHUNK_MICROSECONDS = 30_000.0  # a call of a program shall last so long, or its overhead shows
STEP_MICROSECONDS = 20.0  # the same of one step and its operations
LONGEST_MICROSECONDS = 3e6  # that a call shall last, if it trains more than one epoch
MOST_MEMBERS = 256


def products(structure: Structure) -> list[tuple[int, int]]:
    """Return inputs and outputs of each layer behind the trunk."""
    if structure.given is not None or structure.is_autoencoder:
        return []
    return list(itertools.pairwise((structure.inputs, *structure.hidden, structure.outputs)))


def member_step(structure: Structure) -> float:
    """Return the microseconds of one step of one member."""
    sizes, rows = products(structure), structure.batch_size * (structure.input_shape[0] if structure.per_step else 1)
    values = rows * sum(b for _, b in sizes)
    several = structure.chooses_activation and not structure.one_activation
    table = 1.0 + ONE_MORE_ACTIVATION * (len(structure.activations) - 1) * several
    if structure.layout == "last":
        return LAST_STEP + LAST_VALUE * values * table + LAST_PRODUCT * rows * sum(a * b for a, b in sizes[1:])
    weights = sum(a * b for a, b in sizes)
    flops = rows * (6 * weights - 2 * sum(a * b for a, b in sizes[:1]))
    if structure.trunk or structure.given:  # what its layers hand on and gather counts like the values of dense ones
        trunk = structure.given or Network(structure.network_trunk, structure.input_shape)
        values += structure.batch_size * trunk.values
        flops += 6 * structure.batch_size * trunk.multiplications
        weights += trunk.parameter_count
    return FIRST_STEP + FIRST_VALUE * values * table + FIRST_FLOP * flops + FIRST_WEIGHT * weights


def fits_last(structure: Structure) -> bool:
    """Whether the values of a layer of sixteen members, a register full, stay close to a core."""
    return 16 * 4 * structure.batch_size * max((*structure.hidden, structure.outputs)) <= CACHE


def members_per_core(structure: Structure, steps: int) -> int:
    """Return how many members a core trains together at best.

    As many as fill a step and a chunk with work, but no more than stay in the cache: beyond that the next member
    comes in when one is done.
    """
    each = member_step(structure)
    if structure.layout == "last":
        widest = max((*structure.hidden, structure.outputs))
        return int(min(max(CACHE / (4 * structure.batch_size * widest) // 16 * 16, 16), MOST_MEMBERS))
    enough = max(STEP_MICROSECONDS, CHUNK_MICROSECONDS / (ORDERS * steps)) / each
    return int(min(max(1 << round(enough).bit_length(), 4), MOST_MEMBERS // 2))


def epochs_of_a_chunk(structure: Structure, steps: int, epochs: int, may_stop: bool) -> int:
    """Return how many epochs a call of the program trains: enough to be worth a call, few beside all of them.

    Args:
        structure: what the program trains.
        steps: of one epoch.
        epochs: that the members train at most.
        may_stop: whether a member may stop before; its place then idles until the end of a chunk.
    """
    epoch = steps * member_step(structure) * members_per_core(structure, steps)
    return epochs_of_a_call(epoch, epochs, may_stop)


def epochs_of_a_call(microseconds: float, epochs: int, may_stop: bool) -> int:
    """Return how many epochs a call of an engine trains, if all that a core trains takes so long for one.

    Args:
        microseconds: of one epoch.
        epochs: that the members train at most.
        may_stop: whether a member may stop before; its place then idles until the end of a call.
    """
    once = ORDERS * microseconds
    for shorter in (1, 2, 5):  # rather than leave a user without a sign of life
        if once * shorter / ORDERS > LONGEST_MICROSECONDS / 2:
            return shorter
    enough = math.ceil(CHUNK_MICROSECONDS / once)
    calls = 8 if may_stop else 2
    return ORDERS * max(1, min(enough, epochs // (calls * ORDERS)))
