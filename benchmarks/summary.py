"""From the record to the numbers of the page and the figure: per network, best peer, share of the peak, the map."""

from __future__ import annotations

from dataclasses import dataclass

from peers import PEERS
from plan import (
    ALONE,
    BEFORE_DENSE,
    BEFORE_DENSE_TOGETHER,
    CHANNELS_LAST,
    CHANNELS_LAST_TOGETHER,
    CONVOLUTION,
    IN_PROCESSES,
    LSTM,
    MAP_ALONE,
    MAP_POPULATIONS,
    MAP_TOGETHER,
    POPULATIONS,
    SMALL_CONVOLUTION,
    SMALL_POPULATION,
    TOGETHER,
    Scale,
    engine_cells,
    map_sizes,
    map_work,
    name_of,
)
from record import Record, median
from shoal_side import ENGINES, NATIVE, SHOALS, XLA
from work import Work, flops

SHOAL = "shoal"


@dataclass(frozen=True)
class Case:
    """One line of a comparison: the same work for so many networks, by peers and by shoal's engines when forced."""

    workload: int
    name: str
    work: Work
    population: int
    others: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()

    def label(self, who: str, population: int) -> str:
        """Return the name of a measurement in the record."""
        return name_of(self.workload, self.name, population, who)


@dataclass(frozen=True)
class Rival:
    """The best peer of a case: its time for all the networks over shoal's, and how many networks it really trained."""

    who: str
    measured: int
    seconds: float
    ratio: float
    ratio_with_compiling: float


@dataclass(frozen=True)
class Duel:
    """The two engines in one cell; ratios are the XLA engine's time over the native engine's.

    Attributes:
        case: the cell.
        native: seconds per network of training alone.
        xla: the same of the XLA engine.
        ratio: of training alone.
        whole_ratio: with starting and compiling.
        whole: the seconds with both, of either engine.
        estimates: what the choice expected these to be.
        chosen: the engine that `auto` takes, `native` or `xla`.
    """

    case: Case
    native: float
    xla: float
    ratio: float
    whole_ratio: float
    whole: tuple[float, float]
    estimates: tuple[float, float]
    chosen: str

    @property
    def lost(self) -> float:
        """How many times longer the chosen engine takes than the other, starting and compiling counted."""
        return 1.0 / self.whole_ratio if self.chosen == "native" else self.whole_ratio


def side_by_side(workload: int, name: str, work: Work, populations: tuple[int, ...]) -> list[Case]:
    """Return the cases of workloads 2 and 4."""
    everyone = (*ALONE, *TOGETHER), tuple(ENGINES)
    return [Case(workload, name, work, population, *everyone) for population in populations]


def convolution_cases(scale: Scale) -> list[Case]:
    """Return the cases of workload 7."""
    return _layered(7, "convolution", scale.short(CONVOLUTION), (*CHANNELS_LAST, *CHANNELS_LAST_TOGETHER))


def small_convolution_case(scale: Scale) -> Case:
    """Return the case of workload 7 whose networks have few filters."""
    peers = ("torch_loop", *CHANNELS_LAST, *BEFORE_DENSE_TOGETHER, *CHANNELS_LAST_TOGETHER)
    return Case(7, "small", scale.short(SMALL_CONVOLUTION), SMALL_POPULATION, peers)


def lstm_cases(scale: Scale) -> list[Case]:
    """Return the cases of workload 8."""
    return _layered(8, "lstm", scale.short(LSTM))


def _layered(workload: int, name: str, work: Work, more: tuple[str, ...] = ()) -> list[Case]:
    return [Case(workload, name, work, n, (*BEFORE_DENSE, *BEFORE_DENSE_TOGETHER, *more)) for n in (1, 8)]


def map_cases(quick: bool) -> list[Case]:
    """Return the cells of the break-even map."""
    widths, batches, populations = map_sizes(quick)
    peers = tuple(dict.fromkeys((*MAP_ALONE, *MAP_TOGETHER)))
    return [
        Case(5, f"{width}x{batch}", map_work(width, batch), population, peers)
        for batch in batches
        for width in widths
        for population in populations
    ]


def engine_cases(quick: bool) -> list[Case]:
    """Return the cells of workload 10."""
    return [
        Case(10, f"{work.hidden[0]}x{batch}", work, population, engines=tuple(ENGINES))
        for batch, population, work in engine_cells(quick)
    ]


def duel(record: Record, case: Case) -> Duel | None:
    """Return how the engines do in a cell, None where they were not measured in the same round."""
    native, xla = (case.label(who, case.population) for who in (NATIVE, XLA))
    ratio = record.ratio(xla, native)
    whole_ratio = record.ratio(xla, native, ("whole_seconds", "whole_seconds"))
    if ratio is None or whole_ratio is None:
        return None
    alone = [(record.median(name) or 0.0) / case.population for name in (native, xla)]
    whole = [record.median(name, "whole_seconds") or 0.0 for name in (native, xla)]
    estimates = [record.median(native, f"{name}_estimate") or 0.0 for name in ("native", "xla")]
    chosen = record.word(native, "chosen") or ""
    return Duel(case, *alone, ratio, whole_ratio, (whole[0], whole[1]), (estimates[0], estimates[1]), chosen)


def duels(record: Record, cases: list[Case]) -> list[Duel]:
    """Return the cells in which both engines were measured."""
    return [found for found in (duel(record, case) for case in cases) if found is not None]


def measured_at(record: Record, case: Case, who: str) -> int | None:
    """Return the population at which a peer stands for a case.

    It is the case's own; else, for one that trains networks one after the other, the largest smaller one.
    """
    own = who in SHOALS or (PEERS[who].together and who not in IN_PROCESSES)
    sizes = (case.population,) if own else sorted({*POPULATIONS, *MAP_POPULATIONS, case.population})
    known = [size for size in sizes if size <= case.population and record.values(case.label(who, size))]
    return max(known, default=None)


def per_network(record: Record, case: Case, who: str, field: str = "seconds") -> float | None:
    """Return the median seconds per network, None where nothing was measured that stands for the case."""
    size = measured_at(record, case, who)
    value = None if size is None else record.median(case.label(who, size), field)
    return None if size is None or value is None else value / size


def best_peer(record: Record, case: Case) -> Rival | None:
    """Return the fastest peer in training, with the medians of the ratios to shoal within rounds."""
    times = {who: per_network(record, case, who) for who in case.others}
    known = {who: seconds for who, seconds in times.items() if seconds is not None}
    mine = case.label(SHOAL, case.population)
    if not known or not record.values(mine):
        return None
    who = min(known, key=lambda each: known[each])
    size = measured_at(record, case, who) or case.population
    theirs = case.label(who, size)
    scale = case.population / size
    ratio = record.ratio(theirs, mine)
    whole = _ratio_with_compiling(record, theirs, mine, scale)
    if ratio is None:  # a run that was killed has measured them in different rounds
        return None
    return Rival(who, size, known[who] * case.population, ratio * scale, whole)


def _ratio_with_compiling(record: Record, theirs: str, mine: str, scale: float) -> float:
    train, compiling = record.values(theirs), record.values(theirs, "compile_seconds")
    own, own_compiling = record.values(mine), record.values(mine, "compile_seconds")
    turns = train.keys() & own.keys()
    ratios = [(train[i] * scale + compiling[i]) / (own[i] + own_compiling[i]) for i in turns]
    return median(ratios) or float("nan")


def samples_per_second(record: Record, case: Case, who: str) -> float | None:
    """Return the training rows that all networks together see in a second."""
    seconds = per_network(record, case, who)
    return None if seconds is None else case.work.rows * case.work.epochs / seconds


def per_epoch(record: Record, case: Case, who: str) -> float | None:
    """Return the median seconds per epoch and network."""
    seconds = per_network(record, case, who)
    return None if seconds is None else seconds / case.work.epochs


def peak(record: Record) -> tuple[str, float] | None:
    """Return the library with the fastest large product and its operations per second."""
    speeds = {name: record.median(f"6/{name}", "flops_per_second") for name in ("numpy", "jax", "torch")}
    known = {name: speed for name, speed in speeds.items() if speed is not None}
    return max(known.items(), key=lambda pair: pair[1]) if known else None


def share_of_peak(record: Record, case: Case, who: str) -> float | None:
    """Return the speed of a training over the speed of a large product."""
    best, seconds = peak(record), per_network(record, case, who)
    return None if best is None or seconds is None else flops(case.work) / seconds / best[1]


def label_of(who: str) -> str:
    """Return how a peer is called in tables."""
    return {**PEERS, **SHOALS}[who].label


def engine_label(name: str) -> str:
    """Return how an engine of shoal is called in words."""
    return "XLA engine" if name == "xla" else f"{name} engine"


def losses(record: Record, cases: list[Case]) -> list[tuple[Case, Rival]]:
    """Return where shoal's training takes longer than that of the best peer."""
    rivals = [(case, best_peer(record, case)) for case in cases]
    return [(case, rival) for case, rival in rivals if rival is not None and rival.ratio < 1.0]


def whole_search(record: Record, name: str, candidates: int) -> float | None:
    """Return the seconds of a peer's whole process if it tried all candidates, extrapolated from those it tried."""
    taken, tried, wall = (record.median(name, field) for field in ("seconds", "candidates", "wall"))
    return None if taken is None or wall is None or not tried else wall + taken * (candidates / tried - 1.0)
