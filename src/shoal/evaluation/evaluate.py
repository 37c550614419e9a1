"""From what a fit has made to everything that it has to say: each topic is measured."""

from __future__ import annotations

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.fitted import Fitted
from shoal.evaluation.record import Provenance, Record
from shoal.evaluation.topics import topics


def evaluate(fitted: Fitted, provenance: Provenance) -> Record:
    """Return everything that a run has to say; the test rows are opened once, by the first topic that asks for them.

    Of a run that kept nothing, since every network diverged, that is little, and the test rows stay sealed. They do so
    where they are kept for later, too: topics that need them are left out. Of several targets of classes, what is
    predicted is said in the record of each.
    """
    known = {
        name: topic for name, topic in topics().items() if topic.of_any_run or (fitted.kept and not fitted.targets)
    }
    if fitted.sealed.for_later:
        known = {name: topic for name, topic in known.items() if topic.of_sealed_run or not topic.opens_test_rows}
    evaluation = Evaluation(fitted, {topic.record: topic.measure for topic in known.values()})
    for topic in sorted(known.values(), key=lambda topic: topic.opens_test_rows):
        evaluation.record(topic.record)
    records = ((topic.record, evaluation.record(topic.record)) for topic in known.values())
    measured = {kind: record for kind, record in records if record is not None}
    return Record(provenance, measured, tuple(evaluation.warnings))
