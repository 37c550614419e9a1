"""What training in the native kernel costs, measured, by which chunks are sized and an engine is chosen."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.native.records import COPIES
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member
from shoal.training.problem import Problem

# microseconds of one core for a lane block, fitted by benchmarks/calibrate.py: of a step, of a parameter in a step, of
# one with a plain optimizer, of one for which the second-level cache has no room, of a value, of a product in a row
STEP, PARAMETER, CHEAP_PARAMETER, FAR, VALUE, PRODUCT = 0.08, 0.008, 0.0027, 0.017, 0.0097, 0.00027
CHEAP = ("sgd", "lion")  # optimizers without roots and divisions
CACHE = 2_000_000  # bytes that hold parameters, slots and best


def lane_block_epoch(problem: Problem, h: Hyperparameters, steps: int, lanes: int = 16) -> float:
    """Return the microseconds that one epoch of a lane block takes."""
    widths = (problem.inputs, *h.hidden, problem.outputs)
    pairs = list(itertools.pairwise(widths))
    parameters, values = sum((a + 1) * b for a, b in pairs), sum(widths[1:])
    forward = sum(a * b for a, b in pairs)
    training = 3 * forward - pairs[0][0] * pairs[0][1]  # nobody needs slopes in the inputs
    rows, validation = len(problem.x), len(problem.validation_x)
    products = rows * training + validation * forward
    far = FAR * max(0.0, parameters - CACHE / (4 * COPIES * lanes))
    step = STEP + (CHEAP_PARAMETER if h.optimizer in CHEAP else PARAMETER) * parameters + far
    return steps * step + VALUE * values * (rows + validation) + PRODUCT * products


def native_seconds(problem: Problem, members: Sequence[Member], cores: int) -> float:
    """Return about how long the native engine takes."""
    kernel = best_kernel()
    lanes = kernel.lanes if kernel else 1
    known: dict[int, float] = {}
    sizes: dict[int, list[float]] = {}
    for member in members:
        h = member.hyperparameters
        if id(h) not in known:
            batch_size = min(h.batch_size, len(problem.x))
            known[id(h)] = h.epochs * lane_block_epoch(problem, h, problem.steps(batch_size), lanes)
        sizes.setdefault(h.batch_size, []).append(known[id(h)])
    total = 0.0
    for each in sizes.values():
        each.sort(reverse=True)
        blocks = each[::lanes]
        total += max(sum(blocks) / cores, blocks[0])
    return 1e-6 * total
