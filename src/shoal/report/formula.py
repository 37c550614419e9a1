"""Formulas as people read them: the table, and the files in the folder of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shoal.evaluation.formula.formulas import Formulas
from shoal.report.words import interval, number
from shoal.runs.documents import json_text
from shoal.runs.writing import write_atomically
from shoal.statistics.metrics import METRICS

FORMAT = 1
NAME = "formula"


def formula_rows(found: Formulas) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head and the rows of the table of formulas, the one that is taken marked."""
    label = METRICS[found.metric].label
    scores = [f"{label} on {rows:,} {part} rows [95 %]" for part, rows in found.rows.items()]
    rows = [
        (
            "●" if place == found.taken else "",
            str(one.complexity),
            number(one.misfit, 2),
            *(interval(one.scores[part]) for part in found.rows),
            one.text,
        )
        for place, one in enumerate(found.formulas)
    ]
    ensemble = ("", "", "", *(interval(found.ensemble[part]) for part in found.rows), "the ensemble")
    return ("", "complexity", "misfit [σ]", *scores, found.what), [*rows, ensemble]


def table(found: Formulas) -> dict[str, Any]:
    """Return the numbers of all formulas, one row for each."""
    columns: dict[str, Any] = {
        "complexity": [one.complexity for one in found.formulas],
        "misfit": [one.misfit for one in found.formulas],
    }
    for part in found.rows:
        for word, scores in (("", "scores"), ("_minus_ensemble", "beside")):
            own = [getattr(one, scores)[part] for one in found.formulas]
            name = f"{found.metric}_{part}{word}"
            columns |= {name: [s.value for s in own], f"{name}_low": [s.low for s in own]}
            columns[f"{name}_high"] = [s.high for s in own]
    columns["taken"] = [place == found.taken for place in range(len(found.formulas))]
    texts = {name: [getattr(one, name) for one in found.formulas] for name in ("text", "latex", "numpy")}
    return {**columns, **texts}


def write_formulas(found: Formulas, folder: Path) -> Path:
    """Write `formula.json`, `front.csv` and the figure into a folder, and return it.

    Raises:
        RunError: a file cannot be written.
    """
    from shoal.report.figures import FigureNumbers, formula, publish
    from shoal.report.figures.export import save_table

    write_atomically(folder / f"{NAME}.json", json_text({"format": FORMAT, **found.as_dict()}))
    save_table(table(found), folder, "front")
    publish({NAME: FigureNumbers(NAME, formula.numbers(found))}, folder)
    return folder
