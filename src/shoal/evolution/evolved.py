"""What `shoal.evolve` returns: champions with what they are worth, the log, and what is made of them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import SettingError
from shoal.evolution.acting import trajectory
from shoal.evolution.judging import Judged, Together
from shoal.evolution.learning import QUANTILES, EvolutionPlan, Learnt
from shoal.evolution.policy import Policy
from shoal.evolution.populations import parameters_of
from shoal.evolution.tasks import FitnessTask, Part
from shoal.evolution.tasks.environment import EnvironmentTask
from shoal.networks import Network
from shoal.notebook.html import table
from shoal.report.words import count, interval, number, seconds
from shoal.results import Interval
from shoal.short_repr import ShortRepr

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Champion:
    """What one seed came to, and what its champion and its mean are worth on unseen starts."""

    learnt: Learnt
    test: Judged
    mean_test: Judged


@dataclass(frozen=True, eq=False, repr=False)
class Evolved(ShortRepr):
    """A finished evolution.

    Attributes:
        task: what was learnt.
        network: the shape of all members.
        plan: how.
        champions: of each seed.
        averaged: one network that says the mean of all champions, its parameters, and what it is worth; None of one
        seed,
            and of layers that are not dense.
        path: the folder of the run, if it was written.
    """

    task: FitnessTask
    network: Network
    plan: EvolutionPlan
    champions: list[Champion]
    averaged: tuple[Network, np.ndarray, Judged] | None = None
    path: Path | None = None

    @property
    def best(self) -> Champion:
        """The champion that did best on the starts for selection, not on those that judge."""
        return max(self.champions, key=lambda each: each.learnt.score)

    @property
    def champion(self) -> Policy:
        """The policy of the best champion."""
        return self.policy(self.best.learnt.champion)

    @property
    def mean(self) -> Policy:
        """What the algorithm takes for the best point, of the same seed."""
        return self.policy(self.best.learnt.mean)

    @property
    def ensemble(self) -> Policy | None:
        """One network that says the mean of the champions of all seeds, or None of one seed."""
        if self.averaged is None:
            return None
        network, vector, _ = self.averaged
        return replace(self.champion, network=network, parameters=parameters_of(network, vector))

    def policy(self, vector: np.ndarray) -> Policy:
        """Return a vector of parameters as a policy."""
        parameters = parameters_of(self.network, vector)
        return Policy(self.network, parameters, self.task.observations, self.task.actions, self.task.name)

    @property
    def together(self) -> Together:
        """What the champions of all seeds are worth on unseen starts."""
        return Together.of([each.test for each in self.champions])

    @property
    def log(self) -> pl.DataFrame:
        """One row for each generation of each seed: quantiles of the fitness, sigma, failures, steps, selection."""
        import polars as pl

        rows = [
            {
                "seed": one.seed,
                "generation": one.number,
                **dict(zip(QUANTILES, one.fitness, strict=True)),
                "sigma": one.sigma,
                "failed": one.failed,
                "equal": one.equal,
                "steps": one.steps,
                "champion_selection_score": one.selected,
            }
            for each in self.champions
            for one in each.learnt.generations
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def behaviour(self, number: int = 0) -> dict[str, np.ndarray]:
        """Return what the champion does from an unseen start: time, states, actions `(steps, ...)` and rewards.

        Args:
            number: of the start.

        Raises:
            SettingError: the task is no environment of shoal, or has no such start.
        """
        task = self._environment("has no motion that could be shown")
        starts = task.starts(Part.TEST, self.champions[0].learnt.seed)
        if not 0 <= number < starts.shape[1]:
            raise SettingError(f"number must be 0 to {starts.shape[1] - 1}, got {number!r}")
        steps = list(trajectory(task.environment, self.champion, starts[:, number], task.limit))
        states, actions, rewards = (np.asarray(part) for part in zip(*steps, strict=True))
        time = np.arange(len(steps)) * task.environment.dt
        return {"time": time, "states": states, "actions": actions, "rewards": rewards}

    def animate(self, path: str | Path, number: int = 0) -> Path:
        """Write what the champion does from an unseen start as an animation, `.gif` or `.svg`.

        Args:
            path: where to write; a file that is there is replaced.
            number: of the start.

        Raises:
            SettingError: another ending, or the task is no environment of shoal.
            RunError: the file cannot be written.
        """
        from shoal.evolution.animation import write_animation

        task = self._environment("has no drawing")
        return write_animation(task.environment, self.behaviour(number)["states"], Path(path))

    def export(self, path: str | Path, *, force: bool = False) -> Any:
        """Write the champion for other programs: `.c` (C99), `.f90`, `.py`, or `.keras`.

        Args:
            path: where to write.
            force: replace a file that is there.

        Returns:
            The files, and how well they agree with shoal on observations from unseen starts.

        Raises:
            ExportError: another ending, or a layer that the format cannot say.
            RunError: the file exists or cannot be written.
        """
        from shoal.evolution.exporting import export_policy, random_rows, seen_from

        if isinstance(self.task, EnvironmentTask):
            start = self.task.starts(Part.TEST, self.champions[0].learnt.seed)[:, 0]
            rows = seen_from(self.task.environment, self.champion, start)
        else:
            rows = random_rows(self.champion)
        return export_policy(self.champion, path, rows, force=force)

    def _environment(self, but: str) -> EnvironmentTask:
        if not isinstance(self.task, EnvironmentTask):
            raise SettingError(f"the task {self.task.name!r} {but}; environments of shoal have")
        return self.task

    @property
    def sentences(self) -> tuple[str, ...]:
        """What there is to say of the result, each a sentence."""
        return tuple(result_sentences(self))

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        return table(("", self.task.name), [(str(i), line) for i, line in enumerate(self.sentences, 1)])


def result_sentences(run: Evolved) -> list[str]:
    """Return the result, what it cost, and what to look out for."""
    together, best, lines = run.together, run.best, []
    task, judged = run.task, run.best.test
    where = f"{judged.starts:,} unseen {task.episode}s" if task.episode else "the same fitness that it learnt from"
    if judged.success is not None:
        lines.append(
            f"The champion succeeds in {in_percent(judged.success)} of {where}; success means that {task.success}."
        )
    if judged.starts > 1:
        lines.append(f"The champion's mean fitness, of {where}, is {_mean(judged.fitness)}.")
    else:
        lines.append(f"The champion's fitness is {number(judged.fitness.value, 4)}, by {where}.")
    if together.seeds > 1:
        if together.success is not None and together.solved is not None:
            solved = round(together.solved.value * together.seeds)
            lines.append(
                f"Of {together.seeds} seeds {solved} are solved (at least 95 % of unseen {task.episode}s), a share of "
                f"{in_percent(together.solved)}; their champions succeed in {in_percent(together.success)} on average."
            )
        lines.append(f"The mean fitness of the champions of all seeds is {_mean(together.fitness)}.")
    if not np.array_equal(best.learnt.mean, best.learnt.champion):
        lines.append(
            f"The algorithm's mean of the same seed has {_worth(best.mean_test)}, the champion {_worth(judged)}."
        )
    if run.averaged is not None:
        lines.append(f"The mean of the champions' outputs, one network, has {_worth(run.averaged[2])}.")
    return [*lines, *cost_sentences(run)]


def cost_sentences(run: Evolved) -> list[str]:
    """Return generations, evaluations, steps and seconds, and what went wrong."""
    learnt = [each.learnt for each in run.champions]
    generations = sum(len(each.generations) for each in learnt)
    evaluations, steps, spent = (
        sum(getattr(each, name) for each in learnt) for name in ("evaluations", "steps", "seconds")
    )
    made = f" and {steps:,} steps" if steps else ""
    lines = [f"It took {count(generations, 'generation')}, {evaluations:,} evaluations{made} in {seconds(spent)}."]
    for reason, seeds in Counter(each.ended for each in learnt).items():
        who = f"{seeds} of {len(learnt)} seeds" if len(learnt) > 1 else "Learning"
        lines.append(f"{who} ended because {reason}.")
    failed = sum(one.failed for each in learnt for one in each.generations)
    if failed:
        why = next(each.failure for each in learnt if each.failure)
        lines.append(
            f"{count(failed, 'evaluation')} had no fitness and counted as the worst; the first: {why.rstrip('.')}."
        )
    equal = sum(one.equal for each in learnt for one in each.generations)
    if equal:
        lines.append(
            f"In {count(equal, 'generation')} all members had the same fitness, from which nothing can be learnt."
        )
    return lines


def _mean(value: Interval) -> str:
    return f"{number(value.value, 4)}, the same each time" if math.isnan(value.low) else interval(value)


def in_percent(share: Interval) -> str:
    """Return a share with its interval in per cent."""
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def _worth(judged: Judged) -> str:
    success = "" if judged.success is None else f"{100 * judged.success.value:.1f} % successes and "
    return f"{success}a fitness of {number(judged.fitness.value, 4)}"
