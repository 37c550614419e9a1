"""What training in the native kernel costs, measured, by which chunks are sized and an engine is chosen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shoal.training.engines.native.graphs import BATCH_NORM, CONVOLUTION, GATES, RECURRENCE, Graph, graph_of
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.native.members import augments, plainly_dense
from shoal.training.engines.native.records import COPIES
from shoal.training.member import Member
from shoal.training.packing import by_encoding, trained_network
from shoal.training.problem import Problem

# microseconds of one core for a lane block, fitted by benchmarks/calibrate.py: of a step, of a parameter in a step, of
# one with a plain optimizer, of one for which the second-level cache has no room, of a value, of a product in a row
STEP, PARAMETER, CHEAP_PARAMETER, FAR, VALUE, PRODUCT = 0.08, 0.008, 0.0027, 0.017, 0.0097, 0.00027
USUAL_LANES = 8  # of the kernels, so that what is decided by the cost is decided alike everywhere
CHEAP = ("sgd", "lion")  # optimizers without roots and divisions
CACHE = 2_000_000  # bytes that hold parameters, slots and best
# bytes of weights of a layer in a full lane block that all steps, or all rows, find near; the factor for more
CLOSE_TO_STEPS, SLOWER_STEPS = 150_000, 1.25
CLOSE_TO_ROWS, SLOWER_ROWS = 400_000, 1.7
NARROW = 2.0  # times that a product of one vector of channels takes longer than one of several
LARGE_ROW = 1 << 16  # bytes of a row from which on whole batches of several members take too much memory


@dataclass(frozen=True)
class Work:
    """What one row of a lane block asks for, in vectors: parameters of a step, values, and products."""

    parameters: int = 0
    values: int = 0
    forward: int = 0
    training: int = 0

    def __add__(self, more: Work) -> Work:
        """Return the work of both."""
        return Work(*(getattr(self, name) + getattr(more, name) for name in self.__dataclass_fields__))


def dense_work(problem: Problem, hidden: Sequence[int]) -> Work:
    """Return the work of dense layers with a member in each lane."""
    widths = (problem.inputs, *hidden, problem.outputs)
    pairs = list(itertools.pairwise(widths))
    forward = sum(a * b for a, b in pairs)
    training = 3 * forward - pairs[0][0] * pairs[0][1]  # nobody needs slopes in the inputs
    return Work(sum((a + 1) * b for a, b in pairs), sum(widths[1:]), forward, training)


def graph_work(graph: Graph, per: int) -> Work:
    """Return the work of the operations of a network, with so many channels in a vector."""
    return sum((work for work, _ in _works(graph, per)), Work())


def _works(graph: Graph, per: int) -> Iterator[tuple[Work, np.void]]:
    """Yield the work of each operation, and the operation."""
    operations, shapes = graph.arrays[:2]
    for operation in operations:
        ends = shapes[operation["from"]], shapes[operation["to"]]
        yield (_recurrent_work if operation["kind"] == RECURRENCE else _work)(operation, *ends, per), operation


def _work(operation: np.void, begin: np.void, end: np.void, per: int) -> Work:
    """Return the work of an operation at each place of what it hands on."""
    places, vectors = int(end["lines"] * end["columns"]), -(-int(end["channels"]) // per)
    if operation["kind"] != CONVOLUTION:
        return Work(values=places * vectors)
    seen = int(operation["window"][0] * operation["window"][1])
    factors = seen * int(begin["channels"])
    back = seen * int(end["channels"]) * -(-int(begin["channels"]) // per) if operation["from"] else 0
    forward = places * factors * vectors
    return Work((factors + 1) * vectors, places * vectors, forward, 2 * forward + places * back)


def _recurrent_work(operation: np.void, begin: np.void, end: np.void, per: int) -> Work:
    """Return the work of a recurrent layer, whose cells count as some values each."""
    steps, features, units = int(begin["columns"]), int(begin["channels"]), int(end["channels"])
    vectors, (gates, values) = -(-units // per), GATES[int(operation["cell"])]
    columns, factors = gates * vectors, features + units
    back = gates * per * vectors * (vectors + (-(-features // per) if operation["from"] else 0))
    forward = steps * factors * columns
    return Work((factors + 1) * columns, steps * vectors * values, forward, 2 * forward + steps * back)


def epoch_of(problem: Problem, work: Work, optimizer: str, steps: int, lanes: int) -> float:
    """Return the microseconds that one epoch of a lane block takes."""
    rows, validation = len(problem.x), len(problem.validation_x)
    products = rows * work.training + validation * work.forward
    far = FAR * max(0.0, work.parameters - CACHE / (4 * COPIES * lanes))
    step = STEP + (CHEAP_PARAMETER if optimizer in CHEAP else PARAMETER) * work.parameters + far
    return steps * step + VALUE * work.values * (rows + validation) + PRODUCT * products


def in_channels(graph: Graph, augmented: bool, members: int, batch: int, lanes: int, cores: int) -> bool:
    """Return whether so many members of a network train one by one, their channels in the lanes."""
    parts = parts_of(graph, batch)

    def microseconds(blocks: int, of_row: float) -> float:
        sharing = min(max(1, cores // blocks), parts)  # cores that a block keeps busy
        return of_row * -(-blocks // cores) / sharing

    together = microseconds(-(-members // lanes), _row_of_members(graph, lanes))
    one_by_one = microseconds(members, _row_of_channels(graph, lanes))
    return augmented or batch_bytes(graph, 1, 1, lanes) > LARGE_ROW or one_by_one < together


def _row_of_members(graph: Graph, lanes: int) -> float:
    """Return the microseconds of a row in training where lanes are members: weights that lie far away take longer."""
    total = 0.0
    for work, operation in _works(graph, 1):
        recurs = operation["kind"] == RECURRENCE
        close, slower = (CLOSE_TO_STEPS, SLOWER_STEPS) if recurs else (CLOSE_TO_ROWS, SLOWER_ROWS)
        far = 4 * lanes * work.parameters > close
        total += VALUE * work.values + PRODUCT * work.training * (slower if far else 1.0)
    return total


def _row_of_channels(graph: Graph, lanes: int) -> float:
    """Return the same where they are channels: a product that is one vector wide waits for its left factors."""
    total = 0.0
    for work, operation in _works(graph, lanes):
        narrow = operation["kind"] == CONVOLUTION and graph.arrays[1]["channels"][operation["to"]] <= lanes
        total += VALUE * work.values + PRODUCT * work.training * (NARROW if narrow else 1.0)
    return total


def batch_bytes(graph: Graph, batch: int, per: int, lanes: int) -> int:
    """Return the bytes of a batch that must be there at once for batch normalisation: values, slopes, what is kept."""
    return 3 * 4 * lanes * batch * graph_work(graph, per).values if _sees_whole_batches(graph) else 0


def _sees_whole_batches(graph: Graph) -> bool:
    return bool((graph.arrays[0]["kind"] == BATCH_NORM).any())


def parts_of(graph: Graph, batch: int) -> int:
    """Return in how many parts the cores share a batch of one lane block, as the kernel does (`layout.hpp`)."""
    return 1 if batch < 32 or _sees_whole_batches(graph) else 2 if batch < 64 else 4


def member_epoch(problem: Problem, member: Member, lanes: int) -> float:
    """Return the microseconds of one epoch of the lane block of a member, or of the member if it trains alone."""
    h = member.hyperparameters
    ((problem, _),) = by_encoding(problem, [member])
    steps = problem.steps(min(h.batch_size, len(problem.x)))
    if plainly_dense(problem, member):
        return epoch_of(problem, dense_work(problem, h.hidden), h.optimizer, steps, lanes)
    graph = graph_of(trained_network(problem, member), h.dropout)
    return epoch_of(problem, graph_work(graph, lanes), h.optimizer, steps, lanes)


def core_seconds(problem: Problem, members: Sequence[Member]) -> np.ndarray:
    """Return about how long one core takes for each member among many, `(members,)`, if it trains all of its epochs.

    It is the same on every machine: that of a kernel with eight lanes.
    """
    each = {id(m.hyperparameters): m for m in members}
    known = {key: m.hyperparameters.epochs * member_epoch(problem, m, USUAL_LANES) for key, m in each.items()}
    return 1e-6 / USUAL_LANES * np.asarray([known[id(m.hyperparameters)] for m in members])


def native_seconds(problem: Problem, members: Sequence[Member], cores: int) -> float:
    """Return about how long the native engine takes."""
    return sum(_seconds_of_one_encoding(behind, part, cores) for behind, part in by_encoding(problem, members))


def _seconds_of_one_encoding(problem: Problem, members: Sequence[Member], cores: int) -> float:
    kernel = best_kernel()
    lanes = kernel.lanes if kernel else 1
    known: dict[int, float] = {}
    keys: dict[int, bytes] = {}
    sizes: dict[tuple[int, bytes], list[Member]] = {}
    for member in members:
        h = member.hyperparameters
        if id(h) not in known:
            known[id(h)] = h.epochs * member_epoch(problem, member, lanes)
            dense = plainly_dense(problem, member)
            keys[id(h)] = b"" if dense else graph_of(trained_network(problem, member), h.dropout).key
        sizes.setdefault((h.batch_size, keys[id(h)]), []).append(member)
    return 1e-6 * sum(_microseconds_of_one_size(problem, each, known, lanes, cores) for each in sizes.values())


def _microseconds_of_one_size(
    problem: Problem, members: Sequence[Member], known: Mapping[int, float], lanes: int, cores: int
) -> float:
    """Return about how long members with batches of one size take whose layers are alike, or dense."""
    blocks = sorted((known[id(member.hyperparameters)] for member in members), reverse=True)
    if plainly_dense(problem, members[0]):
        return max(sum(blocks[::lanes]) / cores, blocks[0])
    h = members[0].hyperparameters
    graph = graph_of(trained_network(problem, members[0]), h.dropout)
    if not in_channels(graph, augments(h), len(members), h.batch_size, lanes, cores):
        longer = graph_work(graph, 1).training / graph_work(graph, lanes).training  # a full lane block than one member
        blocks = [longer * block for block in blocks[::lanes]]
    return max(sum(blocks) / cores, blocks[0] / min(cores, parts_of(graph, h.batch_size)))
