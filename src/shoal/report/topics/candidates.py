"""The networks that were tried, which hyperparameters mattered, and the smallest network that is as good."""

from __future__ import annotations

import math
from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import CandidateRow, Candidates, NetworkRow
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.blocks import Facts, Figure, Group, Heading, PageBlock, Paragraph, PlainTable, Section, Shares
from shoal.report.words import count, integer, joined, label, number, sentence, setting
from shoal.results import Status
from shoal.search.results.pareto import ParetoFront

MOST_NETWORKS = 20
LEAST_SHARE = 0.005
CROSS_FITTED = (
    "The cross-fitted loss is a validation loss too, but each half of the validation rows is judged at the epoch that "
    "is best on the other half, so that the choice of the epoch does not flatter it."
)
STOPPED = {
    "minutes": "The time that was given was over before all candidates were trained.",
    "until": "The search ended when a candidate reached on its validation rows the score that was asked for; the first "
    "of many to reach it is a lucky one, so that the test score is likely worse.",
}
"""What ended a search before all was trained, by `engine.stopped_by`."""
_STATUS = {
    Status.RUNNING: "still training",
    Status.FINISHED: "trained to the end",
    Status.STOPPED_EARLY: "stopped early",
    Status.CUT: "let go, since others did better",
    Status.DIVERGED: "diverged",
}


def sections(record: Record) -> Iterator[Section]:
    """Give the section on the networks that were tried."""
    training = training_of_a_candidate(record)
    paragraph = [Paragraph(f"{training} {kept_scores(record)}")] if training else []
    paragraph += [Paragraph(STOPPED[by]) for by in STOPPED if record.provenance.engine.get("stopped_by") == by]
    tried = record[Candidates]
    if limited := budget_in_words(len(tried.ranked), tried.left_out, tried.best_of_half, tried.ranked[0].score):
        paragraph.append(Paragraph(limited))
    pair = Group((Figure("networks_tried"), Group(tuple(_what_mattered(record)))), "pair")
    blocks = Facts(population(record)), *paragraph, pair, networks_table(record)
    yield Section("networks", 30, blocks, "Networks", "Networks tried")


def _what_mattered(record: Record) -> Iterator[PageBlock]:
    """Give hyperparameters, the space that they were drawn from, and the score by size."""
    candidates = record[Candidates]
    if candidates.hyperparameters:
        shares = ((name, share, sentence(text)) for name, share, text in hyperparameters(record))
        yield from (Heading("Which hyperparameters mattered"), Shares(tuple(shares)))
        if idle := joined(label(each.name) for each in candidates.hyperparameters if each.share < LEAST_SHARE):
            yield Paragraph(f"No influence to be seen: {idle}.", "note")
    if candidates.space and len(candidates.ranked) > 1:
        ranges = tuple((label(name), words) for name, words in candidates.space)
        yield from (Heading("What they were drawn from"), Facts(ranges, "lines"))
    if record.get(ParetoFront) is not None:
        yield from (Heading("The smallest network that is as good"), Figure("front"))


def hyperparameters(record: Record) -> tuple[tuple[str, float, str], ...]:
    """Return name, share of the score's variance, and sentence of each hyperparameter that has a share."""
    return tuple(
        (label(each.name), each.share, label(each.name) + each.finding)
        for each in record[Candidates].hyperparameters
        if each.share >= LEAST_SHARE
    )


def population(record: Record) -> tuple[tuple[str, str], ...]:
    """Return how the networks fared: label and count."""
    candidates = record[Candidates]
    status = [n.status for n in candidates.networks]
    several = [("candidates", len(candidates.ranked))] if candidates.networks_each > 1 else []
    several += [("trained", len(status)), ("kept", len(candidates.kept))]
    several += [(words, status.count(name)) for name, words in _STATUS.items() if status.count(name)]
    sizes = sorted(n.parameters for n in candidates.networks)
    counted = [(words, integer(amount)) for words, amount in several]
    if not sizes:
        return tuple(counted)
    span = integer(sizes[0]) if sizes[0] == sizes[-1] else f"{integer(sizes[0])} to {integer(sizes[-1])}"
    return (*counted, ("parameters each", span))


def networks_table(record: Record) -> PlainTable:
    """Return the best candidates with the hyperparameters that differ between them; each may be one network."""
    candidates = record[Candidates]
    single, ranked = candidates.networks_each == 1, candidates.ranked
    differing, same = _hyperparameters(ranked)
    header: tuple[str, ...] = ("candidate", "kept", "cross-fitted loss", "standard error", "networks", "parameters")
    if single:
        header = (
            "network",
            "kept",
            "cross-fitted loss",
            "validation loss",
            "training loss",
            "best epoch",
            "parameters",
        )
    what, left = "network" if single else "candidate", len(ranked) - MOST_NETWORKS
    notes = [f"{count(left, f'more {what}')} in log.sqlite, with all curves."] if left > 0 else []
    if same and not candidates.space:
        notes.append(f"The same in all: {'; '.join(same)}.")
    notes.append(CROSS_FITTED)
    title = f"The best {what}s, by the loss that they are chosen by"
    if len(ranked) == 1:
        differing, title = [], f"The {what}"
        notes = [f"Its hyperparameters: {'; '.join(same)}.", CROSS_FITTED]
    by_id = {n.candidate_id: n for n in candidates.networks}
    rows = tuple(
        _network(by_id[c.id], differing) if single else _candidate(c, differing) for c in ranked[:MOST_NETWORKS]
    )
    header = (*header, *(label(name) for name in differing))
    return PlainTable(title, header, rows, " ".join(notes), numeric=(2, 3, 4, 5, 6), style="dense")


def _hyperparameters(candidates: tuple[CandidateRow, ...]) -> tuple[list[str], list[str]]:
    """Return the names of the hyperparameters that differ, and the others with their value in words."""
    tried = [row.candidate for row in candidates]
    names = list(dict.fromkeys(name for candidate in tried for name in candidate))
    differing = [name for name in names if len({setting(candidate.get(name)) for candidate in tried}) > 1]
    shared = [n for n in names if n not in differing and tried[0].get(n) not in (None, "")]
    return differing, [f"{label(n)} {setting(tried[0].get(n))}" for n in shared]


def _network(row: NetworkRow, differing: list[str]) -> tuple[str, ...]:
    epochs = f"{integer(row.best_epoch) if row.best_epoch else '–'} of {integer(row.epochs)}"
    if row.status is Status.DIVERGED:
        epochs += ", diverged"
    numbers = (number(row.score), number(row.validation_loss), number(row.train_loss), epochs)
    settings = (setting(row.candidate.get(name), digits=3) for name in differing)
    return (str(row.id), "●" if row.kept else "", *numbers, integer(row.parameters), *settings)


def _candidate(row: CandidateRow, differing: list[str]) -> tuple[str, ...]:
    error = f"± {number(row.error, 2)}" if math.isfinite(row.error) else "–"
    score = number(row.score) if math.isfinite(row.score) else "–"
    settings = (setting(row.candidate.get(name), digits=3) for name in differing)
    counts = integer(row.networks), integer(row.parameters)
    return (str(row.id), "●" if row.kept else "", score, error, *counts, *settings)


def training_of_a_candidate(record: Record) -> str:
    """Return how often each candidate was trained and on what, or nothing if once."""
    each, split = record[Candidates].networks_each, record[SplitRecord]
    if each == 1:
        return ""
    score = "A candidate's score is the mean over its networks, with its standard error"
    if split.cv is None:
        return f"Each candidate was trained {each} times, with other seeds. {score}."
    if split.rolling is not None:
        return (
            f"Each candidate was trained {each} times ({rounds(split.cv, split.repeats, True)}), each time on the "
            f"rows before a part of the rows in time, on which it was judged. {score}; the first folds learned from "
            "fewer rows, so that they may score worse. The networks of the last fold of each candidate that is kept "
            "make the ensemble; the others tell how well such networks predict what comes next."
        )
    return (
        f"Each candidate was trained {each} times ({rounds(split.cv, split.repeats)}), each time without one fold "
        f"of the rows, on which it was judged: half of the fold's rows chose its best epoch, and the other half tells "
        f"of new rows. {score}; the folds share training rows, so that the true error is a little larger."
    )


def budget_in_words(tried: int, left_out: int, best_of_half: float, best: float) -> str:
    """Return that fewer candidates were tried than usual, and what more may bring; nothing where none are left out.

    >>> budget_in_words(20, 44, 0.321, 0.3).partition(", as many")[0]
    '20 candidates rather than 64 were tried'
    """
    if not left_out:
        return ""
    return (
        f"{count(tried, 'candidate')} rather than {tried + left_out} were tried, as many as take up to a minute on two "
        "cores by a fixed model of the cost, so that the same command tries the same ones. The best of the first "
        f"{tried // 2} scored {number(best_of_half)}, the best of all {number(best)}: about so much may be left for "
        f"more of them, by --networks {tried + left_out} or --minutes M."
    )


def rounds(cv: int | None, repeats: int, rolling: bool = False) -> str:
    """Return folds and repeats as people say them.

    >>> rounds(5, 2), rounds(None, 3), rounds(5, 1, rolling=True)
    ('5 folds × 2 repeats', '3 repeats', '5 rolling folds')
    """
    parts = [count(cv, "rolling fold" if rolling else "fold")] if cv else []
    return " × ".join([*parts, count(repeats, "repeat")] if repeats > 1 or not cv else parts)


def kept_scores(record: Record) -> str:
    """Return the mean scores of the best three kept candidates, or nothing where each is one network."""
    kept = [c for c in record[Candidates].ranked if c.kept][:3]
    if record[Candidates].networks_each == 1 or not kept:
        return ""
    shown = joined(f"{number(c.score)} ± {number(c.error, 2)} (candidate {c.id})" for c in kept)
    return f"Best scores, lower is better: {shown}.{_part_by_part(record, kept[0].id)}"


def _part_by_part(record: Record, candidate: int) -> str:
    """Return how the networks of a candidate did in each of rolling folds, which tells of a drift."""
    if record[SplitRecord].rolling is None:
        return ""
    networks = [n for n in record[Candidates].networks if n.candidate_id == candidate]
    folds = [[n.score for n in networks if n.fold == fold] for fold in range(record[SplitRecord].cv or 0)]
    each = joined(number(sum(scores) / len(scores)) for scores in folds)
    return (
        f" From part to part the best candidate scored {each}: falling scores tell of more rows to learn from, rising "
        "ones of a law that drifts."
    )
