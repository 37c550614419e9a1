"""How to repeat the run: its command, settings, data and versions, and where the time went."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.blocks import Facts, Group, Heading, Inline, Paragraph, Preformatted, Section
from shoal.report.words import count, label, seconds, setting


def sections(record: Record) -> Iterator[Section]:
    """Give the last section of the page."""
    provenance = record.provenance
    settings = tuple((label(name), setting(value)) for name, value in provenance.settings.items() if value is not None)
    cores = provenance.engine.get("cores")
    native = provenance.settings.get("engine") == "native"
    where = "" if cores is None or native else f" on {count(cores, 'core')}"
    same = (
        f"The same command with the same data and versions{where} gives the same numbers. The seed is "
        f"{provenance.seed}; config.toml holds all settings."
    )
    files = (
        "The figures lie beside this page in figures/, as SVG and PDF, their numbers as CSV; ",
        Inline("code", "shoal figures"),
        " draws them again at the width of a journal’s column. The scores are in metrics.json, every network and curve "
        "in log.sqlite.",
    )
    left = Group((Heading("Settings"), Facts(settings, "lines")))
    versions, times = Facts(_versions(record), "lines"), Facts(_times(provenance.seconds), "lines")
    right = Group((Heading("Data and versions"), versions, Heading("Time"), times))
    blocks = (
        Preformatted(provenance.command, "Command"),
        Paragraph(same, "note"),
        Group((left, right), "pair"),
        Paragraph(files, "note"),
    )
    yield Section("repeat", 160, blocks, "Repeat it", "How to repeat it")


def _versions(record: Record) -> tuple[tuple[str, ...], ...]:
    what = "table" if record[SplitRecord].unit == "row" else "data"
    return (f"SHA-256 of the {what}", record[DataRecord].sha256, "hash"), *record.provenance.versions.items()


def _times(by_name: dict[str, float]) -> tuple[tuple[str, str], ...]:
    """Return where the time went, the total first."""
    ordered = sorted(by_name.items(), key=lambda item: item[0] != "total")
    return tuple((label(name), seconds(value)) for name, value in ordered)
