"""What training did to the kept networks: they learned, not, or not yet; it overfitted from an epoch on, or got lost.

This is about the way, not about the weights: those of the best epoch are kept, and whether they know their training
rows too well is another question (`overfitting`). In this order, a course is

* still improving: the best epoch of most networks is at their end, with a clear fall before it; but not learned, if
  they are not better than guessing by then;
* diverged: the validation loss rose clearly (`training_course`), and the training loss ended above where it began;
* overfits: the validation loss rose clearly from some epoch on, while the training loss fell;
* unstable: it rose clearly, and the training loss did, too; or both by a tenth and more; or it still jumps about;
* may overfit: as overfits, by a tenth and more, but not clear of chance;
* not learned: on validation rows the networks are not better than guessing, clearly or by a twentieth;
* converged: all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.curves import Curves
from shoal.evaluation.training_course import HALF_NAT, LEAST, VISIBLE, Course, Histories, course_of, still_improving
from shoal.results import Interval, Status, Task, readable
from shoal.training.member import TrainedMember

SKILL = 0.05
"""The least share by which a loss lies below that of guessing."""
NOTHING = Interval(float("nan"), float("nan"), float("nan"), "none")


@dataclass(frozen=True)
class TrainingVerdict:
    """What training did.

    Attributes:
        kind: `converged`, `overfits`, `may overfit`, `still improving`, `not learned`, `unstable`, `diverged` or
            `unknown`.
        sentence: the finding with its numbers.
        advice: what to do; empty where there is nothing.
        best_epoch: from which the weights are kept, the median of the networks, counted from 1.
        rise: of the validation loss from its lowest point to the end.
        skill: by which share the kept networks' loss on validation rows lies below that of guessing.
    """

    kind: str
    sentence: str
    advice: str = ""
    best_epoch: int = 0
    rise: Interval = field(default=NOTHING)
    skill: Interval = field(default=NOTHING)


def training_verdict(histories: Histories, skill: Interval = NOTHING) -> TrainingVerdict:
    """Judge what training did to the kept networks.

    Args:
        histories: of the kept networks.
        skill: by which share their loss on validation rows lies below that of guessing, with its interval; NaN where
            it is not known.

    Example:
        >>> falling = np.linspace(1.0, 0.1, 50)[None]
        >>> rising = np.abs(np.linspace(-0.4, 1.0, 50))[None] + 0.3
        >>> training_verdict(Histories(falling, rising, np.array([15]), 500)).kind
        'overfits'
    """
    histories = histories.sound
    if not len(histories.best):
        return TrainingVerdict("unknown", "What training did cannot be told: no loss is a finite number.")
    course = course_of(histories)
    unfinished = still_improving(histories, course.scale)
    kind = _kind(course, skill, unfinished, len(histories.best))
    if kind == "converged" and histories.validation.shape[1] < 2:
        text = "Training ended after one epoch, too early to tell what it did."
        return TrainingVerdict("unknown", text, "Train longer (more epochs).", 1, course.rise, skill)
    finding = _Finding(course, histories, skill, unfinished)
    sentence: str = getattr(finding, kind.replace(" ", "_"))()
    best = int(np.median(histories.best))
    return TrainingVerdict(kind, sentence, finding.advice(kind), best, course.rise, skill)


def _kind(course: Course, skill: Interval, unfinished: int, networks: int) -> str:
    """Return the kind of a course; `skill` may be NaN, which says nothing."""
    clear = course.rise.low > 0 and course.rise.value > LEAST * course.scale
    nothing = skill.low <= 0 and skill.value < SKILL
    if unfinished > networks / 2:
        return "not learned" if nothing else "still improving"
    if clear and course.train_end > course.train_start:
        return "diverged"
    if course.train_fell > 0 and clear:
        return "overfits"
    if clear and course.train_fell < -LEAST:
        return "unstable"
    if course.restless:
        return "unstable"
    if course.rise.value > VISIBLE * course.scale:
        if course.train_fell > 0:
            return "may overfit"
        if course.train_fell < -VISIBLE:
            return "unstable"
    return "not learned" if nothing else "converged"


@dataclass(frozen=True)
class _Finding:
    """What there is to say of a course; a sentence for each kind."""

    course: Course
    histories: Histories
    skill: Interval
    unfinished: int

    @property
    def networks(self) -> int:
        return len(self.histories.best)

    @property
    def who(self) -> str:
        return "the kept network" if self.networks == 1 else f"the {self.networks} kept networks"

    @property
    def best(self) -> str:
        """The epoch of the kept weights."""
        epoch = int(np.median(self.histories.best))
        return f"epoch {epoch}" if self.networks == 1 else f"epoch {epoch} (median)"

    @property
    def rose(self) -> str:
        """By how much the validation loss rose, with its interval, and what the training loss did."""
        course, rise = self.course, self.course.rise
        share = "" if self.histories.half_nat else f"{100 * rise.value / max(abs(course.lowest), 1e-12):.0f} %, "
        mean = "" if self.networks == 1 else "mean "
        return (
            f"from there to the end the {mean}validation loss of {self.who} rose from {readable(course.lowest)} to "
            f"{readable(course.end)} (by {share}{readable(rise.value, 2)}, 95 % interval {readable(rise.low, 2)} to "
            f"{readable(rise.high, 2)}) while the training loss {'fell' if course.train_fell > 0 else 'rose'} from "
            f"{readable(course.train_lowest)} to {readable(course.train_end)}"
        )

    @property
    def still_falling(self) -> bool:
        """Whether most networks were still improving when training ended."""
        return self.unfinished > self.networks / 2

    @property
    def unseen(self) -> str:
        """Up to which rise nothing can be told, if that is much."""
        course, rows = self.course, self.histories.rows
        if course.rise.high <= VISIBLE * course.scale or course.train_fell <= LEAST:
            return ""
        return f"; on {rows} validation rows a rise by up to {readable(course.rise.high, 2)} would not show"

    @property
    def flat(self) -> bool:
        """Whether both losses stayed where they were after the first epoch."""
        course, first = self.course, float(np.mean(self.histories.validation[:, 0]))
        changes = np.abs([course.train_start - course.train_end, first - course.lowest, first - course.end])
        return bool((changes <= LEAST * course.scale).all())

    @property
    def moved(self) -> bool:
        """Whether the training loss fell by more than a twentieth of `s`."""
        return self.course.train_start - self.course.train_end > SKILL * self.course.scale

    def overfits(self) -> str:
        kept = f"The weights that are kept are those of {self.best}, the best, not those of the end."
        return f"Training overfits from epoch {self.course.epoch} on: {self.rose}. {kept}"

    def may_overfit(self) -> str:
        rows = f"on {self.histories.rows} validation rows that can be chance"
        return f"Training may overfit from epoch {self.course.epoch} on: {self.rose}; {rows}."

    def unstable(self) -> str:
        if self.course.restless:
            mean = "" if self.networks == 1 else "mean "
            return (
                f"Training did not settle: from one epoch to the next the {mean}validation loss of {self.who} still "
                f"changed by {readable(self.course.jumps, 2)} (median of the second half), and was "
                f"{readable(self.course.lowest)} at its lowest."
            )
        return f"Training became unstable after epoch {self.course.epoch}: {self.rose}."

    def diverged(self) -> str:
        return f"Training diverged after epoch {self.course.epoch}: {self.rose}, above where it began."

    def still_improving(self) -> str:
        who = f"{self.who} {'was' if self.networks == 1 else 'were'}"
        if self.unfinished < self.networks:
            who = f"{self.unfinished} of {self.who} {'was' if self.unfinished == 1 else 'were'}"
        end = readable(self.course.end)
        return f"Not yet converged: {who} still improving when training ended (validation loss {end} at the end)."

    def not_learned(self) -> str:
        alone, skill = self.networks == 1, self.skill
        start, end = readable(self.course.train_start, 4), readable(self.course.train_end, 4)
        went = f"stayed at {start}" if start == end else f"went from {start} to {end}"
        falling = " and was still falling when training ended" if self.still_falling else ""
        side, low, high = "below" if skill.value > 0 else "above", 100 * skill.low, 100 * skill.high
        has, it_is = ("has", "it is") if alone else ("have", "they are")
        better = "not clearly better" if skill.value > 0 else "no better"
        learned = (
            f"{has} learned nothing that holds for other rows, as far as {self.histories.rows} validation rows tell"
        )
        return (
            f"{self.who[0].upper()}{self.who[1:]} {learned if self.moved else f'{has} not learned'}: the training loss "
            f"{went}{falling}, and on validation rows {it_is} {better} than guessing (loss "
            f"{readable(100 * abs(skill.value), 2)} % {side} that; gain {readable(low, 2)} to {readable(high, 2)} %, "
            "95 % interval)."
        )

    def converged(self) -> str:
        lowest, end = readable(self.course.lowest), readable(self.course.end)
        mean, median = ("", "") if self.networks == 1 else ("mean ", " in the median")
        if self.flat:
            rate = learning_rates(self.histories.learning_rates)
            return (
                f"After the first epoch training changed little: the {mean}validation loss of {self.who} was {lowest} "
                f"at its lowest (epoch {self.course.epoch}{median}) and {end} at the end. Either all there is to "
                f"learn was learned in that epoch, or the learning rate{rate} is too small."
            )
        return (
            f"Training converged: the {mean}validation loss of {self.who} was lowest at epoch {self.course.epoch}"
            f"{median} ({lowest}) and did not clearly rise to the end ({end}{self.unseen})."
        )

    def cause(self) -> str:
        """Why nothing was learned, and what to do."""
        course, rate = self.course, learning_rates(self.histories.learning_rates)
        change = course.train_start - course.train_end
        if change < -LEAST * course.scale or (self.skill.value < -1 and course.train_end > course.lowest / 2):
            return f"The learning rate{rate} is likely too large: try a smaller one."
        if self.still_falling or change <= LEAST * course.scale:
            return (
                f"The likely cause: the learning rate{rate} is too small, or training stopped too early. Try a larger "
                "one, or more epochs."
            )
        return (
            "The columns may say nothing about the target, or the rows are too few to show it: other columns or more "
            "rows would help most."
        )

    def advice(self, kind: str) -> str:
        """What to do, with the likely cause; nothing where training went well."""
        if kind == "not learned":
            return self.cause()
        if kind in ("unstable", "diverged"):
            rate = learning_rates(self.histories.learning_rates)
            return f"The learning rate{rate} is likely too large: try a smaller one."
        if kind == "still improving":
            return "Train longer (more epochs) or with a larger learning rate."
        if kind in ("overfits", "may overfit"):
            return "More rows, stronger L2, dropout or smaller networks may lower the validation loss."
        if self.flat:
            return "Try a larger learning rate: if the loss falls further, this one is too small."
        return ""


def learning_rates(rates: Sequence[float]) -> str:
    """Return learning rates as ` of 0.1` or ` of 0.001 to 0.1`, or nothing if they are not known.

    >>> learning_rates([1e-3, 0.1]), learning_rates([])
    (' of 0.001 to 0.1', '')
    """
    if not rates:
        return ""
    low, high = (readable(rate) for rate in (min(rates), max(rates)))
    return f" of {low}" if low == high else f" of {low} to {high}"


def diverged_verdict(members: Sequence[TrainedMember]) -> TrainingVerdict:
    """Return the verdict on a run that keeps nothing, since of every candidate a network diverged."""
    lost, rates, when = _lost(members)
    who = "The network" if len(members) == 1 else f"All {len(members)} networks"
    if len(lost) < len(members):
        candidates = len({member.member.candidate for member in members})
        who = "A network of the candidate" if candidates == 1 else f"Networks of all {candidates} candidates"
    its = "its" if who.startswith(("The", "A ")) else "their"
    sentence = f"{who} diverged {when}: {its} loss was no longer a finite number."
    rate = learning_rates(rates)
    advice = f"The likely cause is the learning rate{rate}: try a smaller --learning-rate."
    if min(rates) <= USUAL_RATE:
        advice = (
            f"Likely causes are the learning rate{rate}, too large for these data, or outliers in them: try a smaller "
            "--learning-rate, and look for outliers (shoal describe)."
        )
    return TrainingVerdict("diverged", sentence, advice)


def diverged_beside(members: Sequence[TrainedMember]) -> str:
    """Return how many networks diverged beside the kept ones, when and at which learning rates; nothing if none did."""
    lost, rates, when = _lost(members)
    if not lost:
        return ""
    rate, kept = (
        "a learning rate" if len(set(rates)) == 1 else "learning rates",
        "it is" if len(lost) == 1 else "they are",
    )
    return (
        f"{len(lost)} of the {len(members)} trained networks diverged {when}, with {rate}{learning_rates(rates)}: the "
        f"loss was no longer a finite number, and {kept} not kept."
    )


def _lost(members: Sequence[TrainedMember]) -> tuple[list[TrainedMember], list[float], str]:
    """Return the networks that diverged, their learning rates, and in which epochs."""
    lost = [member for member in members if member.status is Status.DIVERGED]
    if not lost:
        return [], [], ""
    first, last = (end(len(member.train_loss) for member in lost) for end in (min, max))
    when = f"in epoch {first}" if first == last else f"in epochs {first} to {last}"
    return lost, [member.member.hyperparameters.learning_rate for member in lost], when


USUAL_RATE = 0.1
"""Larger learning rates are likely to blame, whatever the optimizer."""


def measure(evaluation: Evaluation) -> TrainingVerdict:
    """Return what training did to the kept networks, or that all diverged."""
    fitted = evaluation.fitted
    if not fitted.kept:
        return diverged_verdict(fitted.members)
    curves, kept = evaluation[Curves], list(fitted.kept)
    members = [fitted.members[place] for place in kept]
    halves = np.full((len(kept), curves.train_loss.shape[1], 2), np.nan)
    for row, member in zip(halves, members, strict=True):
        row[: len(member.half_losses)] = member.half_losses
    histories = Histories(
        curves.train_loss[kept].astype(np.float64),
        curves.validation_loss[kept].astype(np.float64),
        np.array([member.best_epoch for member in members]),
        len(fitted.split.validation) if fitted.folds is None else fitted.folds.judging_rows,
        halves,
        HALF_NAT if evaluation.task is Task.CLASSIFICATION else fitted.predictor.head.half_nat,
        tuple(member.member.hyperparameters.learning_rate for member in members),
    )
    skill = NOTHING if fitted.targets else evaluation.costs[1].skill
    verdict = training_verdict(histories, skill)
    beside = diverged_beside(fitted.members)
    return replace(verdict, sentence=f"{verdict.sentence} {beside}") if beside else verdict


def numbers(record: Record) -> dict[str, Any]:
    """Return the kind, the epoch, the rise and the finding in words."""
    training = record[TrainingVerdict]
    return {
        "verdict": {
            "training": training.kind,
            "training_text": training.sentence,
            "training_advice": training.advice,
            "best_epoch": training.best_epoch,
            "rise": training.rise.as_dict(),
            "skill": training.skill.as_dict(),
        }
    }


TOPIC = Topic(75, TrainingVerdict, measure, numbers, opens_test_rows=False, of_any_run=True)
