"""What was read, and what was done to it before training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shoal.data.describe import describe, shown
from shoal.data.labels import LabelType, labels_of
from shoal.data.table_rules import RowCut
from shoal.data.units import labelled, squared
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.results import Task
from shoal.statistics.metric_choice import named_metric


@dataclass(frozen=True)
class ColumnRow:
    """One line of the table of columns."""

    name: str
    kind: str
    role: str
    missing: int
    distinct: int
    low: str
    high: str
    reason: str = ""


@dataclass(frozen=True)
class DataRecord:
    """What was read, and what was done to it before training."""

    name: str
    source: str
    sha256: str
    task: Task
    task_name: str
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    feature_names: tuple[str, ...]
    columns: tuple[ColumnRow, ...]
    notes: tuple[str, ...]
    normalization: str
    units: Mapping[str, str] = field(default_factory=dict)
    label_type: LabelType = "str"
    derived: Mapping[str, str] = field(default_factory=dict)
    cuts: tuple[RowCut, ...] = ()

    @property
    def reconstructs(self) -> bool:
        """Whether inputs are reconstructed, and nothing is predicted."""
        return self.task is Task.RECONSTRUCTION

    def label(self, name: str) -> str:
        """Return the name of a column with its unit, as axes and tables have it: `E [GeV]`."""
        return labelled(name, self.units.get(name))

    def score_unit(self, metric: str) -> str:
        """Return the unit of a score: that of the target or its square, if all targets have the same; else nothing."""
        known = named_metric(metric)
        power = 0 if known is None else known.power
        units = {self.units.get(name) for name in self.targets}
        unit = units.pop() if power and len(units) == 1 else None
        return "" if unit is None else unit if power == 1 else squared(unit)


def measure(evaluation: Evaluation) -> DataRecord:
    """Return what the data are; their warnings go to those of the run."""
    dataset, preparation = evaluation.fitted.dataset, evaluation.fitted.predictor.preparation
    description = describe(dataset, evaluation.fitted.split)
    evaluation.warnings.extend(description.warnings)
    return DataRecord(
        name=dataset.name,
        source=dataset.source,
        sha256=dataset.sha256,
        task=dataset.task,
        task_name=dataset.task_name,
        targets=dataset.targets,
        classes=dataset.classes,
        label_type=dataset.label_type,
        feature_names=preparation.feature_names,
        columns=tuple(
            ColumnRow(c.name, str(c.kind), c.role, c.missing, c.distinct, shown(c.low), shown(c.high), reason=c.reason)
            for c in description.columns
        ),
        notes=(*dataset.notes, *preparation.notes),
        normalization=evaluation.fitted.settings.normalization,
        units=dict(dataset.units),
        derived=dataset.rules.definitions,
        cuts=dataset.row_cuts,
    )


def numbers(record: Record) -> dict[str, Any]:
    """Return task and target, and what the data are."""
    data = record[DataRecord]
    document: dict[str, Any] = {
        "task": str(data.task),
        "target": list(data.targets),
        "data": {
            "name": data.name,
            "sha256": data.sha256,
            "task": data.task_name,
            "classes": list(labels_of(data.classes, data.label_type)),
            "features": list(data.feature_names),
            "normalization": data.normalization,
            "notes": list(data.notes),
            "warnings": list(record.warnings),
            **({"derived": dict(data.derived)} if data.derived else {}),
            **({"cuts": [cut._asdict() for cut in data.cuts]} if data.cuts else {}),
        },
    }
    return {**document, "units": {"columns": dict(data.units)}} if data.units else document


TOPIC = Topic(10, DataRecord, measure, numbers, opens_test_rows=False, of_any_run=True)
