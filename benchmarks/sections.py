"""The tables of the page, one function for each workload."""

from __future__ import annotations

from collections.abc import Callable

from peers import SEARCHES
from plan import Scale
from record import Record
from summary import (
    SHOAL,
    Case,
    Duel,
    best_peer,
    duels,
    engine_label,
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
        rows.append((label_of(who), *_wall(record, f"1/{who}"), "", "", ""))
    commands = {
        "shoal_notes": "`shoal fit iris` with the notes' flags",
        "shoal_plain": "the same without the page",
        "shoal_default": "`shoal fit iris`",
        "shoal_200": "`shoal fit iris --networks 200`",
    }
    for name, label in commands.items():
        warm, page = (seconds(record.median(f"1/{name}", field)) for field in ("warm_wall", "report_seconds"))
        rows.append((label, *_wall(record, f"1/{name}"), warm, record.word(f"1/{name}", "engine") or "–", page))
    epochs = scale.notes.epochs
    words = (
        f"Seconds from the start of the interpreter to its end, {epochs} epochs. shoal reads, splits, trains, chooses, "
        "evaluates with intervals and baselines, and writes its page; the others train, and Keras and "
        "scikit-learn test. shoal trains with the engine that it chooses; its cache holds programs of the XLA "
        "engine alone."
    )
    head = ("program", "seconds", "lowest to highest", "with a warm cache", "engine", "of it writing the page")
    return words + "\n\n" + table(head, rows)


def _wall(record: Record, name: str, field: str = "wall") -> tuple[str, str]:
    values = record.values(name, field).values()
    if not values:
        return record.why_not(name), ""
    return seconds(record.median(name, field)), f"{seconds(min(values))} to {seconds(max(values))}"


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
    for who in (SHOAL, *cases[0].engines, *cases[0].others):
        cells = [_cell(record, case, who, kind) for case in cases]
        rows.append((label_of(who), *cells, *_apart(record, cases, who)))
    words = (
        f"{SHOWN[kind]}, training alone. Compiling and the last validation loss are of the largest population measured."
    )
    words += _choices(record, cases) if cases[0].engines else ""
    return words + "\n\n" + table((*head, "compiling", "validation loss"), rows)


def _choices(record: Record, cases: list[Case]) -> str:
    """Return by which engine the rows of shoal were measured, a sentence to append; the others force one."""
    by: dict[str, list[str]] = {}
    for case in cases:
        engine = record.word(case.label(SHOAL, case.population), "engine")
        if engine is not None:
            by.setdefault(engine, []).append(f"{case.population:,}")
    chosen = " and ".join(f"the {engine_label(engine)} for {_listed(sizes)}" for engine, sizes in by.items())
    return f" shoal chooses {chosen} {'network' if chosen.endswith(' 1') else 'networks'}." if by else ""


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


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
        engine = record.word(name, "engine")
        label = f"{data}: shoal{f', {engine_label(engine)}' if engine else ''}, whole process"
        rows.append((label, cold, warm, programs, count(scale.candidates), _loss(loss)))
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


def engines_section(record: Record, cases: list[Case]) -> str:
    """Return where either engine is faster, from which width on the XLA engine is, and where the choice is wrong."""
    found = duels(record, cases)
    if not found:
        return "The engines were not measured."
    words = (
        "1,024 rows, 16 features, two hidden layers, ten classes. Each cell names the engine that is faster in "
        "training alone, and by how much; in brackets with starting and compiling, nothing cached."
    )
    won = _wide(found, lambda each: f"{_winner(each.ratio)} ({_winner(each.whole_ratio)})")
    alone = _wide(found, lambda each: f"{seconds(each.native)}, {seconds(each.xla)}")
    between = "Seconds per network, training alone, by the native engine and by the XLA engine:"
    return "\n\n".join((words, won, wins_sentence(found), between, alone, _wrong_choices(found)))


def _winner(ratio: float) -> str:
    return f"native {times(ratio)}" if ratio >= 1.0 else f"XLA {times(1.0 / ratio)}"


def _wide(found: list[Duel], show: Callable[[Duel], str]) -> str:
    """Return a table with a row for each batch size and width, and a column for each population."""
    populations = sorted({each.case.population for each in found})
    cells = {(each.case.name, each.case.population): show(each) for each in found}
    rows = [
        (f"{batch}", f"{width}", *(cells.get((f"{width}x{batch}", n), "–") for n in populations))
        for batch, width in dict.fromkeys((each.case.work.batch_size, each.case.work.hidden[0]) for each in found)
    ]
    return table(("batch", "width", *(_networks(n) for n in populations)), rows)


def _networks(population: int) -> str:
    return "one network" if population == 1 else f"{population:,} networks"


def wins_sentence(found: list[Duel]) -> str:
    """Return in which cells the XLA engine is faster, as a sentence."""
    won = [each.case for each in found if each.ratio < 1.0]
    cells = [
        f"{_networks(case.population)} of width {case.work.hidden[0]} in batches of {case.work.batch_size}"
        for case in won
    ]
    where = f": {'; '.join(cells)}" if cells else ""
    return f"Training alone, the XLA engine is faster in {len(won)} of {len(found)} cells{where}."


def _wrong_choices(found: list[Duel]) -> str:
    """Return every cell in which `auto` takes the slower engine, and how close its estimates come."""
    wrong = sorted((each for each in found if each.lost > 1.0), key=lambda each: -each.lost)
    close = []
    for place, name in enumerate(("native", "XLA")):
        ratios = sorted(each.estimates[place] / each.whole[place] for each in found)
        middle = ratios[len(ratios) // 2]
        close.append(f"{name} engine {middle:.2g} ({ratios[0]:.2g} to {ratios[-1]:.2g})")
    words = (
        f"`auto` takes the slower engine, starting and compiling counted, in {len(wrong)} of {len(found)} cells. Its "
        f"estimates over what was measured, median and range: {', '.join(close)}."
    )
    rows = []
    for each in wrong:
        work, both = each.case.work, zip(each.estimates, each.whole, strict=True)
        pairs = (f"{seconds(estimate)}, {seconds(whole)}" for estimate, whole in both)
        sizes = f"{work.batch_size}", f"{work.hidden[0]}", f"{each.case.population:,}"
        rows.append((*sizes, each.chosen, *pairs, times(each.lost)))
    head = (
        "batch",
        "width",
        "networks",
        "taken",
        "native: estimated, measured",
        "XLA: estimated, measured",
        "longer by",
    )
    return "\n\n".join((words, *([table(head, rows)] if rows else [])))


def fits_section(record: Record) -> str:
    """Return the seconds of whole commands, and what they compiled and predict."""
    labels = {
        "digits": "`shoal fit digit_images`, 1,797 images of 8 × 8",
        "gunpoint": "`shoal fit` of GunPoint, 50 series of 150 steps",
        "mnist": "`shoal fit` of 5,000 images of 28 × 28",
        "million": "`shoal fit` of 1,000,000 rows × 20 in CSV, 16 networks, 3 epochs",
    }
    rows = [(text, *_wall(record, f"11/{name}", "seconds")) for name, text in labels.items()]
    predicted = "`shoal predict` of those 1,000,000 rows, CSV to CSV"
    rows += [(predicted, *_wall(record, "11/million", "predict_seconds"))]
    rows += [("one image of 28 × 28 in Python, after the first", *_wall(record, "11/mnist", "single_seconds"))]
    words = (
        "From the file to a written run with its page, by default but for what is named. Nothing is compiled in any of "
        "them."
        if not sum(record.median(f"11/{name}", "programs") or 0 for name in labels)
        else "From the file to a written run with its page, by default but for what is named."
    )
    return words + "\n\n" + table(("command", "seconds", "lowest to highest"), rows)


def starts_section(record: Record) -> str:
    """Return how long shoal takes to start."""
    labels = {"python": "`python -c pass`", "import": '`python -c "import shoal"`', "help": "`shoal --help`"}
    return table(("command", "seconds"), [(text, seconds(record.median(f"9/{name}"))) for name, text in labels.items()])
