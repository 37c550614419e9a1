"""A finished run as plain data: what each topic has to say of it. Page, `metrics.json` and log read only this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from shoal.results import Interval

Scores = dict[str, Interval]
"""Metric to value with interval."""
TopicRecord = TypeVar("TopicRecord")
"""What a run has to say of one topic, see `shoal.evaluation.topics`."""


@dataclass(frozen=True)
class Provenance:
    """How a run came about: enough to repeat it.

    Attributes:
        settings: of the fit that differ from their defaults.
        command: that repeats the run.
        seed: that names its random numbers.
        versions: of Python and libraries.
        engine: its name, the number of compiled programs, why it was chosen, and the cores that it might use.
        seconds: where the time went; still filled while the run is written.
    """

    settings: dict[str, Any]
    command: str
    seed: int
    versions: dict[str, str] = field(default_factory=dict)
    engine: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """A finished run: the record of each topic that applies to it, by its class.

    Attributes:
        provenance: how it came about.
        topics: class to record, see `shoal.evaluation.topics`.
        warnings: what users should know, from whichever topic.

    Example:
        >>> record = Record(Provenance({}, "shoal fit iris", 0)).having(Interval(1.0, 0.5, 1.5))
        >>> record[Interval].value, record.get(int)
        (1.0, None)
    """

    provenance: Provenance
    topics: Mapping[type, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __getitem__(self, kind: type[TopicRecord]) -> TopicRecord:
        """Return the record of a topic that every run has.

        Raises:
            KeyError: this run does not have it.
        """
        record: TopicRecord = self.topics[kind]
        return record

    def get(self, kind: type[TopicRecord]) -> TopicRecord | None:
        """Return the record of a topic, or None where it does not apply."""
        return self.topics.get(kind)

    def having(self, *records: Any) -> Record:
        """Return the run with other records of some topics."""
        return replace(self, topics={**self.topics, **{type(record): record for record in records}})

    def without(self, *kinds: type) -> Record:
        """Return the run without the records of some topics."""
        return replace(self, topics={kind: record for kind, record in self.topics.items() if kind not in kinds})
