"""What a topic is: one thing that a finished run has to say, measured once and told to scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.log_tables import LogTable as LogTable
from shoal.evaluation.record import Record, TopicRecord


@dataclass(frozen=True)
class Topic(Generic[TopicRecord]):
    """One thing that a run has to say. A module of this room defines one as `TOPIC`.

    Attributes:
        place: in `metrics.json`; topics come in the order of their places.
        record: the frozen class that holds what is said, unlike that of all other topics.
        measure: returns it, or None where the topic does not apply to the run.
        numbers: what `metrics.json` gets of it from the record of a run that has it, joined with what other topics
            give under the same keys.
        tables: what `log.sqlite` gets of it, likewise.
        absent: what `metrics.json` gets where the topic does not apply.
        of_any_run: whether it can be told of a run of which every network diverged, so that nothing was kept.
        opens_test_rows: whether it asks for the test rows; what does not is measured while baselines are fitted.
        of_sealed_run: whether it has something to say without them, too, while they are kept for later.
    """

    place: int
    record: type[TopicRecord]
    measure: Callable[[Evaluation], TopicRecord | None]
    numbers: Callable[[Record], dict[str, Any]] = lambda _: {}
    tables: Callable[[Record], Iterable[LogTable]] = lambda _: ()
    absent: Mapping[str, Any] = field(default_factory=dict)
    opens_test_rows: bool = True
    of_sealed_run: bool = False
    of_any_run: bool = False
