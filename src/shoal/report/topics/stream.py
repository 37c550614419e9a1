"""What a page says of rows that were read in parts."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.stream import StreamRecord
from shoal.report.blocks import Paragraph, Section
from shoal.report.words import sentence, short


def sections(record: Record) -> Iterator[Section]:
    """Give what is to be said of them, in the section on the split."""
    stream = record.get(StreamRecord)
    if stream is None:
        return
    text = (
        f"The rows do not fit into memory and were read in parts. Each epoch trained on {stream.part:,} rows, from "
        f"pieces of the files in random order; {stream.per_pass:,} epochs are a pass over all "
        f"{stream.rows['train']:,} training rows, of which the kept networks made up to "
        f"{short(stream.most_passes, 3)}. Everything else, such as types, baselines and figures, is of the rows that "
        "were drawn; means and deviations of features are of all training rows, unless columns are computed or values "
        "mean that there is none."
    )
    errors = [
        f"{short(stream.sampling_error(part), 2)} on {stream.drawn[part]:,} of {stream.rows[part]:,} {part} rows"
        for part in ("validation", "test")
    ]
    drawn = (
        "A share, such as an accuracy, differs from that on all rows of its part with a standard error of at most "
        f"{' and '.join(errors)}; the intervals of scores hold it."
    )
    said = (text, drawn, *([sentence(stream.advice)] if stream.advice else []))
    yield Section("split", 21, tuple(Paragraph(each) for each in said), "Split", "Split")
