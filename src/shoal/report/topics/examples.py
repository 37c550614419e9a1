"""A few images and series with what was predicted for them, and what the best network makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.examples import SignalRecord
from shoal.report.blocks import Figure, Section, figures

EXAMPLES = ("forecast", "example_images", "example_series", "labelled_steps")
INSIDE = ("filters", "feature_maps", "hidden_states", "saliency")


def sections(record: Record) -> Iterator[Section]:
    """Give the sections with examples and with the inside of the best network; none for tables."""
    if record.get(SignalRecord) is not None:
        examples, inside = (figures(*(Figure(name, "wide") for name in names)) for names in (EXAMPLES, INSIDE))
        yield Section("examples", 70, (examples,), "Examples", "Examples")
        yield Section("inside", 130, (inside,), "Inside", "Inside the best network")
