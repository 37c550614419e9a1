"""Planning: how many members are trained at once, so that memory suffices, decided before anything is allocated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shoal.errors import SettingError
from shoal.resources import available_cores, available_memory, memory_text, parse_memory
from shoal.row_view import TakenRows
from shoal.training.problem import Problem

HEADROOM = 0.2  # of the memory is left free, for others and for what an estimate misses
NUMBER = 4  # bytes of a float32
# Copies of a member's parameters, as the compiler of the XLA engine counts them (`memory_analysis`): the state holds
# the weights, two slots of the optimizer and the best weights; a step makes new ones of the first three, the
# gradient of each layer and the joined one.
STATE_COPIES, STEP_COPIES = 4, 5
# Between chunks the state is copied out for a checkpoint, and what training leaves of a member stays.
KEPT_COPIES = STATE_COPIES + 1
# Numbers per neuron and row: what the backward pass needs of the forward one, and its own, measured 2.2 to 3.2;
# in validation what goes into an activation and what comes out.
TRAINING_COPIES, VALIDATION_COPIES = 3, 2
VALIDATION_BATCH = 1024  # rows that are validated at a time
VALIDATION_NUMBERS = 4_000_000  # of one member meanwhile
LIBRARY_BYTES = 200_000_000  # measured: loading the libraries and compiling one small program


@dataclass(frozen=True)
class Budget:
    """What training may use.

    Attributes:
        bytes: memory that it may take.
        cores: processor cores.
        limit: the setting that keeps `bytes` below what is free, such as `"--memory 4GB"`; empty if none does.
    """

    bytes: int
    cores: int
    limit: str = ""


def find_budget(memory: str | None = None, most_cores: int | None = None) -> Budget:
    """Return what this process may use; `memory`, a size such as `"4GB"`, and `most_cores` can only lower it.

    Example:
        >>> find_budget("1MB").bytes
        1000000
    """
    free, cores = available_memory(), available_cores()
    cores = cores if most_cores is None else min(cores, most_cores)
    if memory is not None and parse_memory(memory) <= free:
        return Budget(parse_memory(memory), cores, f"--memory {memory}")
    return Budget(free, cores)


def validation_batch(values: int) -> int:
    """Return how many rows are validated at a time by networks that need so many numbers for each.

    Example:
        >>> validation_batch(50), validation_batch(100_000)
        (1024, 64)
    """
    return max(32, min(VALIDATION_BATCH, 1 << (VALIDATION_NUMBERS // max(1, values)).bit_length()))


def member_bytes(parameters: int, widths: Sequence[int], batch: int, validation: int = VALIDATION_BATCH) -> int:
    """Return an estimate of the memory that training one member takes, in bytes.

    `4 (14 P + (3 b + 2 v) N)`, with P parameters, N neurons, b rows in a batch and v in a batch of validation: copies
    of the parameters for the state, a step and a checkpoint, and the values of every neuron, forward and backward.

    Args:
        parameters: number of weights and biases, padding included.
        widths: the output size of each layer.
        batch: rows of a mini-batch.
        validation: rows that are validated at a time.

    Example:
        >>> member_bytes(67, (8, 3), batch=8, validation=24)
        6920
    """
    copies = STATE_COPIES + STEP_COPIES + KEPT_COPIES
    rows = TRAINING_COPIES * batch + VALIDATION_COPIES * validation
    return NUMBER * (copies * parameters + rows * sum(widths))


def shared_bytes(problem: Problem, devices: int) -> int:
    """Return the memory that training takes however many members there are, in bytes.

    The rows, one copy for each device besides the one at hand, and what the libraries and a compiler take.
    """
    arrays = [problem.y, problem.weights, problem.validation_y, problem.validation_weights]
    if not isinstance(problem.x, TakenRows):  # devices use the memory that holds these already
        arrays += [problem.x, problem.validation_x]
    more = (problem.folds, problem.validation_folds, problem.y_noise, problem.validation_y_noise)
    arrays += [array for array in more if array is not None]
    return LIBRARY_BYTES + (devices + 1) * sum(array.nbytes for array in arrays)


def places_in_memory(bytes_per_member: int, fixed_bytes: int, wanted: int, devices: int, budget: Budget) -> int:
    """Return how many places for members fit into the memory at once.

    All that are wanted if they fit, rounded up to a multiple of the devices (the last places then stay idle);
    otherwise the largest multiple that fits; fewer than devices only if no more are wanted or fit.

    Args:
        bytes_per_member: memory of one member, see `member_bytes`.
        fixed_bytes: memory that is taken however many members there are, see `shared_bytes`.
        wanted: number of members, at least 1.
        devices: number of devices that share the members, at least 1.
        budget: what there is; a fifth of its memory is left free.

    Raises:
        SettingError: not even one member fits.

    Example:
        >>> places_in_memory(100, 0, wanted=64, devices=2, budget=Budget(bytes=1000, cores=2))
        8
    """
    fitting = (int((1.0 - HEADROOM) * budget.bytes) - fixed_bytes) // bytes_per_member
    if fitting < 1:
        raise _too_big(bytes_per_member, fixed_bytes, budget)
    if min(fitting, wanted) < devices:
        return min(fitting, wanted)
    return min(fitting // devices, -(-wanted // devices)) * devices


def _too_big(bytes_per_member: int, fixed_bytes: int, budget: Budget) -> SettingError:
    """Return the error that says what is needed, what there is and what helps."""
    needed = memory_text((bytes_per_member + fixed_bytes) / (1.0 - HEADROOM))
    there = f"{budget.limit} allows no more" if budget.limit else f"only {memory_text(budget.bytes)} is free"
    more = "a larger --memory" if budget.limit else "a machine or batch job with more memory"
    return SettingError(
        f"training needs {needed} of memory, a fifth of it as reserve ({memory_text(bytes_per_member)} for one "
        f"network, {memory_text(fixed_bytes)} for the rows and the libraries), but {there}. "
        f"Use a smaller --batch-size, fewer units in --hidden, or {more}."
    )
