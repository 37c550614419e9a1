"""The best network, drawn and layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.best_network import BestMember
from shoal.report.blocks import Figure, PageBlock, Preformatted, Section


def sections(record: Record) -> Iterator[Section]:
    """Give the section on the best network."""
    network = record[BestMember].network
    blocks: list[PageBlock] = [Figure("best_network", "wide")]
    if hasattr(network, "summary"):
        blocks.append(Preformatted(str(network.summary()), "Layers of the best network"))
    yield Section("best", 120, tuple(blocks), "Best network", "Best network")
