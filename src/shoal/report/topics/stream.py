"""What a page says of rows that were read in parts."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.stream import StreamRecord
from shoal.report.blocks import Paragraph, Section
from shoal.report.words import sentence, short


def sections(record: Record) -> Iterator[Section]:
    """Give what is to be said of them, in the section on the split."""
    stream = record[StreamRecord]
    test, validation = stream.sampling_error("test"), stream.sampling_error("validation")
    text = (
        f"The rows do not fit into memory and were read in parts. Each epoch trained on {stream.part:,} rows, drawn from "
        f"pieces of the files in random order; {stream.per_pass:,} epochs are a pass over all {stream.rows['train']:,} "
        f"training rows, of which the kept networks made up to {short(stream.most_passes, 3)}. Everything else, such as "
        "types, baselines and figures, is of the rows that were drawn; means and deviations of the features are of all "
        "training rows where no column is computed and no value means that there is none."
    )
    drawn = (
        f"A share, such as an accuracy, on the {stream.drawn['test']:,} of {stream.rows['test']:,} test rows differs from "
        f"that on all of them with a standard error of {short(test, 2)} at most, on the {stream.drawn['validation']:,} of "
        f"{stream.rows['validation']:,} validation rows of {short(validation, 2)}; the intervals of scores hold it."
    )
    said = (text, drawn, *([sentence(stream.advice)] if stream.advice else []))
    yield Section("split", 21, tuple(Paragraph(each) for each in said), "Split", "Split")
