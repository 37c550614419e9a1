"""What the page shows of each topic of a run, one file each, beside how it was made and how to repeat it.

Each module of this room defines `sections(record)`, which gives the sections of the page in which it speaks, and none
where the topic does not apply; a new one is found without being named anywhere. What is measured stands in
`shoal.evaluation.topics` under the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from shoal.evaluation.record import Record
from shoal.evaluation.topics import topics as measured_topics
from shoal.report.blocks import Section

SectionsOf = Callable[[Record], Iterable[Section]]


@lru_cache(maxsize=1)
def topics() -> dict[str, SectionsOf]:
    """Return what gives the sections of each topic, by its name."""
    modules = {module.name: import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)}
    return {name: module.sections for name, module in modules.items()}


def sections(record: Record) -> tuple[Section, ...]:
    """Return the sections of the page in the order of their places; those of one anchor are joined.

    A topic that was not measured, since nothing was kept, the test rows are sealed or it is of one target, has none.
    """
    absent = {name for name, topic in measured_topics().items() if record.get(topic.record) is None}
    known = [sections_of for name, sections_of in topics().items() if name not in absent]
    given = [section for sections_of in known for section in sections_of(record)]
    by_anchor: dict[str, Section] = {}
    for section in sorted(given, key=lambda section: section.place):
        first = by_anchor.get(section.anchor)
        joined = section if first is None else replace(first, blocks=(*first.blocks, *section.blocks))
        by_anchor[section.anchor] = joined
    return tuple(by_anchor.values())
