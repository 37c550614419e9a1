"""The rows of *In one look*, each as a ratio, and the targets of the native engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plan import DENSE, Scale
from record import Record
from shoal_side import NATIVE
from summary import (
    SHOAL,
    best_peer,
    convolution_cases,
    label_of,
    lstm_cases,
    per_epoch,
    samples_per_second,
    share_of_peak,
    side_by_side,
    small_convolution_case,
    whole_search,
)
from text import NONE, count, percent, seconds, times, whole

TORCH_ALONE = ("torch_loop", "torch_channels_last")
Row = tuple[str, str, str, str]


@dataclass(frozen=True)
class Target:
    """A number to reach: what is measured, what it has to be at least or at most, and what is aimed at."""

    what: str
    measured: float | None
    floor: float
    aim: float
    show: Callable[[float | None], str]

    @property
    def reached(self) -> str:
        """What of it was reached."""
        if self.measured is None:
            return "–"
        sign = 1.0 if self.aim > self.floor else -1.0  # of numbers that are to be small, the aim is below the floor
        for name in ("aim", "floor"):
            if sign * (self.measured - getattr(self, name)) >= 0.0:
                return name
        return "**nothing**"

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """The target as a row of a table."""
        return self.what, *(self.show(each) for each in (self.measured, self.floor, self.aim)), self.reached


def native_targets(record: Record, scale: Scale) -> list[Target]:
    """Return the targets of the native engine."""
    return [*_fits(record), *_ratios(record, scale), *_shares(record, scale)]


def _fits(record: Record) -> list[Target]:
    """Return those of whole commands, in seconds."""
    named = {
        "digits": ("`shoal fit`, images of 8 × 8, page included", 8.0, 4.0),
        "gunpoint": ("`shoal fit`, 50 series of 150 steps (GunPoint), page included", 8.0, 4.0),
        "mnist": ("`shoal fit`, 5,000 images of 28 × 28, page included", 90.0, 45.0),
        "million": ("`shoal fit`, 1,000,000 rows × 20, 16 networks, 3 epochs, from a CSV file", 60.0, 30.0),
    }
    targets = [Target(what, record.median(f"11/{name}"), *numbers, seconds) for name, (what, *numbers) in named.items()]
    programs = [record.median(f"11/{name}", "programs") for name in named]
    known = [each for each in programs if each is not None]
    million, single = record.median("11/million", "predict_seconds"), record.median("11/mnist", "single_seconds")
    return [
        *targets,
        Target("`shoal predict`, 1,000,000 rows × 20, from CSV to CSV", million, 8.0, 4.0, seconds),
        Target("one image of 28 × 28 predicted, after the first", single, 1e-3, 0.2e-3, seconds),
        Target("programs compiled in these fits", sum(known) if known else None, 0.0, 0.0, whole),
    ]


def _ratios(record: Record, scale: Scale) -> list[Target]:
    """Return those of training alone: milliseconds, and ratios to the best peer."""
    each = record.median(f"2/notes/1024/{NATIVE}")
    small = small_convolution_case(scale)
    over = [record.ratio(small.label(who, 1), small.label(SHOAL, small.population)) for who in TORCH_ALONE]
    known = [ratio * small.population for ratio in over if ratio is not None]
    targets = [
        Target("1,024 networks of the notes, per network", each and each / 1_024, 0.15e-3, 0.10e-3, seconds),
        Target(
            "16 convolutional networks with 8 and 16 filters, each, over PyTorch's one",
            min(known, default=None),
            20.0,
            50.0,
            times,
        ),
    ]
    floors = {"convolution": ((1.8, 2.4), (2.2, 3.0)), "LSTM": ((2.0, 3.0), (2.5, 4.0))}
    for name, cases in (("convolution", convolution_cases(scale)), ("LSTM", lstm_cases(scale))):
        for case, numbers in zip(cases, floors[name], strict=True):
            rival = best_peer(record, case)
            what = f"{name} × {case.population}, times as fast as the best peer"
            targets.append(Target(what, rival.ratio if rival else None, *numbers, times))
    return targets


def _shares(record: Record, scale: Scale) -> list[Target]:
    """Return those of the share of the machine's speed."""
    aims = {"convolution": 0.85, "LSTM": 0.7, "dense 256 × 3": 0.8}
    groups = zip(
        aims, (convolution_cases(scale), lstm_cases(scale), side_by_side(4, "dense", DENSE, (1, 8))), strict=True
    )
    return [
        Target(
            f"{name} × {case.population}, share of the machine's speed",
            share_of_peak(record, case, SHOAL),
            0.6,
            0.85 if name.startswith("dense") and case.population > 1 else aims[name],
            percent,
        )
        for name, cases in groups
        for case in cases
    ]


def target_rows(record: Record, scale: Scale) -> list[Row]:
    """Return what, measured, compared with, ratio."""
    one_look = (
        _notes(record),
        _programs(record),
        _searches(record, scale),
        _dense(record),
        _layered(record, scale),
        _starts(record),
    )
    return [row for rows in one_look for row in rows if not row[1].startswith(NONE)]


def _notes(record: Record) -> list[Row]:
    many = 1_024
    mine, sklearn, keras = (f"2/notes/{n}/{who}" for n, who in ((many, SHOAL), (1, "sklearn"), (1, "keras_tensorflow")))
    per_network = record.ratio(keras, mine)
    one = record.median(mine)
    return [
        (
            f"{many:,} networks of the notes, training, against scikit-learn training one",
            seconds(one),
            seconds(record.median(sklearn)),
            times(record.ratio(mine, sklearn)) + " its time",
        ),
        (
            "one network of those, against Keras on TensorFlow",
            seconds(None if one is None else one / many),
            seconds(record.median(keras)),
            _faster(None if per_network is None else per_network * many),
        ),
    ]


def _programs(record: Record) -> list[Row]:
    keras = "1/keras_tensorflow"
    rows = []
    for name, label in (("notes", "notes' program by flags"), ("default", "`shoal fit iris`")):
        for field, cache in (("wall", "empty"), ("warm_wall", "warm")):
            mine = f"1/shoal_{name}"
            ratio = record.ratio(keras, mine, ("wall", field))
            what = f"{label}, whole command with page, {cache} cache, against the notes' program in Keras on TensorFlow"
            rows.append((what, seconds(record.median(mine, field)), seconds(record.median(keras)), _faster(ratio)))
    return rows


def _faster(ratio: float | None) -> str:
    return "–" if ratio is None else times(ratio) + " as fast"


def _searches(record: Record, scale: Scale) -> list[Row]:
    rows = []
    for data in scale.sets:
        mine = f"3/{data}/shoal"
        programs = count(record.median(mine, "programs"))
        how = "native engine" if record.word(mine, "engine") == "native" else f"{programs} programs"
        taken = f"{seconds(record.median(mine, 'wall'))}, warm {seconds(record.median(mine, 'warm_wall'))}"
        what = f"mixed search of {scale.candidates:,} on {data}, {how}, against RandomizedSearchCV"
        peer = f"3/{data}/sklearn_search"
        whole = whole_search(record, peer, scale.candidates)
        wall = record.median(mine, "wall")
        ratio = None if whole is None or wall is None else whole / wall
        rows.append((what, taken, seconds(whole), _faster(ratio)))
    return rows


def _dense(record: Record) -> list[Row]:
    rows = []
    cases = side_by_side(4, "dense", DENSE, (1, 8))
    for case in cases:
        rival = best_peer(record, case)
        theirs = None if rival is None else samples_per_second(record, case, rival.who)
        who = "" if rival is None else f" ({label_of(rival.who)})"
        what = f"dense 64-256-256-256-10 × {case.population}, rows per second, against the best peer{who}"
        mine = samples_per_second(record, case, SHOAL)
        rows.append((what, count(mine), count(theirs), _faster(None if rival is None else rival.ratio)))
    share = share_of_peak(record, cases[-1], SHOAL)
    return [*rows, ("share of the machine's peak for the eight", percent(share), "", "")]


def _layered(record: Record, scale: Scale) -> list[Row]:
    rows = []
    cases = [("convolution", case) for case in convolution_cases(scale)]
    cases += [("LSTM", case) for case in lstm_cases(scale)]
    for name, case in cases:
        rival = best_peer(record, case)
        theirs = None if rival is None else per_epoch(record, case, rival.who)
        who = "" if rival is None else f" ({label_of(rival.who)})"
        what = f"{name} × {case.population}, time per epoch and network, against the best peer{who}"
        mine = per_epoch(record, case, SHOAL)
        rows.append((what, seconds(mine), seconds(theirs), _faster(None if rival is None else rival.ratio)))
    share = share_of_peak(record, convolution_cases(scale)[-1], SHOAL)
    return [*rows, ("share of the machine's peak for the eight convolutional ones", percent(share), "", "")]


def _starts(record: Record) -> list[Row]:
    bare = record.median("9/python")
    return [
        (f"`{words}`, beside a bare Python", seconds(record.median(f"9/{name}")), seconds(bare), "")
        for name, words in (("import", "import shoal"), ("help", "shoal --help"))
    ]
