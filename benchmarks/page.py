"""`docs/explanation/benchmarks.md` from the record: the targets, a table for each workload, and where shoal loses."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from figure import draw
from peers import PEERS, SEARCHES
from plan import CONVOLUTION, DENSE, HERE, LSTM, SETS, SMALL_CONVOLUTION, Scale
from record import Record
from sections import (
    comparison,
    engines_section,
    fits_section,
    layered_section,
    map_section,
    peak_section,
    search_section,
    starts_section,
    whole_section,
)
from summary import convolution_cases, engine_cases, lstm_cases, map_cases, side_by_side, small_convolution_case
from targets import native_targets, target_rows
from text import table

FIGURE = "benchmarks.svg"
IMAGES = (
    "Two convolutions of 3 × 3 with 32 and 64 filters, relu, each with a pooling of 2 × 2 behind it, and ten classes; "
    f"{CONVOLUTION.rows:,} images of 28 × 28 in batches of {CONVOLUTION.batch_size}."
)
SMALL_IMAGES = (
    "Two convolutions of 3 × 3 with 8 and 16 filters and a pooling of 2 × 2; "
    f"{SMALL_CONVOLUTION.rows:,} images of 8 × 8 in batches of {SMALL_CONVOLUTION.batch_size}."
)
SERIES = (
    f"An LSTM of 64 units and ten classes by its last state; {LSTM.rows:,} series of 100 steps and 8 channels in "
    f"batches of {LSTM.batch_size}."
)


def write_page(record: Record, scale: Scale, folder: Path) -> Path:
    """Write the page and its figure into a folder and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "benchmarks-quick.md" if scale.quick else "benchmarks.md"
    figure = name.replace(".md", ".svg")
    draw(record, scale, folder / figure)
    file = folder / name
    file.write_text(page(record, scale, figure), encoding="utf-8")
    return file


def page(record: Record, scale: Scale, figure: str = FIGURE) -> str:
    """Return the page as Markdown."""
    held_back: dict[str, str] = tomllib.loads((HERE / "remarks.toml").read_text(encoding="utf-8"))["held_back"]
    notes = side_by_side(2, "notes", scale.notes, scale.populations)
    dense = side_by_side(4, "dense", DENSE, (1, 8))
    images, series = convolution_cases(scale), lstm_cases(scale)
    cells, engines = map_cases(scale.quick), engine_cases(scale.quick)
    sections = {
        1: ("The notes' program as a whole process", whole_section(record, scale)),
        2: ("The notes' network, training alone", comparison(record, notes), _remark(held_back["notes"])),
        3: ("A mixed search", search_section(record, scale)),
        4: ("Dense 64-256-256-256-10", comparison(record, dense), _remark(held_back.get("dense", ""))),
        5: ("Where it pays", map_section(record, cells), _remark(held_back.get("map", ""))),
        6: ("Share of the machine's speed", peak_section(record, [*notes, *dense, *images, *series, *cells])),
        7: (
            "Convolution",
            layered_section(record, images, IMAGES),
            layered_section(record, [small_convolution_case(scale)], SMALL_IMAGES),
            _remark(held_back.get("convolution", "")),
        ),
        8: ("LSTM", layered_section(record, series, SERIES), _remark(held_back["lstm"])),
        9: ("Starting", starts_section(record)),
        10: ("Engines", engines_section(record, engines), _remark(held_back.get("engines", ""))),
        11: ("Whole commands on larger data", fits_section(record), _remark(held_back.get("fits", ""))),
    }
    measured = record.rounds
    parts = [
        _opening(record, scale),
        f"![Time per network, rows per second, where each is faster, and which engine is]({figure})",
        "## In one look",
        table(("what", "measured", "compared with", "ratio"), target_rows(record, scale)),
        "### Targets of the native engine",
        table(("what", "measured", "to reach", "aim", "reached"), [each.row for each in native_targets(record, scale)]),
    ]
    for number, (title, *texts) in sections.items():
        if number in measured or not measured:
            parts += [f"## {number}. {title}", *texts]
    kept = {"## 12. A row by an exported model": "exported.md", "## 13. The first row and the next": "latency.md"}
    for title, name in kept.items():
        if (HERE / name).exists():
            parts += [title, (HERE / name).read_text(encoding="utf-8").strip()]
    parts += ["## How it was measured", _method(record, scale)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(record: Record, scale: Scale) -> str:
    here = record.machine
    versions = ", ".join(f"{name} {version}" for name, version in here.get("versions", {}).items())
    by: dict[int, list[str]] = {}
    for workload, rounds in sorted(record.rounds.items()):
        by.setdefault(rounds, []).append(f"{workload}")
    turns = "; ".join(f"{n} round{'s' * (n > 1)} of section {', '.join(by[n])}" for n in sorted(by, reverse=True))
    kind = "**A quick look: short work, not for claims.** " if scale.quick else ""
    return (
        f"# Benchmarks\n\n{kind}Measured by `python benchmarks/run.py` on "
        f"{here.get('cores')} cores of {here.get('processor')}, {here.get('memory_gib')} GiB, {here.get('system')}, "
        f"Python {here.get('python')}; kernel of the native engine: {here.get('kernel')}.\n"
        f"Versions: {versions}.\nRounds: {turns}."
    )


def _remark(text: str) -> str:
    return f"What holds it back: {text}" if text else ""


def _method(record: Record, scale: Scale) -> str:
    others = sorted(line["others"] for line in record.lines if "others" in line)
    busy = ""
    if others:
        middle = others[len(others) // 2]
        busy = (
            f"Other programs took {middle:.0%} of the machine in the median measurement and {others[-1]:.0%} at most."
        )
    return "\n".join(f"- {line}" for line in (*METHOD, _absent(PEERS, SEARCHES), busy, _limit(scale)) if line)


METHOD = (
    "Every measurement is a process of its own. In a round all of a workload are made one after the other, in an "
    "order that turns from round to round; numbers are medians over rounds and ratios those of ratios within rounds.",
    "Everyone has the same cores, by affinity and by the usual thread variables, no GPU, float32, the same rows, "
    "epochs, batch size and Adam. Keras, PyTorch, JAX and shoal compute the validation loss after each epoch; shoal "
    "also keeps each network's best epoch; `MLPClassifier` does neither.",
    "shoal trains with the engine that it chooses; in the rows of its native and its XLA engine that one is forced. "
    "The native engine compiles nothing.",
    "Compile time is apart: of shoal and JAX what compiling takes with an empty cache; of Keras and PyTorch the "
    "first epoch less an average one; of joblib starting its processes. "
    "hyperoptax compiles while it searches, so its second search counts; shoal's and JAX's first training counts.",
    "Keras is used with `compile` and `fit` as by default. PyTorch has its rows in tensors, a fused Adam and one "
    "thread or one a core, whichever is faster. The populations of `torch.func`, JAX and hyperoptax share each batch, "
    "as shoal's do.",
    "A peer that trains one network at a time is measured with one; for more its time per network is taken as it is "
    "(with joblib: as measured with the most that were tried). Such numbers are marked ×.",
    "Floating-point operations are those of the kernels: 6 a weight, row and epoch, 4 in the first layer; of "
    "convolutions and LSTMs three times those of the way forward. The peak is the fastest float32 product of two "
    "2048 × 2048 matrices, of the fastest of NumPy, JAX and PyTorch.",
)


def _limit(scale: Scale) -> str:
    return (
        f"The searches of scikit-learn and KerasTuner try as many candidates as fit in {scale.limit:.0f} s; their time "
        f"for {scale.candidates:,} is extrapolated from those. `MLPClassifier` has four of the six activations and no "
        f"dropout. Sets: {', '.join(SETS)}."
    )


def _absent(*registries: dict[str, Any]) -> str:
    from peers.base import missing

    reasons: Callable[[Any], str | None] = lambda each: missing(each.needs)  # noqa: E731
    gone = [f"{each.label} ({reasons(each)})" for every in registries for each in every.values() if reasons(each)]
    return f"Left out: {', '.join(gone)}." if gone else ""
