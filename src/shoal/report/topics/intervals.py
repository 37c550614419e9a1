"""How the intervals were made, and how often rows were looked at that should not be."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from shoal.evaluation.record import Record
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.blocks import Bullets, Inline, Paragraph, Section, Text
from shoal.report.topics.split import SEALED, looks, openings
from shoal.report.words import count, integer, joined, label
from shoal.search.results.optimism import Optimism
from shoal.statistics.bootstrap import resamples_for

_METHODS = {
    "bootstrap": (
        "the percentile bootstrap: all rows of a part are drawn anew with replacement, the test rows {times} times, "
        "and the interval holds the middle 95 % of the scores (Efron 1979)"
    ),
    "bootstrap, normal": (
        "the bootstrap of many rows: the test rows are drawn anew with replacement {times} times, and the interval "
        "reaches 1.96 standard deviations of the scores to either side (Efron and Tibshirani 1993)"
    ),
    "block bootstrap": (
        "the percentile bootstrap of blocks: neighbouring rows overlap in time and are drawn together, the test rows "
        "{times} times (Politis and Romano 1992)"
    ),
    "cluster bootstrap": (
        "the percentile bootstrap of whole {groups}{since}: the test {groups} are drawn anew with replacement {times} "
        "times (Field and Welsh 2007), with levels that are widened for their number (Hesterberg 2015); fewer than six "
        "give no interval"
    ),
    "basic bootstrap": (
        "the basic bootstrap: the test rows are drawn anew {times} times, and the interval reaches from twice the "
        "value less the upper end to twice it less the lower one, since errors of resamples lie too high (Davison and "
        "Hinkley 1997)"
    ),
    "basic cluster bootstrap": (
        "the basic bootstrap of whole {groups}{since}; from twice the value less the upper end to twice it less the "
        "lower one, since errors of resamples lie too high (Davison and Hinkley 1997)"
    ),
    "wilson": (
        "Wilson's interval for a share, which holds even where all rows are right or all are wrong (Wilson 1927)"
    ),
}


_BEYOND = (
    "With negative weights a score can leave its range, such as an accuracy above 1, since it is a sum that scatters. "
    "The true one cannot: an interval ends at the limit of the range, or at the score where that lies beyond."
)


def sections(record: Record) -> Iterator[Section]:
    """Give the section on how intervals were made; none where there are no scores."""
    if record.get(PartScores) is None:
        return
    meaning = (
        Markup("Every interval holds 95&nbsp;%."),
        " It tells how much a score would change with other rows of the same kind; it does not tell how much it would "
        "change if the networks were trained anew.",
    )
    items = tuple((Inline("strong", f"{names}:"), f" {method}.") for names, method in _all_methods(record))
    rows, beyond = record.get(PredictedTestRows), tuple[Paragraph, ...]()
    if rows is not None and rows.weights is not None and (rows.weights < 0).any():
        beyond = (Paragraph(_BEYOND),)
    blocks = Paragraph(meaning), *beyond, Bullets(items), Paragraph(_looked_at(record))
    yield Section("method", 150, blocks, "Intervals", "How the intervals were made")


def _all_methods(record: Record) -> Iterator[tuple[str, str]]:
    yield from interval_methods(record)
    split = record[SplitRecord]
    if record.get(ReconstructionRecord) is not None:
        yield (
            "threshold of anomalies",
            "the conformal quantile of the scores of the validation rows (Laxhammar and Falkman 2010). These rows "
            "stopped the networks and chose them, so that a little more than the stated share of new rows may lie "
            "above it",
        )
    rows = record.get(PredictedTestRows)
    if rows is not None and rows.std is not None:
        where = "out of fold" if split.cv else "on validation rows"
        method = f"the spread of the ensemble and the noise that was seen {where}, together"
        if record.get(ErrorBars) is not None:
            folds = ", by folds Barber et al. 2021" if split.cv and not split.rolling else ""
            method += f"; intervals are conformal (Papadopoulos et al. 2002, Lei et al. 2018{folds})"
        yield "error bars of predictions", method


def interval_methods(record: Record) -> tuple[tuple[str, str], ...]:
    """Return each way in which an interval of a score was made: what it was used for, and how it goes."""
    used: dict[str, list[str]] = {}
    rows, baselines = record.get(PredictedTestRows), record.get(BaselineScores)
    for scores in (*record[PartScores].parts.values(), *({} if baselines is None else baselines.scores).values()):
        for metric, score in scores.items():
            names = used.setdefault(score.method, [])
            if label(metric) not in names:
                names.append(label(metric))
    if rows is not None and rows.coverage is not None:
        used.setdefault(rows.coverage.method, []).append("coverage of the error bars")
    bars = record.get(ErrorBars)
    if bars is not None and bars.scores:
        used.setdefault(bars.scores["calibration_error"]["test"].before.method, []).append("calibration error")
    part, size = _scored_part(record[SplitRecord])
    times = integer(resamples_for(size if rows is None or rows.series is None else len(rows.series)))
    words = {"times": times, **_belonging(record)}
    texts = {name: text.replace("test ", f"{part} ").format(**words) for name, text in _METHODS.items()}
    return tuple((joined(names), texts.get(method, method)) for method, names in used.items())


def _scored_part(split: SplitRecord) -> tuple[str, int]:
    """Return the rows whose scores stand for the run, in a word, and how many they are."""
    part = "train" if split.sealed and split.cv else "validation" if split.sealed else "test"
    return "out-of-fold" if part == "train" else part, split.rows.get(part, 1)


def _belonging(record: Record) -> dict[str, str]:
    """Return what is drawn as a whole, and why."""
    column = next((column.name for column in record[DataRecord].columns if column.role == "group"), None)
    if column is None:
        return {"groups": "series", "since": ", since the steps of one are much alike"}
    return {"groups": "groups", "since": f", the rows with the same {column}, since these belong together"}


def _looked_at(record: Record) -> Text:
    """Return among how many candidates was chosen, by which rows, and how often the test rows were opened."""
    ranked, optimism = record[Candidates].ranked, record.get(Optimism)
    tried, chosen = len(ranked), sum(candidate.kept for candidate in ranked)
    rows = "by their scores out of fold" if record[SplitRecord].cv else "on validation rows"
    flatters = "" if optimism is None else f" {optimism.sentence}"
    how = f"; the {'kept one was' if chosen == 1 else f'{chosen} kept ones were'} chosen {rows}" if tried > 1 else ""
    looked_at = f"{count(tried, 'candidate was', 'candidates were')} looked at{how}.{flatters}"
    if record[SplitRecord].sealed:
        return f"{looked_at} {SEALED}"
    return (
        f"{looked_at} The test rows were opened ",
        openings(record),
        "; the more often they are looked at and something is changed thereafter, the more the test scores flatter.",
        looks(),
    )
