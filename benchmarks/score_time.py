"""Test score against processor time, for each strategy of the search and its peers.

    python benchmarks/score_time.py --sizes 4 16 64 --limit 120 --peers CatBoost LightGBM --out score_time
    python benchmarks/score_time.py --print --draw --out score_time

Every strategy trains 4, 16, 64, ... candidates, each number a fit of its own without the page, as long as the next is
likely to take at most `--limit` processor seconds; a peer is one fit by its defaults. Each finished fit is one line of
`score_time/scores.jsonl`; a repeated call goes on where it was. Seconds are of all threads of the process, after a
first fit of another table that loads what is loaded once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from collection import COLLECTION, DECISIONS, HALVES, HELD_BACK
from learners import LEARNERS
from ranks import losses, paired, ranks, score
from tables import TABLES

STRATEGIES: dict[str, dict[str, Any]] = {
    "random": {"search": "random", "cv": "none"},
    "halving": {"search": "halving", "cv": "none"},
    "hyperband": {"search": "hyperband", "cv": "none"},
    "evolution": {"search": "evolution", "cv": "none"},
    "surrogate": {"search": "surrogate", "cv": "none"},
    "random, folds": {"search": "random", "cv": 5},
    "halving, folds": {"search": "halving", "cv": 5},
}
"""Options of each; `halving, folds` is the default where tables have up to 10,000 rows."""
TABLES_HERE = ("cars", "concrete", "vehicle", "german", "boston", "red_wine", "titanic", "vowel")
GROWTH = 3.0  # a fit of four times as many candidates takes at least so many times as long
TIMES = (10.0, 20.0, 60.0)
DEFAULT, WITH_FOLDS, BESIDE, REFERENCE = "halving, folds", "random, folds", "random", "CatBoost"
EARLIEST, LATEST, LOWEST, HIGHEST = 0.012, 150.0, 0.75, 1.4  # what the figure shows; beyond it the number is told
FIGURE = Path(__file__).parent.parent / "docs" / "explanation" / "score_time.svg"
COLOURS = {  # Okabe and Ito's, which people with any colour vision can tell apart
    "random": "#000000",
    "halving": "#D55E00",
    "hyperband": "#0072B2",
    "evolution": "#009E73",
    "surrogate": "#CC79A7",
}
Line = dict[str, Any]


def networks_of(line: Line) -> int:
    """Return how many candidates a fit trained; a peer has none."""
    return line["options"]["networks"] if line["options"] else 0


def too_long(lines: Sequence[Line], table: str, method: str, seed: int, limit: float) -> bool:
    """Return whether a larger fit than those so far would likely take longer than the limit."""
    mine = [line for line in lines if (line["table"], line["method"], line["seed"]) == (table, method, seed)]
    return any(GROWTH * line["seconds"]["cpu"] > limit for line in mine)


def wanted(given: argparse.Namespace) -> Iterator[tuple[str, str, dict[str, Any] | None, int]]:
    """Yield table, method, options of shoal or None, and seed: small fits of all tables and methods come first."""
    strategies = [
        (name, {**STRATEGIES[name], "networks": n, "page": False}) for n in given.sizes for name in given.methods
    ]
    for seed in range(given.seeds):
        for method, options in (*strategies, *((name, None) for name in given.peers)):
            for table in given.tables:
                yield table, method, options, seed


def measure(given: argparse.Namespace, file: Path) -> None:
    """Make the fits that are asked for and not yet in the file."""
    lines, warm = read_lines(file), set()
    done = {(line["table"], line["method"], networks_of(line), line["seed"]) for line in lines}
    for table, method, options, seed in wanted(given):
        networks = options["networks"] if options else 0
        if (table, method, networks, seed) in done or (options and too_long(lines, table, method, seed, given.limit)):
            continue
        if method not in warm:
            score(TABLES["iris"], method, 0, options and {**options, "networks": 8})
            warm.add(method)
        line = score(COLLECTION[table], method, seed, options)
        lines.append(line)
        with file.open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        print(f"{table}, {method}, {networks or 'peer'}: {line['seconds']} {line['scores']}", flush=True)


def within(lines: Sequence[Line], seconds: float) -> list[Line]:
    """Return of each method, table and seed the fit of most candidates that took no longer."""
    best: dict[tuple[str, str, int], Line] = {}
    for line in sorted(lines, key=networks_of):
        if line["seconds"]["cpu"] <= seconds:
            best[line["method"], line["table"], line["seed"]] = line
    return list(best.values())


def common(lost: dict[str, dict[str, float]], methods: Sequence[str], half: str | None) -> list[str]:
    """Return the tables, of a half or of both, that all these methods have been fitted on."""
    seen = [table for table in COLLECTION if all(table in lost.get(method, {}) for method in methods)]
    return [table for table in seen if half in (None, HALVES[table])]


def ratio(mine: dict[str, float], other: dict[str, float], tables: Sequence[str]) -> tuple[float, float]:
    """Return the geometric mean of the ratios of the losses and its standard error."""
    logs = np.log([mine[table] / other[table] for table in tables])
    mean = float(np.exp(logs.mean()))
    return mean, mean * float(logs.std(ddof=1) / np.sqrt(len(logs)))


def markdown(lines: Sequence[Line], times: Sequence[float] = TIMES) -> str:
    """Return for each time all methods on the tables on which each strategy had finished a fit by then."""
    rows = []
    best = losses([line for line in lines if line["method"] == REFERENCE], 1)[REFERENCE]
    for seconds in times:
        chosen = within(lines, seconds)
        lost = losses(chosen, 1)
        strategies = [name for name in STRATEGIES if name in lost]
        tables = common(lost, strategies, None)
        methods = strategies + [name for name in LEARNERS if set(tables) <= set(lost.get(name, ()))]
        halves = [common(lost, methods, half) for half in (DECISIONS, HELD_BACK)]
        rank = ranks({name: lost[name] for name in methods}, tables)
        count = " and ".join(str(len(half)) for half in halves)
        rows += [
            "",
            f"| {seconds:.0f} s, {count} tables | candidates | rank | loss over {REFERENCE}'s, decisions | held back |"
            f" wins, losses, p beside `{BESIDE}` |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for name in methods:
            sizes = [networks_of(line) for line in chosen if line["method"] == name and line["table"] in tables]
            ratios = ["{:.2f} ± {:.2f}".format(*ratio(lost[name], best, half)) for half in halves]
            won, behind, _, p = paired(lost[name], lost[BESIDE], tables)
            beside = "" if name == BESIDE else f"{won}, {behind}, {p:.2g}"
            size = f"{np.median(sizes):.0f}" if max(sizes) else ""
            rows.append(f"| {name} | {size} | {rank[name]:.2f} | {' | '.join(ratios)} | {beside} |")
    return "\n".join(rows[1:])


def equal_sizes(lines: Sequence[Line]) -> str:
    """Return the table of fits of the most candidates: loss and time over those of a draw at random of as many."""
    size = max(map(networks_of, lines))
    of_size = [line for line in lines if networks_of(line) == size]
    lost = losses(of_size, 1)
    taken = {name: {x["table"]: x["seconds"]["cpu"] for x in of_size if x["method"] == name} for name in lost}
    rows = [
        f"| {size} candidates | beside | tables | loss over its | processor time over its | wins, losses, p |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in [name for name in STRATEGIES if name in lost and name != BESIDE]:
        beside = WITH_FOLDS if name.endswith("folds") and name != WITH_FOLDS else BESIDE
        if beside not in lost:
            continue
        tables = common(lost, [name, beside], None)
        loss, time = (ratio(of[name], of[beside], tables) for of in (lost, taken))
        won, behind, _, p = paired(lost[name], lost[beside], tables)
        numbers = f"{loss[0]:.3f} ± {loss[1]:.3f} | {time[0]:.2f} ± {time[1]:.2f} | {won}, {behind}, {p:.2g}"
        rows.append(f"| {name} | {beside} | {len(tables)} | {numbers} |")
    return "\n".join(rows)


def draw(lines: Sequence[Line], file: Path) -> None:
    """Write the figure: for each half, the loss over CatBoost's by processor seconds."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    with matplotlib.rc_context({"svg.hashsalt": "shoal", "font.size": 9, "svg.fonttype": "path"}):
        figure, panels = plt.subplots(1, 2, figsize=(10.5, 5.4), sharex=True, sharey=True, layout="constrained")
        for axes, half in zip(panels, (DECISIONS, HELD_BACK), strict=True):
            _panel(axes, [line for line in lines if HALVES[line["table"]] == half])
            tables = {line["table"] for line in lines if HALVES[line["table"]] == half}
            axes.set_title(f"{len(tables)} tables {'for ' if half == DECISIONS else ''}{half}", loc="left")
        panels[0].set_ylabel(f"loss over {REFERENCE}'s, geometric mean")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        figure.savefig(file, metadata={"Date": None})


def _panel(axes: Any, lines: list[Line]) -> None:
    tables = {line["table"] for line in lines}
    best = losses([line for line in lines if line["method"] == REFERENCE], 1)[REFERENCE]
    found: dict[str, list[tuple[float, float]]] = {}
    for name, size in sorted({(line["method"], networks_of(line)) for line in lines}):
        mine = [line for line in lines if (line["method"], networks_of(line)) == (name, size)]
        if {line["table"] for line in mine} == tables:
            seconds = np.exp(np.mean(np.log([line["seconds"]["cpu"] for line in mine])))
            found.setdefault(name, []).append((float(seconds), ratio(losses(mine, 1)[name], best, sorted(tables))[0]))
    for name in [name for name in STRATEGIES if name in found]:
        folds = "folds" in name
        style = {"linestyle": "--" if folds else "-", "linewidth": 2.2 if BESIDE in name else 1.4, "marker": "o"}
        style |= {"markersize": 5, "markerfacecolor": "white" if folds else None}
        label = name + " (default)" * (name == DEFAULT)
        axes.plot(*zip(*found[name], strict=True), color=COLOURS[name.split(",")[0]], label=label, **style)
    for name in [name for name in LEARNERS if name in found]:
        x, y = found[name][0]
        outside = y > HIGHEST
        axes.plot(x, min(y, HIGHEST), "^" if outside else "s", color="0.35", markersize=5, clip_on=False)
        text = f"{name}, {y:.2f}" if outside else name
        place = (0, -12) if outside else (-6, -3)
        side = "center" if outside else "right"
        axes.annotate(text, (x, min(y, HIGHEST)), xytext=place, textcoords="offset points", ha=side, fontsize=8)
    axes.axhline(1.0, color="0.8", linewidth=0.8, zorder=0)
    axes.set(
        xscale="log",
        xlabel="processor seconds of a fit, geometric mean",
        xlim=(EARLIEST, LATEST),
        ylim=(LOWEST, HIGHEST),
    )
    axes.xaxis.set_major_formatter("{x:g}")


def read_lines(file: Path) -> list[Line]:
    """Return the fits so far."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=list(COLLECTION), default=TABLES_HERE, metavar="NAME")
    parser.add_argument("--methods", nargs="*", choices=list(STRATEGIES), default=list(STRATEGIES), metavar="NAME")
    parser.add_argument("--peers", nargs="*", choices=list(LEARNERS), default=[], metavar="NAME")
    parser.add_argument("--sizes", nargs="*", type=int, default=[], help="numbers of candidates, rising")
    parser.add_argument("--limit", type=float, default=120.0, help="processor seconds of a fit")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("score_time"), help="folder for the scores")
    parser.add_argument("--print", action="store_true", dest="shown", help="the tables of the page")
    parser.add_argument("--draw", type=Path, nargs="?", const=FIGURE, help="the figure of the page")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "scores.jsonl"
    measure(given, file)
    lines = [line for line in read_lines(file) if line["table"] in given.tables]
    if given.shown:
        print(markdown(lines), equal_sizes(lines), sep="\n\n")
    if given.draw:
        draw(lines, given.draw)


if __name__ == "__main__":
    main()
