"""The figure of `docs/benchmarks.md`, drawn from the numbers of `summary`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from plan import ALONE, DENSE, TOGETHER, Scale, map_sizes
from record import Record
from summary import SHOAL, Case, best_peer, label_of, map_cases, per_network, samples_per_second, side_by_side

# Okabe and Ito's colours, which people with any colour vision can tell apart; shoal is black and thick
COLOURS = {
    SHOAL: "#000000",
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
MARKERS = {"torch_compile": "x", "torch_processes": "^", "sklearn_joblib": "^", "hyperoptax": "x"}
MOST = 32.0  # ratios beyond this share the last colour


def draw(record: Record, scale: Scale, file: Path) -> None:
    """Write the figure: time per network, samples per second, and the break-even maps."""
    batches = map_sizes(scale.quick)[1]
    with matplotlib.rc_context({"svg.hashsalt": "shoal", "font.size": 9, "svg.fonttype": "path"}):
        figure = Figure(figsize=(10.5, 8.2), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=(1.25, 1.0))
        left, right = upper.subplots(1, 2)
        _time_per_network(left, record, side_by_side(2, "notes", scale.notes, scale.populations))
        _samples(right, record, side_by_side(4, "dense", DENSE, (1, 8)))
        axes = lower.subplots(1, len(batches), squeeze=False)[0]
        for each, batch in zip(axes, batches, strict=True):
            shown = _map(each, record, scale.quick, batch)
        bar = lower.colorbar(shown, ax=axes, extend="both")
        bar.set_label("best peer's time over shoal's, training alone")
        figure.savefig(file, metadata={"Date": None})


def _time_per_network(axes: Any, record: Record, cases: list[Case]) -> None:
    for who in (*ALONE, *TOGETHER, SHOAL):
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
    rows = [(who, case) for case in cases for who in (SHOAL, *ALONE, *TOGETHER) if _own(record, case, who)]
    for place, (who, case) in enumerate(rows):
        speed = samples_per_second(record, case, who) or 0.0
        axes.barh(place, speed, color=COLOURS[who], hatch="//" if case.population > 1 else None, edgecolor="white")
    axes.set_yticks(range(len(rows)), [f"{label_of(who)}, {case.population}" for who, case in rows], fontsize=7)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("rows per second, all networks together")
    axes.set_title("Dense 64-256-256-256-10, one network and eight", loc="left")


def _map(axes: Any, record: Record, quick: bool, batch: int) -> Any:
    widths, _, populations = map_sizes(quick)
    ratios = np.full((len(widths), len(populations)), np.nan)
    for case in map_cases(quick):
        rival = best_peer(record, case)
        if case.work.batch_size == batch and rival is not None:
            ratios[widths.index(case.work.hidden[0]), populations.index(case.population)] = rival.ratio
    shown = axes.pcolormesh(ratios, cmap="PuOr", norm=LogNorm(1.0 / MOST, MOST), edgecolors="white")
    for (row, column), ratio in np.ndenumerate(ratios):
        dark = np.isfinite(ratio) and abs(np.log(ratio)) > np.log(8.0)
        text = f"{ratio:.2g}" if np.isfinite(ratio) else "–"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(np.arange(len(populations)) + 0.5, [f"{each:,}" for each in populations])
    axes.set_yticks(np.arange(len(widths)) + 0.5, [str(each) for each in widths])
    axes.set(xlabel="networks", ylabel="units of each hidden layer")
    axes.set_title(f"Break-even, batch of {batch}", loc="left")
    return shown
