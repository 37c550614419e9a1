"""What it takes to repeat a run: the command, the versions, the cores; and imports that need not be waited for."""

from __future__ import annotations

import importlib
import platform
import shlex
import threading
import warnings
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from shoal.data import Dataset
from shoal.errors import ShoalWarning
from shoal.resources import available_cores
from shoal.search.knobs import knob_text
from shoal.settings import FLAG_NAMES, FitSettings

NOT_REPEATED = ("out", "force", "workers", "dask")
"""Settings on which no result depends."""
LIBRARIES = ("shoal", "jax", "jaxlib", "numpy", "polars", "scikit-learn", "scipy")


def command_line(dataset: Dataset, settings: FitSettings) -> str:
    """Return the command that repeats a run; for data from Python, the call.

    The folder of the run is left out, since a repetition goes to a new one.
    """
    given = {name: value for name, value in settings.given().items() if name not in NOT_REPEATED}
    if dataset.source == "python":
        arguments = "".join(f", {name}={value!r}" for name, value in given.items())
        return f"shoal.fit(data{arguments})"
    return shlex.join(fit_words(dataset.name if dataset.source == "built in" else dataset.source, settings, given))


def fit_words(data: str, settings: FitSettings, given: Mapping[str, Any]) -> list[str]:
    """Return the words of the command that fits data by some of the settings.

    Example:
        >>> settings = FitSettings(networks=2, page=False)
        >>> fit_words("iris", settings, settings.given())
        ['shoal', 'fit', 'iris', '--networks', '2', '--no-page']
    """
    knobs = settings.knobs()
    words = ["shoal", "fit", data]
    for name, value in given.items():
        flag = "--" + FLAG_NAMES.get(name, name).replace("_", "-")
        switches = knobs[name].spread if name in knobs else (value,)
        if isinstance(switches[0], bool):
            words += [flag if switch else "--no-" + flag[2:] for switch in switches]
        elif name in knobs:
            words += [flag, knob_text(knobs[name])]
        elif name in ("derive", "where"):  # in which commas mean something else
            words += [word for text in value for word in (flag, text)]
        else:
            words += [flag, _text(value)]
    return words


def origin(dataset: Dataset) -> dict[str, str]:
    """Return what `config.toml` keeps of the data: origin, checksum, kind, weights, and which of several targets."""
    kept = {"name": dataset.name, "source": dataset.source, "sha256": dataset.sha256}
    if dataset.signals is not None:
        kept["kind"] = dataset.signals.kind
    if dataset.beside:  # the settings name all targets
        kept["target"] = dataset.targets[0]
    return kept if dataset.roles.weight is None else {**kept, "weight": dataset.roles.weight}


def _text(value: Any) -> str:
    return ",".join(str(part) for part in value) if isinstance(value, list) else str(value)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that decide a result.

    >>> sorted(versions())[:3]
    ['jax', 'jaxlib', 'numpy']
    """
    installed = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def check_cores(config: Mapping[str, Any]) -> None:
    """Warn where a run is repeated or resumed on another number of cores than it had.

    The XLA engine deals members evenly to cores, each of which trains them in one program; in a program for another
    number of members the compiler orders sums differently, so that results differ in the last digits. Which engine is
    chosen depends on the cores, too. The native engine itself gives the same bits on any number of them.

    Args:
        config: the content of `config.toml`; those of older runs do not tell the number.
    """
    before, now = config.get("cores"), available_cores()
    if before not in (None, now) and config["settings"].get("engine") != "native":
        warnings.warn(
            f"the run had {before} {'core' if before == 1 else 'cores'} and this process has {now}: the engine may be "
            "chosen differently, and what the XLA engine trains may differ in the last digits",
            ShoalWarning,
            stacklevel=3,
        )


def import_meanwhile(*names: str) -> None:
    """Import modules in the background, while something else does not need the interpreter."""

    def run() -> None:
        for name in names:
            importlib.import_module(name)

    threading.Thread(target=run, name="imports", daemon=True).start()
