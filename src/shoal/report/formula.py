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


def formula_rows(formulas: Formulas) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head and the rows of the table of formulas, the one that is taken marked."""
    label = METRICS[formulas.metric].label
    scores = [f"{label} on {rows:,} {part} rows [95 %]" for part, rows in formulas.rows.items()]
    rows = [
        (
            "●" if place == formulas.taken else "",
            str(formula.complexity),
            number(formula.misfit, 2),
            *(interval(formula.scores[part]) for part in formulas.rows),
            formula.text,
        )
        for place, formula in enumerate(formulas.formulas)
    ]
    ensemble = ("", "", "", *(interval(formulas.ensemble[part]) for part in formulas.rows), "the ensemble")
    return ("", "complexity", "misfit [σ]", *scores, formulas.what), [*rows, ensemble]


def table(formulas: Formulas) -> dict[str, Any]:
    """Return the numbers of all formulas, one row for each."""
    columns: dict[str, Any] = {
        "complexity": [formula.complexity for formula in formulas.formulas],
        "misfit": [formula.misfit for formula in formulas.formulas],
    }
    for part in formulas.rows:
        for word, scores in (("", "scores"), ("_minus_ensemble", "beside")):
            intervals = [getattr(formula, scores)[part] for formula in formulas.formulas]
            name = f"{formulas.metric}_{part}{word}"
            columns |= {name: [i.value for i in intervals], f"{name}_low": [i.low for i in intervals]}
            columns[f"{name}_high"] = [i.high for i in intervals]
    columns["taken"] = [place == formulas.taken for place in range(len(formulas.formulas))]
    texts = {name: [getattr(formula, name) for formula in formulas.formulas] for name in ("text", "latex", "numpy")}
    return {**columns, **texts}


def write_formulas(formulas: Formulas, folder: Path) -> Path:
    """Write `formula.json`, `front.csv` and the figure into a folder, and return it.

    Raises:
        RunError: a file cannot be written.
    """
    from shoal.report.figures import formula, publish_numbers
    from shoal.report.figures.export import save_table

    write_atomically(folder / f"{NAME}.json", json_text({"format": FORMAT, **formulas.as_dict()}))
    save_table(table(formulas), folder, "front")
    publish_numbers({NAME: formula.numbers(formulas)}, folder)
    return folder
