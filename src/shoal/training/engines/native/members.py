"""Members and rows as the kernel takes them: records that point to arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.networks import ACTIVATIONS, Dense, DenseWithConstants, Dropout, Network, get_activation
from shoal.networks.minirocket import beginning_of
from shoal.results import Status
from shoal.streams import Streams
from shoal.training.augmentation import Augmentation
from shoal.training.engines.native.graphs import ACTIVATION_CODES, Graph, UnsuitedError, graph_of
from shoal.training.engines.native.records import COPIES, HEADS, MEMBER, ROWS, VECTORS
from shoal.training.heads import ClassesHead
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member
from shoal.training.optimizers import OPTIMIZERS, SECOND_STARTS_AT
from shoal.training.packing import Parameters, batch_order, member_network, member_scalars, own_starts
from shoal.training.problem import Problem
from shoal.training.purposes import DROPOUT
from shoal.training.resampling import resampling_numbers
from shoal.training.structure import ORDERS

OPTIMIZER_CODES = {name: i for i, name in enumerate(OPTIMIZERS)}
LOSSES_IN_ORDER = (
    *("mse", "mae", "huber", "log_cosh", "binary_crossentropy", "categorical_crossentropy"),
    *("poisson", "gaussian_nll", "pinball", "crossentropies"),
)
LOSS_CODES = {**{name: i for i, name in enumerate(LOSSES_IN_ORDER)}, "rmse": 0}
SQUARES, HITS_OF_ONE, HITS_OF_MANY, HITS_OF_TARGETS = range(4)
SECOND = VECTORS.index("second")
LARGE = 5_000
"""Parameters of a dense network from which on it trains as one of any layers: alone twelve times as fast with two
layers of 64 neurons, where lanes are full of others a third slower at most; with 128 faster in either case."""
VERY_MANY_ROWS, LARGE_ON_MANY_ROWS = 200_000, 1_000
"""With so many rows few networks train at a time, so that those of a thousand parameters leave most lanes empty."""
AUGMENTED = ("shift", "flip", "rotation", "zoom", "noise")


class RowsRecord:
    """The rows of a problem in batches of one size, as a record of type ROWS, and the arrays that it points to."""

    def __init__(self, problem: Problem, batch_size: int, orders: int = ORDERS) -> None:
        self.batch_size = batch_size
        self.record = np.zeros(1, ROWS)
        self.arrays = _row_arrays(problem, batch_size, orders)
        for name, array in self.arrays.items():
            self.record[name] = array.ctypes.data
        for name, value in {**_sizes(problem), **_loss_codes(problem)}.items():
            self.record[name] = value
        self.record["order_count"], self.record["steps"], self.record["batch"] = self.arrays["orders"].shape
        levels = getattr(problem.loss.head, "levels", ())
        self.record["level_count"], self.record["levels"][0, : len(levels)] = len(levels), levels


def _row_arrays(problem: Problem, batch_size: int, orders: int) -> dict[str, np.ndarray]:
    """Return the arrays of a problem that it has, by the names of the record."""
    names = ("x", "y", "weights", "y_err", "y_noise", "folds")
    arrays = {name: getattr(problem, name) for name in names}
    arrays |= {f"validation_{name}": getattr(problem, f"validation_{name}") for name in names}
    if problem.validation_folds is None:
        arrays["validation_folds"] = problem.folds
    arrays["validation_half"] = problem.validation_half.astype(np.int32)
    arrays["orders"] = batch_order(problem, batch_size, orders)
    if isinstance(problem.loss.head, ClassesHead):
        arrays["class_counts"] = problem.loss.head.class_counts
    present = {name: np.asarray(array) for name, array in arrays.items() if array is not None}
    for name in ("x", "validation_x"):  # pixels stay as they are stored where they are bytes
        present[name] = present[name] if problem.x.dtype == np.uint8 else present[name].astype(np.float32, copy=False)
    return {name: np.ascontiguousarray(array) for name, array in present.items()}


def _sizes(problem: Problem) -> dict[str, int]:
    """Return how many of everything a problem has."""
    return {
        "rows": len(problem.x),
        "validation_rows": len(problem.validation_x),
        "validation_from": problem.validation_from,
        "inputs": math.prod(problem.input_shape),
        "outputs": problem.outputs,
        "bytes": problem.x.dtype == np.uint8,
        "source": sum(layer.sources for layer in problem.stem) + Augmentation.SOURCE,
        "time": problem.y.shape[1] if problem.per_step else 1,
        "y_columns": problem.outputs if problem.reconstruct else problem.y.shape[-1],
        "targets": problem.outputs if problem.reconstruct else problem.targets,
        "reconstruct": problem.reconstruct,
        "constants": problem.constants,
        "draws": 0 if problem.y_noise is None else problem.y_noise.shape[1],
        "weight_columns": problem.weights.shape[-1],
        "columns": 0 if problem.folds is None else problem.folds.shape[1],
    }


def _loss_codes(problem: Problem) -> dict[str, float]:
    """Return the loss, the last activation and the metric as the kernel calls them."""
    loss, activation = problem.loss, problem.output_activation
    hits = HITS_OF_ONE if problem.outputs == 1 else HITS_OF_MANY
    metric = SQUARES if activation in ("linear", "exponential") else hits
    return {
        "loss": LOSS_CODES[loss.name],
        "root": loss.root,
        "head": 0 if loss.absorbs(activation) else HEADS.index(activation),
        "metric": HITS_OF_TARGETS if isinstance(loss.head, ClassesHead) else metric,
        "threshold": 0.0 if loss.fused == "sigmoid" else 0.5,
    }


@dataclass(frozen=True)
class MemberArrays:
    """What a member's record points to: `vectors` `(4, parameters)`, as VECTORS names them, and `shape`.

    That is inputs and neurons of each layer, and the activation of each neuron.

    `family` parts members that never share a lane block; `kind` sorts those of a family, like beside like. `graph` is
    the network of a member that has other layers than dense ones.
    """

    vectors: np.ndarray
    shape: tuple[np.ndarray, ...]
    family: tuple[Any, ...]
    kind: tuple[Any, ...]
    graph: Graph | None = None


def member_records(
    problem: Problem, batch_size: int, members: Sequence[Member], vectors: Sequence[np.ndarray] | None = None
) -> tuple[np.ndarray, list[MemberArrays]]:
    """Return the records of members at their start, and the arrays that each points to.

    `vectors` are those of members on their way, `(4, parameters)` each, which are not drawn anew.
    """
    records = np.zeros(len(members), MEMBER)
    for name, values in member_scalars(problem, batch_size, members).items():
        records[name] = values
    each = [member.hyperparameters for member in members]
    for name in ("dropout", *AUGMENTED):
        records[name] = [getattr(h, name) for h in each]
    records["depth"] = [len(h.hidden) for h in each]
    records["max_epochs"], records["patience"] = [h.epochs for h in each], [h.patience for h in each]
    records["optimizer"] = [OPTIMIZER_CODES[h.optimizer] for h in each]
    records["key"] = Streams(problem.seed, (DROPOUT,), np.asarray([member.origin for member in members])).keys
    for name, numbers in resampling_numbers(problem.seed, members, rolling=problem.rolling).items():
        records[name] = numbers
    records["momentum_product"], records["best_loss"], records["status"] = 1.0, np.inf, Status.RUNNING
    return records, _point(records, problem, members, _starts(problem, members) if vectors is None else vectors)


def _starts(problem: Problem, members: Sequence[Member]) -> list[np.ndarray]:
    """Return the vectors of members at their start."""
    starts: dict[int, np.ndarray] = {}
    for which, parameters in own_starts(problem, members):
        vectors = _starting_vectors(problem, members[which[0]], parameters, len(which))
        vectors[:, SECOND] = [[SECOND_STARTS_AT.get(members[i].hyperparameters.optimizer, 0.0)] for i in which]
        starts.update(zip(which, vectors, strict=True))
    return [starts[i] for i in range(len(members))]


def _point(
    records: np.ndarray, problem: Problem, members: Sequence[Member], vectors: Sequence[np.ndarray]
) -> list[MemberArrays]:
    """Make the arrays of members, and the records point to them."""
    arrays = []
    places = [(vector.__array_interface__["data"][0], vector.strides[0]) for vector in vectors]  # quicker than `ctypes`
    begins, steps = np.asarray(places, np.uintp).reshape(-1, 2).T
    for copy, name in enumerate(VECTORS):
        records[name] = begins + steps * np.uintp(copy)
    shapes: dict[int, tuple[Any, ...] | None] = {}  # and where their arrays lie; None: of a graph
    lie: dict[int, tuple[int, ...]] = {}
    for i, (member, vector) in enumerate(zip(members, vectors, strict=True)):
        h = member.hyperparameters
        if id(h) not in shapes:
            shape = _shape(problem, member) if plainly_dense(problem, member) else None
            shapes[id(h)] = shape and (*shape, tuple(array.ctypes.data for array in shape[0]))
        known = shapes[id(h)]
        if known is None:
            arrays.append(_of_graph(problem, member, vector))
            continue
        *shape_of_h, lie[i] = known
        arrays.append(MemberArrays(vector, *shape_of_h))
    for name, addresses in zip(("inputs", "neurons", "activations"), zip(*lie.values(), strict=True), strict=False):
        records[name][list(lie)] = addresses
    return arrays


def plainly_dense(problem: Problem, member: Member) -> bool:
    """Return whether a member has a lane in a block of dense networks: it has dense layers alone, and is not large.

    A large one fills the lanes with its own neurons as a network of any layers, however few train beside it, and so
    does a smaller one on very many rows, of which few train at a time. The choice hangs on the member alone, so that
    its bits do not hang on the others.
    """
    network = member_network(problem, member)
    large = network.parameter_count >= (LARGE_ON_MANY_ROWS if len(problem.x) >= VERY_MANY_ROWS else LARGE)
    return has_dense_alone(problem, member) and not (large and _has_graph(problem, member, network))


def _has_graph(problem: Problem, member: Member, network: Network) -> bool:
    if problem.constants:
        return False
    try:
        graph_of(network, member.hyperparameters.dropout)
    except UnsuitedError:
        return False
    return True


def has_dense_alone(problem: Problem, member: Member) -> bool:
    """Return whether a member has dense layers alone, with the same dropout behind each hidden one or none."""
    network = member_network(problem, member)
    dense = [layer for layer in network.layers if isinstance(layer, (Dense, DenseWithConstants))]
    rates = [layer.rate for layer in network.layers if isinstance(layer, Dropout)]
    own_kinds, dense_kinds = [type(layer) for layer in network.layers], [type(layer) for layer in dense]
    behind_each = [each for kind in dense_kinds[:-1] for each in (kind, Dropout)] + dense_kinds[-1:]
    if own_kinds not in (behind_each, dense_kinds):
        return False
    h = member.hyperparameters
    if (
        (h.layers and problem.whole is None)
        or len(problem.input_shape) > 1
        or problem.reconstruct
        or (h.noise and problem.network is not None)
    ):
        return False
    plain = all(getattr(layer, "use_bias", True) and layer.trainable for layer in dense)
    return plain and len(set(rates)) <= 1


def _of_graph(problem: Problem, member: Member, vector: np.ndarray) -> MemberArrays:
    h = member.hyperparameters
    before = 0  # sources of random numbers in layers that are done already
    if problem.whole is not None:
        whole = member_network(problem.whole, member)
        before = sum(layer.sources for layer in whole.layers[: beginning_of(whole)])
    graph = graph_of(member_network(problem, member), h.dropout, before)
    return MemberArrays(vector, (), (0, graph.key, augments(h)), (h.optimizer,), graph)


def augments(h: Hyperparameters) -> bool:
    """Return whether a member changes its rows while training."""
    return any(getattr(h, name) != 0.0 for name in AUGMENTED)


def _starting_vectors(problem: Problem, member: Member, parameters: Parameters, count: int) -> np.ndarray:
    """Return `(members, 4, parameters)` for members of the size of this one, from the start values of each layer."""
    shapes = [shape for layer in member_network(problem, member).parameter_shapes for shape in layer.values()]
    parts = [array for layer in parameters for array in layer.values()]
    vectors = np.zeros((count, COPIES, member_network(problem, member).parameter_count), np.float32)
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    for part, end, shape in zip(parts, ends, shapes, strict=True):
        size = math.prod(shape)
        vectors[:, 0, end - size : end] = part.reshape(-1, size)  # of one member, where all start alike
    vectors[:, -1] = vectors[:, 0]
    return vectors


def _shape(problem: Problem, member: Member) -> tuple[tuple[np.ndarray, ...], tuple[Any, ...], tuple[Any, ...]]:
    """Return inputs and neurons of each layer, the code of each hidden neuron's activation, its family and its kind.

    Activations over all neurons of a layer share a lane block with their equals alone.
    """
    h = member.hyperparameters
    network = member_network(problem, member)
    kernels = [shapes["kernel"] for shapes in network.parameter_shapes if shapes]
    inputs, neurons = np.asarray(kernels, np.int32).T.copy()
    neurons[-1] += problem.constants
    *hidden, _ = (layer for layer in network.layers if isinstance(layer, (Dense, DenseWithConstants)))
    names = tuple(_names_of_neurons(layer) for layer in hidden)
    codes = np.asarray([ACTIVATION_CODES[name] for layer in names for name in layer] + [0], np.int32)
    across = not all(ACTIVATIONS[name].elementwise for layer in names for name in layer)
    family = (1, len(names), *((names, h.hidden) if across else ()))
    return (inputs, neurons, codes), family, (names, h.optimizer, h.hidden)


def _names_of_neurons(layer: Any) -> tuple[str, ...]:
    """Return the activation of each neuron of a dense layer."""
    if isinstance(layer.activation, tuple):
        return layer.activation
    return (get_activation(layer.activation).name,) * layer.units
