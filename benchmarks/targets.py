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
    engine_cases,
    engine_label,
    label_of,
    lstm_cases,
    per_epoch,
    samples_per_second,
    share_of_peak,
    side_by_side,
    whole_search,
)
from text import NONE, count, percent, seconds, times

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
        sign = 1.0 if self.aim > self.floor else -1.0
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
    many = 1_024
    notes, keras = f"2/notes/{many}/{NATIVE}", record.ratio("2/notes/1/keras_tensorflow", f"2/notes/{many}/{NATIVE}")
    each = record.median(notes)
    search, fit, program = "3/iris/shoal", "1/shoal_default", "1/shoal_plain"
    beside = record.ratio(program, "1/sklearn", ("wall", "wall"))
    targets = [
        Target(f"{many:,} networks of the notes, per network", each and each / many, 0.35e-3, 0.15e-3, seconds),
        Target("the same, times as fast as Keras on TensorFlow", keras and keras * many, 60_000.0, 150_000.0, times),
        Target(
            f"mixed search of {scale.candidates:,} on iris, whole command, nothing cached{_by(record, search)}",
            record.median(search, "wall"),
            12.0,
            5.0,
            seconds,
        ),
        Target(
            f"`shoal fit iris`, whole command with page, nothing cached{_by(record, fit)}",
            record.median(fit, "wall"),
            5.0,
            3.0,
            seconds,
        ),
        Target(
            f"notes' program by flags, whole command without page, over scikit-learn's{_by(record, program)}",
            beside,
            1.5,
            1.0,
            times,
        ),
    ]
    for case in engine_cases(scale.quick):
        width, batch = case.work.hidden[0], case.work.batch_size
        if width in (32, 64) and batch == 32 and case.population == 128:
            what = f"128 networks 16-{width}-{width}-10 in batches of {batch}, share of the machine's peak"
            targets.append(Target(what, share_of_peak(record, case, NATIVE), 0.25, 0.5, percent))
    return targets


def _by(record: Record, name: str) -> str:
    engine = record.word(name, "engine")
    return f" ({engine_label(engine)})" if engine else ""


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
