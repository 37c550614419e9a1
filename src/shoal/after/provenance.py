"""Where predictions come from and in which units they are, for the files in which they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shoal.results import Task
from shoal.run import Run

_OF_ROW = ("prediction", "std", "low", "high", "total")
_PARTS = ("spread", "data_spread", "input_spread", "scatter", "noise")


def provenance_of(run: Run) -> dict[str, str]:
    """Return the run, the checksum of its model, the version of shoal and the command of the fit."""
    config = run.folder.config
    checksums = run.metrics.get("checksums", {})
    return {
        "run": run.name,
        "model": str(checksums.get("model/model.json", "")),
        "version": str(config["versions"].get("shoal", "")),
        "command": str(config["command"]),
    }


def units_of_answers(run: Run, names: Sequence[str]) -> Mapping[str, str]:
    """Return the units of the columns of predictions, which are those of the targets."""
    preparation = run.preparation
    if preparation.task is not Task.REGRESSION:
        return {}
    targets = preparation.targets
    suffixes = {"": targets[0]} if len(targets) == 1 else {f"_{target}": target for target in targets}
    known = {
        f"{part}{suffix}": preparation.units[target]
        for suffix, target in suffixes.items()
        if target in preparation.units
        for part in (*_OF_ROW, *_PARTS)
    }
    return {name: known[name.removeprefix("shoal_")] for name in names if name.removeprefix("shoal_") in known}
