"""The figure of `docs/explanation/benchmarks.md`, drawn from the numbers of `summary`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from plan import ALONE, DENSE, TOGETHER, Scale
from record import Record
from shoal_side import NATIVE, XLA
from summary import (
    SHOAL,
    Case,
    best_peer,
    duel,
    engine_cases,
    label_of,
    map_cases,
    per_network,
    samples_per_second,
    side_by_side,
)

# Okabe and Ito's colours, which people with any colour vision can tell apart; shoal is black and thick
COLOURS = {
    SHOAL: "#000000",
    NATIVE: "#666666",
    XLA: "#666666",
    "keras_tensorflow": "#D55E00",
    "keras_jax": "#E69F00",
    "keras_torch": "#CC79A7",
    "torch_loop": "#0072B2",
    "torch_compile": "#0072B2",
    "torch_processes": "#0072B2",
    "torch_vmap": "#56B4E9",
    "sklearn": "#009E73",
    "sklearn_joblib": "#009E73",
    "jax_vmap": "#B8A900",
    "hyperoptax": "#B8A900",
}
MARKERS = {XLA: "x", "torch_compile": "x", "torch_processes": "^", "sklearn_joblib": "^", "hyperoptax": "x"}
MOST = 32.0  # ratios beyond this share the last colour


def draw(record: Record, scale: Scale, file: Path) -> None:
    """Write the figure: time per network, samples per second, the break-even maps, and those of the engines."""
    cells, engines = map_cases(scale.quick), engine_cases(scale.quick)
    rivals = {case: best_peer(record, case) for case in cells}
    found = {case: duel(record, case) for case in engines}
    against_peers = {case: rival.ratio for case, rival in rivals.items() if rival is not None}
    of_engines = {case: each.ratio for case, each in found.items() if each is not None}
    notes, dense = side_by_side(2, "notes", scale.notes, scale.populations), side_by_side(4, "dense", DENSE, (1, 8))
    measured = any(_own(record, case, who) for case in dense for who in COLOURS)
    heights = {"upper": 1.25, **({"middle": 1.0} if against_peers else {}), **({"lower": 1.3} if of_engines else {})}
    with matplotlib.rc_context({"svg.hashsalt": "shoal", "font.size": 9, "svg.fonttype": "path"}):
        figure = Figure(figsize=(10.5, 3.4 * sum(heights.values())), layout="constrained")
        parts = figure.subfigures(len(heights), 1, height_ratios=list(heights.values()), squeeze=False)[:, 0]
        rows = dict(zip(heights, parts, strict=True))
        axes = rows["upper"].subplots(1, 1 + measured, squeeze=False)[0]
        _time_per_network(axes[0], record, notes)
        if measured:
            _samples(axes[1], record, dense)
        if against_peers:
            _maps(rows["middle"], cells, against_peers, "Break-even", "best peer's time over shoal's, training alone")
        if of_engines:
            _maps(rows["lower"], engines, of_engines, "Engines", "XLA's time over native's, training alone")
        figure.savefig(file, metadata={"Date": None})


def _time_per_network(axes: Any, record: Record, cases: list[Case]) -> None:
    for who in (*ALONE, *TOGETHER, NATIVE, XLA, SHOAL):
        pairs = [(case.population, per_network(record, case, who)) for case in cases if _own(record, case, who)]
        if not pairs:
            continue
        populations, seconds = zip(*pairs, strict=True)
        style = {"color": COLOURS[who], "marker": MARKERS.get(who, "o"), "markersize": 4, "label": label_of(who)}
        width = 2.5 if who == SHOAL else 1.2
        axes.plot(populations, 1e3 * np.array(seconds), linewidth=width, **style)
    axes.set(xscale="log", yscale="log", xlabel="networks trained together", ylabel="milliseconds per network")
    axes.set_title("The notes' network, training alone", loc="left")
    if axes.lines:
        axes.legend(fontsize=7, frameon=False, ncols=2)


def _own(record: Record, case: Case, who: str) -> bool:
    return bool(record.values(case.label(who, case.population)))


def _samples(axes: Any, record: Record, cases: list[Case]) -> None:
    rows = [(who, case) for case in cases for who in (SHOAL, NATIVE, XLA, *ALONE, *TOGETHER) if _own(record, case, who)]
    for place, (who, case) in enumerate(rows):
        speed = samples_per_second(record, case, who) or 0.0
        axes.barh(place, speed, color=COLOURS[who], hatch="//" if case.population > 1 else None, edgecolor="white")
    axes.set_yticks(range(len(rows)), [f"{label_of(who)}, {case.population}" for who, case in rows], fontsize=7)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("rows per second, all networks together")
    axes.set_title("Dense 64-256-256-256-10, one network and eight", loc="left")


def _maps(figure: Any, cases: list[Case], ratios: dict[Case, float], title: str, label: str) -> None:
    """Draw ratios by width and population, a map for each batch size."""
    batches = list(dict.fromkeys(case.work.batch_size for case in cases))
    axes = figure.subplots(1, len(batches), squeeze=False)[0]
    for each, batch in zip(axes, batches, strict=True):
        own = [case for case in cases if case.work.batch_size == batch]
        shown = _map(each, own, ratios)
        each.set_title(f"{title}, batch of {batch}", loc="left")
    figure.colorbar(shown, ax=axes, extend="both").set_label(label)


def _map(axes: Any, cases: list[Case], known: dict[Case, float]) -> Any:
    widths = sorted({case.work.hidden[0] for case in cases})
    populations = sorted({case.population for case in cases})
    ratios = np.full((len(widths), len(populations)), np.nan)
    for case in cases:
        place = widths.index(case.work.hidden[0]), populations.index(case.population)
        ratios[place] = known.get(case, np.nan)
    shown = axes.pcolormesh(ratios, cmap="PuOr", norm=LogNorm(1.0 / MOST, MOST), edgecolors="white")
    for (row, column), ratio in np.ndenumerate(ratios):
        dark = np.isfinite(ratio) and abs(np.log(ratio)) > np.log(8.0)
        text = f"{ratio:.2g}" if np.isfinite(ratio) else "–"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(np.arange(len(populations)) + 0.5, [f"{each:,}" for each in populations])
    axes.set_yticks(np.arange(len(widths)) + 0.5, [str(each) for each in widths])
    axes.set(xlabel="networks", ylabel="units of each hidden layer")
    return shown
