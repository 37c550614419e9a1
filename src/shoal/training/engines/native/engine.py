"""The native engine: networks on the cores of a CPU, members or channels side by side in the lanes of its registers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from shoal.errors import SettingError
from shoal.results import Status
from shoal.training import planner
from shoal.training.cost import LONGEST_MICROSECONDS, epochs_of_a_call
from shoal.training.engines.base import Chunk
from shoal.training.engines.native.cost import in_channels, member_epoch
from shoal.training.engines.native.library import Kernel, best_kernel
from shoal.training.engines.native.members import SQUARES, MemberArrays, RowsRecord, member_records, plainly_dense
from shoal.training.engines.native.records import COPIES, MEMBER, STATE
from shoal.training.frozen import behind_beginning, fitted_beginning
from shoal.training.member import Member
from shoal.training.packing import Parameters, by_encoding, member_network, shares_beginning, split_vector
from shoal.training.parts import Part
from shoal.training.planner import Budget, find_budget
from shoal.training.problem import Problem
from shoal.training.structure import ORDERS

BLOCKS_OF_A_CORE = 16  # lane blocks that it has before it at a time, so that no core waits long for another
BLOCKS_OF_FIRST_WAVE = 4  # the same of those that train before any other: with fewer, more of them are half empty
LEAST_BLOCKS_OF_A_CORE = 2
NUMBER = 4  # bytes of a float32


@dataclass(frozen=True)
class NativeBlock:
    """Members with batches of one size, in the order in which they enter, and how many train at a time."""

    members: tuple[Member, ...]
    places: int
    problem: Problem
    chunk: int
    rows: RowsRecord


@dataclass
class NativeState:
    """A block in training.

    Attributes:
        records: what the kernel knows of the member in each place.
        arrays: what the records point to, by place.
        turn: the next of the orders of the rows.
    """

    records: np.ndarray
    arrays: dict[int, MemberArrays] = field(default_factory=dict)
    turn: int = 0

    @property
    def running(self) -> np.ndarray:
        """The places in which a member trains."""
        return np.flatnonzero(self.records["status"] == Status.RUNNING)

    def size_of(self, places: np.ndarray) -> int:
        """The parameters of the largest member in these places: the cores begin with what takes long."""
        return max(self.arrays[int(place)].vectors.shape[1] for place in places)

    @property
    def epochs_left(self) -> int:
        """The epochs of the member that has most before it."""
        left = self.records["max_epochs"] - self.records["epoch"]
        return int(left[self.running].max(initial=0))


class NativeEngine:
    """Trains dense and convolutional networks on CPUs with nothing to compile.

    Args:
        cores: threads; by default one for each core.
        budget: the memory that training may take; by default what is free.
        kernel: the instruction set; by default the fastest that there is.

    Raises:
        SettingError: the kernel was not built.
    """

    name = "native"
    programs = 0

    def __init__(self, cores: int | None = None, budget: Budget | None = None, kernel: Kernel | None = None) -> None:
        chosen = kernel or best_kernel()
        if chosen is None:
            raise SettingError(
                "the native engine has no kernel: install shoal with a C++ compiler, or use --engine xla"
            )
        self.kernel = chosen
        self.budget = budget or find_budget()
        self.cores = cores or self.budget.cores

    def plan(self, problem: Problem, members: Sequence[Member]) -> list[NativeBlock]:
        """Return one block for each encoding, frozen beginning and batch size, the members of long training first.

        Where members abound, there are such blocks for some of them after the other, in their order, each time for
        twice as many: a time budget is then not over before the first of them is through.
        """
        wave, begin, blocks = self.kernel.lanes * self.cores * BLOCKS_OF_FIRST_WAVE, 0, []
        behind: dict[str, Problem] = {}
        orders = min(ORDERS, max((m.hyperparameters.epochs for m in members), default=1))
        batches: dict[tuple[int, int], RowsRecord] = {}  # many rows take a second to be dealt
        while begin < len(members):
            for encoded, part in by_encoding(problem, members[begin : begin + wave]):
                for beginning, same in _by_beginning(encoded, part).items():
                    if beginning and beginning not in behind:
                        behind[beginning] = behind_beginning(encoded, member_network(encoded, same[0]))
                    rows = behind[beginning] if beginning else encoded
                    for size, few in _by_batch_size(same, len(problem.x)).items():
                        known = (id(rows), size)
                        batches[known] = batches.get(known) or RowsRecord(rows, size, orders)
                        blocks.append(self._block(rows, batches[known], few))
            begin, wave = begin + wave, 2 * wave
        return blocks

    def _block(self, problem: Problem, rows: RowsRecord, members: Sequence[Member]) -> NativeBlock:
        ordered = tuple(sorted(members, key=lambda m: (-m.hyperparameters.epochs, m.id)))
        places = min(len(members), self._fitting(problem, members))
        one_of_each = {id(m.hyperparameters): m for m in members}.values()
        each = [m.hyperparameters for m in one_of_each]
        dearest = max(member_epoch(problem, m, self.kernel.lanes) for m in one_of_each)
        together = self.kernel.lanes if all(plainly_dense(problem, m) for m in one_of_each) else 1
        # lane blocks of a core, or a call lasts too long; of several each core finds something to do
        most = max(LEAST_BLOCKS_OF_A_CORE, int(LONGEST_MICROSECONDS / dearest))
        places = min(places, most * together * self.cores)
        blocks = -(-places // (together * self.cores))
        epochs = max(h.epochs for h in each)
        may_stop = any(h.patience < h.epochs for h in each)
        chunk = epochs_of_a_call(dearest * blocks, epochs, may_stop)
        return NativeBlock(ordered, places, problem, chunk, rows)

    def _fitting(self, problem: Problem, members: Sequence[Member]) -> int:
        """Return how many members train at a time: some lane blocks for each core, as the memory allows."""
        each = {id(m.hyperparameters): m for m in members}.values()
        largest = max(member_network(problem, m).parameter_count for m in each)
        bytes_per_member = NUMBER * (2 * COPIES + 1) * largest  # in the places, in a lane block, in a checkpoint
        wanted = self.kernel.lanes * self.cores * BLOCKS_OF_A_CORE
        return planner.places_in_memory(bytes_per_member, planner.shared_bytes(problem, 0), wanted, 1, self.budget)

    def prepare(self, block: NativeBlock) -> float:  # noqa: ARG002
        """Return 0 seconds: there is nothing to compile."""
        return 0.0

    def start(self, block: NativeBlock) -> NativeState:
        """Return the state of a block whose places are all idle."""
        records = np.zeros(block.places, MEMBER)
        records["status"] = Status.FINISHED
        return NativeState(records)

    def admits(self, block: NativeBlock, seated: NativeState) -> bool:  # noqa: ARG002
        """Return whether members may enter: where the orders of the rows begin anew, or nobody trains."""
        return seated.turn == 0 or not len(seated.running)

    def enter(
        self,
        block: NativeBlock,
        seated: NativeState,
        newcomers: Mapping[int, Member],
        vectors: Sequence[np.ndarray] | None = None,
    ) -> NativeState:
        """Put members into places, each at its start, or where its vectors are."""
        if not len(seated.running):
            seated.turn = 0
        places, members = list(newcomers), list(newcomers.values())
        records, arrays = member_records(block.problem, block.rows.batch_size, members, vectors)
        seated.records[places] = records
        seated.arrays.update(zip(places, arrays, strict=True))
        return seated

    def advance(self, block: NativeBlock, seated: NativeState, most: int | None = None) -> tuple[NativeState, Chunk]:
        """Train every running member of the block for a chunk of epochs, or for so many at most."""
        epochs = min(seated.epochs_left, block.chunk, most or block.chunk)
        curves = np.full((block.places, epochs, 5), np.nan, np.float32)
        records = seated.records
        records["curves"] = curves.ctypes.data + curves.strides[0] * np.arange(block.places, dtype=np.uintp)
        blocks = sorted(_lane_blocks(block, seated, self.kernel.lanes, self.cores), key=seated.size_of, reverse=True)
        order = np.concatenate(blocks) if blocks else np.zeros(0, np.int64)
        members = (records.ctypes.data + records.strides[0] * order).astype(np.uintp)
        ends = np.cumsum([0, *(len(each) for each in blocks)], dtype=np.int32)
        self.kernel.train(block.rows.record, members, ends, seated.turn, epochs, self.cores)
        seated.turn = (seated.turn + epochs) % ORDERS
        metric = curves[:, :, 4]
        if block.rows.record["metric"][0] == SQUARES:
            metric = np.sqrt(np.maximum(metric, 0.0))  # negative weights may outweigh the others
        ends_of = (records[name].copy() for name in ("status", "epoch", "best_epoch"))
        return seated, Chunk(curves[:, :, 0], curves[:, :, 1], curves[:, :, 2:4], metric, *ends_of)

    def exchange(self, block: NativeBlock, part: Part) -> None:
        """Replace the training rows of a block by as many others, where they lie."""
        for name, values in part._asdict().items():
            block.rows.arrays[name][...] = values

    def shrink(self, block: NativeBlock, seated: NativeState, seats: Sequence[int]) -> None:
        """Return None: only members that train take part in a chunk, however many places there are."""

    def read_out(
        self, block: NativeBlock, seated: NativeState, seats: Mapping[int, Member], *, last: bool = False
    ) -> dict[int, Parameters]:
        """Return the parameters at its best epoch, or the last, of each member, by its place."""
        parameters = {}
        for place, member in seats.items():
            shapes = member_network(block.problem, member).parameter_shapes
            layers = split_vector(shapes, seated.arrays[place].vectors[0 if last else -1].copy())
            whole = block.problem.whole
            begins = [] if whole is None else fitted_beginning(whole, member_network(whole, seats[place]))
            parameters[place] = [*({name: array.copy() for name, array in layer.items()} for layer in begins), *layers]
        return parameters

    def to_arrays(self, seated: NativeState) -> dict[str, np.ndarray]:
        """Return a state as named arrays: the vectors of each seated member one behind the other."""
        places = sorted(seated.arrays)
        vectors = [np.zeros(0, np.float32), *(seated.arrays[place].vectors.ravel() for place in places)]
        arrays = {name: seated.records[name][places] for name in STATE}
        sizes = np.asarray([vector.size for vector in vectors[1:]], np.int64)
        arrays |= {"places": np.asarray(places, np.int64), "turn": np.asarray(seated.turn)}
        return {**arrays, "sizes": sizes, "vectors": np.concatenate(vectors)}

    def from_arrays(
        self, block: NativeBlock, arrays: Mapping[str, np.ndarray], seats: Mapping[int, Member]
    ) -> NativeState:
        """Return the state that `to_arrays` wrote, for members in the same places; there may be fewer."""
        given = {place: i for i, place in enumerate(arrays["places"].tolist()) if place in seats}
        parts = np.split(arrays["vectors"], np.cumsum(arrays["sizes"])[:-1])
        vectors = [parts[i].reshape(COPIES, -1).copy() for i in given.values()]
        seated = self.enter(block, self.start(block), {place: seats[place] for place in given}, vectors)
        seated.turn = int(arrays["turn"])
        for name in STATE:
            seated.records[name][list(given)] = arrays[name][list(given.values())]
        return seated


def _by_beginning(problem: Problem, members: Sequence[Member]) -> dict[str, list[Member]]:
    """Return the members by the text of the layers whose frozen beginning they share, empty where there is none."""
    parts: dict[str, list[Member]] = {}
    shared: dict[int, str] = {}  # of the members of a candidate alike
    for member in members:
        h = member.hyperparameters
        if id(h) not in shared:
            shared[id(h)] = h.layers if shares_beginning(problem, member) else ""
        parts.setdefault(shared[id(h)], []).append(member)
    return parts


def _by_batch_size(members: Sequence[Member], rows: int) -> dict[int, list[Member]]:
    sizes: dict[int, list[Member]] = {}
    for member in members:
        sizes.setdefault(min(member.hyperparameters.batch_size, rows), []).append(member)
    return sizes


def _lane_blocks(block: NativeBlock, seated: NativeState, lanes: int, cores: int) -> Iterator[np.ndarray]:
    """Return the places of the members that train together: of one family, like beside like, the largest first.

    Networks of other layers than dense ones share a lane block where they are many, and else train one by one.
    """
    each = {int(place): (seated.arrays[place].family, seated.arrays[place].kind) for place in seated.running}
    running = sorted(each, key=lambda place: (*each[place], place), reverse=True)
    for _, family in itertools.groupby(running, key=lambda place: each[place][0]):
        places = list(family)
        together = lanes
        graph = seated.arrays[places[0]].graph
        if graph is not None:
            single = in_channels(graph, each[places[0]][0][-1], len(places), block.rows.batch_size, lanes, cores)
            seated.records["graph"][places] = graph.address(single)
            together = 1 if single else lanes
        for at in range(0, len(places), together):
            yield np.asarray(places[at : at + together])
