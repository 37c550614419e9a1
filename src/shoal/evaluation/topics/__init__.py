"""The topics of a run: data, split, candidates, curves, scores, baselines, …, one file each.

Each module of this room defines a `TOPIC`; a new one is found without being named anywhere. What the page shows of it
stands in `shoal.report.topics` under the same name.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from shoal.evaluation.topics.base import LogTable as LogTable
from shoal.evaluation.topics.base import Topic as Topic


@lru_cache(maxsize=1)
def topics() -> dict[str, Topic[Any]]:
    """Return all topics by name, in the order of their places."""
    modules = {module.name: import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)}
    known: dict[str, Topic[Any]] = {name: module.TOPIC for name, module in modules.items() if hasattr(module, "TOPIC")}
    return dict(sorted(known.items(), key=lambda item: item[1].place))
