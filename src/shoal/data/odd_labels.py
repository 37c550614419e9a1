"""Labels of classes that look like one class written in two ways, or like a missing value."""

from __future__ import annotations

from shoal.data.dataset import Dataset
from shoal.errors import listing
from shoal.results import Task

_NOT_KNOWN = ("nan", "none", "null", "<na>", "n/a", "na")


def odd_labels(dataset: Dataset) -> list[str]:
    """Return a warning for classes that differ only by spaces or case, and for such as say that nothing is known."""
    if dataset.classes_by_target:
        return [warning for each in dataset.of_each_target for warning in odd_labels(each)]
    if dataset.task is not Task.CLASSIFICATION or dataset.label_type != "str":
        return []
    alike: dict[str, list[str]] = {}
    for name in dataset.classes:
        alike.setdefault(" ".join(name.split()).lower(), []).append(name)
    warnings = [
        f"The classes {listing(map(repr, names))} differ only by spaces or case and are told apart all the same; "
        "mend the labels if they are one class."
        for names in alike.values()
        if len(names) > 1
    ]
    unknown = [name for name in dataset.classes if name.strip().lower() in _NOT_KNOWN]
    if unknown:
        warnings.append(
            f"{listing(map(repr, unknown))} is a class here, since the label is text; leave the label empty (None) "
            "where it is not known, so that the row is left out."
        )
    return warnings
