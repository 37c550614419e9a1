"""The state of an unfinished run, from which it can go on: `checkpoint/state.json` and one file of arrays.

The arrays lie in a file named after their checksum, and `state.json` names that file. Replacing `state.json`
is the one step that makes a new checkpoint valid, so an interruption at any moment leaves the previous one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import RunError
from shoal.runs.arrays_file import arrays_to_bytes, read_arrays
from shoal.runs.documents import json_text, read_json, sealed, sha256, shoal_version
from shoal.runs.writing import cannot_write, write_atomically

FORMAT = 3  # 2 had arrays of each network, and is still read; 1 dealt networks otherwise
OLDEST = 2
FOLDER, STATE = "checkpoint", "state.json"
SEALED = "sealed"  # where the last checkpoint of a run waits whose test rows are to be opened later
_MENDING = "The run cannot go on from here; delete its checkpoint folder and start it again."


def save_checkpoint(folder: str | Path, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Path:
    """Save the state of an unfinished run in place of the previous one.

    Returns:
        The checkpoint folder.

    Raises:
        RunError: the folder or a file cannot be written; the previous checkpoint is then still valid.
    """
    place = Path(folder) / FOLDER
    data = arrays_to_bytes(arrays)
    checksum = sha256(data)
    name = f"arrays-{checksum[:16]}.safetensors"
    write_atomically(place / name, data)
    state = {"format": FORMAT, "shoal": shoal_version(), "arrays": name, "arrays_sha256": checksum}
    write_atomically(place / STATE, json_text(sealed({**state, "meta": dict(meta)})))
    for old in place.glob("arrays-*.safetensors"):
        if old.name != name:
            old.unlink(missing_ok=True)
    return place


def seal_checkpoint(folder: str | Path) -> None:
    """Keep the checkpoint of a finished run until its test rows are opened.

    Raises:
        RunError: the folder cannot be renamed.
    """
    remove_checkpoint(folder, SEALED)
    try:
        (Path(folder) / FOLDER).rename(Path(folder) / SEALED)
    except OSError as error:
        raise cannot_write(Path(folder) / SEALED, error) from error


def has_checkpoint(folder: str | Path, kept_in: str = FOLDER) -> bool:
    """Return whether a run folder holds the state of an unfinished run, or of one whose test rows are `SEALED`."""
    return (Path(folder) / kept_in / STATE).is_file()


def load_checkpoint(folder: str | Path, kept_in: str = FOLDER) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the plain data and the arrays that `save_checkpoint` saved in a run folder.

    Raises:
        RunError: there is none, or it is damaged or of a newer format; the message names the file.
    """
    place = Path(folder) / kept_in
    if not has_checkpoint(folder, kept_in):
        raise RunError(f"{str(place / STATE)!r} is missing: this run left nothing to go on from. Start it again.")
    state = read_json(place / STATE, FORMAT, _MENDING)
    if state["format"] < OLDEST:
        raise RunError(
            f"{str(place / STATE)!r} was left by an older shoal, which dealt its networks otherwise. {_MENDING}"
        )
    name, meta = state.get("arrays"), state.get("meta")
    if not isinstance(name, str) or Path(name).name != name or not isinstance(meta, dict):
        raise RunError(f"{str(place / STATE)!r} is damaged: it names no arrays or has no content. {_MENDING}")
    return meta, read_arrays(place / name, state.get("arrays_sha256"), _MENDING)


def remove_checkpoint(folder: str | Path, kept_in: str = FOLDER) -> None:
    """Remove the checkpoint of a run, if there is one; called when the run is finished."""
    place = Path(folder) / kept_in
    if not place.is_dir():
        return
    # The state first: without it the rest is no checkpoint.
    for path in [place / STATE, *place.glob("arrays-*.safetensors")]:
        path.unlink(missing_ok=True)
    if not any(place.iterdir()):
        place.rmdir()
