"""The checksums of a run's files, which `metrics.json` keeps: they tell damage, and the file of another run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shoal.errors import RunError
from shoal.runs import config_file, log, model_file, scored_file
from shoal.runs.documents import content_checksum

# By name in the run folder: what the file is needed for.
FILES = {
    config_file.NAME: "what reads the data of the fit again, or asks for its settings",
    log.NAME: "candidates, networks and curves",
    scored_file.NAME: "comparisons, cuts, and whether the test rows are looked at again",
    f"model/{model_file.DOCUMENT}": "predictions",
    "figures/numbers.safetensors": "drawing the figures again",
}
_FREE = ("out", "force", "page", "memory", "minutes", "checkpoint_every")  # settings that change no result
_MENDING = (
    "Restore it from a copy (the other files are read without it), or train the run again: shoal fit --config RUN."
)


def file_checksums(folder: str | Path) -> dict[str, str]:
    """Return the checksum of each file of a run folder that is there."""
    return {name: _checksum(Path(folder), name) for name in FILES if (Path(folder) / name).is_file()}


def check_file(folder: str | Path, name: str, metrics: Mapping[str, Any]) -> None:
    """Raise RunError if a file is not the one whose checksum `metrics.json` keeps; earlier runs keep none."""
    recorded = metrics.get("checksums")
    path = Path(folder) / name
    if not isinstance(recorded, dict) or name not in recorded or not path.is_file():
        return
    actual = _checksum(Path(folder), name)
    if actual != recorded[name]:
        raise RunError(
            f"{str(path)!r} is damaged, changed, or of another run: its SHA-256 is {actual[:12]}…, metrics.json "
            f"expects {str(recorded[name])[:12]}…. It is needed for {FILES[name]}. {_MENDING}"
        )


def settings_checksum(folder: str | Path, *free: str) -> str:
    """Return the checksum of the data and the settings of a run, of those that decide its result.

    Where data and run lie is no part of it: a command is to give the same numbers anywhere.

    Args:
        folder: the run folder.
        free: more settings to leave out.
    """
    config = config_file.read_config(folder)
    settings = {key: value for key, value in config["settings"].items() if key not in (*_FREE, *free)}
    return content_checksum([config["data"].get("sha256"), settings])


def _checksum(folder: Path, name: str) -> str:
    if name == config_file.NAME:
        return settings_checksum(folder)
    try:
        with (folder / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"cannot read {str(folder / name)!r}: {error.strerror or error}. {_MENDING}") from error
