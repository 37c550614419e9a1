"""`looks.json`: the looks at test rows of runs that another one replaced in their folder, with `--force`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from shoal.errors import RunError
from shoal.runs.documents import json_text, read_json
from shoal.runs.metrics_file import look_of_fit, read_metrics
from shoal.runs.writing import write_atomically

FORMAT = 1
NAME = "looks.json"


def read_replaced(folder: str | Path) -> dict[str, list[str]]:
    """Return the looks of the fits that were replaced, by the checksum of the test rows; of damaged files none."""
    with contextlib.suppress(RunError):
        if (Path(folder) / NAME).is_file():
            looks: Any = read_json(Path(folder) / NAME, FORMAT, "Remove it.").get("looks")
            return {str(rows): [str(look) for look in of_rows] for rows, of_rows in dict(looks or {}).items()}
    return {}


def keep_look(folder: str | Path) -> None:
    """Keep the look of a finished run that is about to be replaced; nothing else of it is left.

    Raises:
        RunError: the file cannot be written.
    """
    try:
        metrics = read_metrics(folder)
    except RunError:
        return
    rows, look = metrics.get("test_checksum"), look_of_fit(metrics)
    if rows and metrics.get("test_openings", 1) > 0:  # a run that diverged or is sealed did not look
        looks = read_replaced(folder)
        looks[rows] = sorted({*looks.get(rows, []), look})
        write_atomically(Path(folder) / NAME, json_text({"format": FORMAT, "looks": looks}))
