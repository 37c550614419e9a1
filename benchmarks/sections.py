"""The tables of the page, one function for each workload."""

from __future__ import annotations

from peers import SEARCHES
from plan import Scale
from record import Record
from summary import (
    SHOAL,
    Case,
    best_peer,
    label_of,
    losses,
    measured_at,
    peak,
    per_epoch,
    per_network,
    samples_per_second,
    share_of_peak,
    whole_search,
)
from text import count, percent, seconds, table, times


def whole_section(record: Record, scale: Scale) -> str:
    """Return the seconds of whole processes, from the start of the interpreter to its end."""
    rows = []
    for who in ("keras_tensorflow", "keras_jax", "keras_torch", "torch_loop", "sklearn"):
        rows.append((label_of(who), *_wall(record, f"1/{who}"), ""))
    commands = {
        "shoal_notes": "`shoal fit iris` with the notes' flags",
        "shoal_default": "`shoal fit iris`",
        "shoal_200": "`shoal fit iris --networks 200`",
    }
    for name, label in commands.items():
        warm = seconds(record.median(f"1/{name}", "warm_wall"))
        rows.append((label, *_wall(record, f"1/{name}"), warm))
    epochs = scale.notes.epochs
    words = (
        f"Seconds from the start of the interpreter to its end, {epochs} epochs. shoal reads, splits, trains, chooses, "
        "evaluates with intervals and baselines, and writes its page; the others train, and Keras tests."
    )
    return words + "\n\n" + table(("program", "seconds", "lowest to highest", "with a warm cache"), rows)


def _wall(record: Record, name: str) -> tuple[str, str]:
    values = record.values(name, "wall").values()
    if not values:
        return record.why_not(name), ""
    return seconds(record.median(name, "wall")), f"{seconds(min(values))} to {seconds(max(values))}"


UNITS = {4: "rows", 7: "epoch", 8: "epoch"}
SHOWN = {
    "network": "Time per network",
    "rows": "Rows per second of all networks together",
    "epoch": "Time per epoch and network",
}


def layered_section(record: Record, cases: list[Case], words: str) -> str:
    """Return the comparison of networks with layers before the dense ones, and the ratio and share of each case."""
    rows = []
    for case in cases:
        rival, share = best_peer(record, case), percent(share_of_peak(record, case, SHOAL))
        if rival is None:
            continue
        who = label_of(rival.who) + (" ×" if rival.measured != case.population else "")
        rows.append((f"{case.population}", who, times(rival.ratio), times(rival.ratio_with_compiling), share))
    head = ("networks", "best peer", "ratio", "with compiling", "share of the peak")
    return "\n\n".join((words, comparison(record, cases), table(head, rows)))


def comparison(record: Record, cases: list[Case]) -> str:
    """Return a row for each peer: time per network at each population, compile time, share of the peak, loss."""
    sizes = [f"{case.population:,}" for case in cases]
    kind = UNITS.get(cases[0].workload, "network")
    head = ["", *(f"{size} networks" if size != "1" else "one network" for size in sizes)]
    rows = []
    for who in (SHOAL, *cases[0].others):
        cells = [_cell(record, case, who, kind) for case in cases]
        rows.append((label_of(who), *cells, *_apart(record, cases, who)))
    words = (
        f"{SHOWN[kind]}, training alone. Compiling and the last validation loss are of the largest population measured."
    )
    return words + "\n\n" + table((*head, "compiling", "validation loss"), rows)


def _cell(record: Record, case: Case, who: str, kind: str) -> str:
    size = measured_at(record, case, who)
    if size is None:
        failed = record.why_not(case.label(who, case.population))
        return "failed" if failed != "not measured" else "–"
    shown = _in_unit(record, case, who, kind)
    return shown if size == case.population else f"{shown} ×"


def _in_unit(record: Record, case: Case, who: str, kind: str) -> str:
    if kind == "rows":
        return count(samples_per_second(record, case, who))
    return seconds(per_epoch(record, case, who) if kind == "epoch" else per_network(record, case, who))


def _apart(record: Record, cases: list[Case], who: str) -> tuple[str, str]:
    """Return the compile time and the last validation loss at the largest population that was measured."""
    for case in reversed(cases):
        size = measured_at(record, case, who)
        if size is not None:
            name = case.label(who, size)
            loss = record.median(name, "validation_loss")
            return seconds(record.median(name, "compile_seconds")), "–" if loss is None else f"{loss:.3f}"
    return record.why_not(cases[0].label(who, cases[0].population)), "–"


def search_section(record: Record, scale: Scale) -> str:
    """Return the seconds of a mixed search on each set."""
    rows = []
    for data in scale.sets:
        name = f"3/{data}/shoal"
        walls = (seconds(record.median(name, field)) for field in ("wall", "warm_wall"))
        cold, warm = walls
        programs, loss = count(record.median(name, "programs")), record.median(name, "validation_loss")
        rows.append((f"{data}: shoal, whole process", cold, warm, programs, count(scale.candidates), _loss(loss)))
        for who, search in SEARCHES.items():
            peer = f"3/{data}/{who}"
            tried, whole = record.median(peer, "candidates"), whole_search(record, peer, scale.candidates)
            shown = record.why_not(peer) if whole is None else seconds(whole)
            loss = record.median(peer, "validation_loss")
            rows.append((f"{data}: {search.label}", shown, "", "", count(tried), _loss(loss)))
    words = (
        f"{scale.candidates:,} candidates: one to three layers of 4 to 64 units, six activations, learning rate, L2, "
        "dropout and seed of their own, batches of 32. All times are of whole processes, those of peers extrapolated "
        "from the candidates that they tried."
    )
    head = ("set and search", "seconds", "warm cache", "programs", "tried", "best validation loss")
    return words + "\n\n" + table(head, rows)


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def map_section(record: Record, cells: list[Case]) -> str:
    """Return the ratios of the break-even map, and every cell in which shoal is slower."""
    rows = []
    for case in cells:
        rival = best_peer(record, case)
        if rival is None:
            continue
        who = label_of(rival.who) + (" ×" if rival.measured != case.population else "")
        numbers = per_network(record, case, SHOAL), rival.seconds / case.population
        ratios = times(rival.ratio), times(rival.ratio_with_compiling)
        sizes = f"{case.work.batch_size}", f"{case.work.hidden[0]}", f"{case.population:,}"
        rows.append((*sizes, *(seconds(each) for each in numbers), who, *ratios))
    lost = losses(record, cells)
    words = (
        "1,024 rows, 16 features, two hidden layers, ten classes. Ratios are the best peer's time over shoal's: above "
        f"one shoal is faster. shoal is slower in {len(lost)} of {len(rows)} cells, training alone."
    )
    head = ("batch", "width", "networks", "shoal, per network", "best peer", "which", "ratio", "with compiling")
    return words + "\n\n" + table(head, rows)


def peak_section(record: Record, cases: list[Case]) -> str:
    """Return the share of the peak of shoal and of the best peer."""
    best = peak(record)
    if best is None:
        return "The peak was not measured."
    rows = []
    for case in cases:
        rival = best_peer(record, case)
        if rival is None:
            continue
        what = f"{case.name} (batch {case.work.batch_size}) × {case.population:,}"
        mine, theirs = share_of_peak(record, case, SHOAL), share_of_peak(record, case, rival.who)
        rows.append((what, percent(mine), percent(theirs), label_of(rival.who)))
    words = f"A large float32 product reaches {best[1] / 1e9:.0f} GFLOP/s, by {best[0]}."
    return words + "\n\n" + table(("work", "shoal", "best peer", "which"), rows)


def starts_section(record: Record) -> str:
    """Return how long shoal takes to start."""
    labels = {"python": "`python -c pass`", "import": '`python -c "import shoal"`', "help": "`shoal --help`"}
    return table(("command", "seconds"), [(text, seconds(record.median(f"9/{name}"))) for name, text in labels.items()])
