"""`config.toml`: enough to repeat a run, in a form that people read and edit."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shoal.errors import RunError
from shoal.runs.documents import SEAL, check_format, check_seal, content_checksum, plain, read_bytes, shoal_version
from shoal.runs.writing import write_atomically

FORMAT = 1
NAME = "config.toml"
_MENDING = "Restore it from a copy, or start the run again."
_EDITED = "Restore it from a copy; a run with other settings is made by shoal fit --config FILE."


def write_config(
    folder: str | Path,
    settings: Mapping[str, Any],
    *,
    data: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
    command: str = "",
    cores: int | None = None,
    created: datetime.datetime | None = None,
) -> Path:
    """Write `config.toml` into a run folder.

    TOML has no word for "nothing", so settings that are None are left out: they keep their defaults.

    Args:
        folder: the run folder.
        settings: the options of `fit` by name.
        data: what was read, e.g. `{"name": "iris", "source": "built in", "sha256": "…"}`.
        versions: versions of Python and of the libraries by name.
        command: the command that repeats the run.
        cores: how many processor cores it may use.
        created: when the run began; now by default, kept to the second.

    Returns:
        The path of the file.

    Raises:
        RunError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = write_config(folder, {"seed": 0, "hidden": (8,), "minutes": None})
        ...     read_config(folder)["settings"]
        {'seed': 0, 'hidden': [8]}
    """
    import tomli_w

    created = (created or datetime.datetime.now(datetime.UTC)).replace(microsecond=0)
    head: dict[str, Any] = {"format": FORMAT, "shoal": shoal_version(), "created": created}
    if command:
        head["command"] = command
    if cores is not None:
        head["cores"] = cores
    named = (("data", data), ("settings", settings), ("versions", versions))
    tables = {name: _without_none(plain(table or {})) for name, table in named}
    seal = {SEAL: content_checksum(head | tables)}
    return write_atomically(Path(folder) / NAME, tomli_w.dumps(head | seal | tables))


def read_config(folder: str | Path, *, unchanged: bool = False) -> dict[str, Any]:
    """Return the content of a run folder's `config.toml`.

    Args:
        folder: the run folder.
        unchanged: it must be as shoal wrote it; people may edit it to repeat a run with other settings.

    Raises:
        RunError: missing, unreadable, damaged or of a newer format.
    """
    path = Path(folder) / NAME
    data = read_bytes(path, _MENDING)
    try:
        config = tomllib.loads(data.decode("utf-8"))
    except ValueError as error:
        raise RunError(f"{str(path)!r} is damaged: it is not a TOML document ({error}). {_MENDING}") from error
    check_format(path, config.get("format"), FORMAT, _MENDING)
    for table in ("data", "settings", "versions"):
        if not isinstance(config.setdefault(table, {}), dict):
            raise RunError(f"{str(path)!r} is damaged: [{table}] is not a table. {_MENDING}")
    return check_seal(path, config, _EDITED) if unchanged else config


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value if item is not None]
    return value
