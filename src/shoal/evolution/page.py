"""The page of an evolution: result, curves, behaviour, drawing of the policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shoal.evolution.animation import svg_of
from shoal.evolution.evolved import Evolved, in_percent
from shoal.evolution.tasks.environment import EnvironmentTask
from shoal.report.blocks import Facts, Heading, Headline, Paragraph, PlainTable, Section, figures, sentences
from shoal.report.figures import publish
from shoal.report.figures.behaviour import Behaviour
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import FigureNumbers
from shoal.report.figures.export import drawing, save
from shoal.report.figures.generations import Generations
from shoal.report.page import html_of
from shoal.report.words import integer, number, seconds
from shoal.runs.writing import write_atomically

PAGE, FIGURES = "report.html", "figures"
POLICY = "The champion's network: each line is a weight, its colour the sign and its width the size."
MOVING = "The champion from the first unseen start."


def write_page(run: Evolved, folder: Path) -> Path:
    """Write the figures, as SVG, PDF and CSV, and `report.html`, which needs nothing else.

    Raises:
        RunError: a file cannot be written.
    """
    numbers: dict[str, Any] = {"generations": generations_of(run)}
    captions = {"policy": POLICY, "animation": MOVING}
    if isinstance(run.task, EnvironmentTask):
        numbers["behaviour"] = behaviour_of(run)
    named = {name: FigureNumbers(name, of_figure) for name, of_figure in numbers.items()}
    elements = publish(named, folder / FIGURES, run.task.episode or "row")
    with drawing():
        elements["policy"] = save(_drawn(run), folder / FIGURES, "policy", POLICY)
    if isinstance(run.task, EnvironmentTask):
        elements["animation"] = svg_of(run.task.environment, run.behaviour()["states"])
    captions |= {name: figure.numbers.caption for name, figure in named.items()}
    text = html_of(run.task.name, sections(run), elements, captions, run.task.episode or "row")
    return write_atomically(folder / PAGE, text)


def sections(run: Evolved) -> list[Section]:
    """Return the sections of the page, the head first."""
    title, lines = run.task.title, run.sentences
    shown = Paragraph("Evolution", "kicker"), Heading(run.task.name, 1), Paragraph(title, "lead"), _headline(run)
    head = Section("verdict", 0, shown, "Result")
    result = Section("result", 10, (sentences(lines), _seeds(run)), "Champions", "Champions")
    curves = Section("curves", 20, (figures("generations"),), "Curves", "Generations")
    moving = ("animation", "behaviour") if isinstance(run.task, EnvironmentTask) else ()
    acts = Section("behaviour", 30, (figures(*moving),), "Behaviour", "What the champion does")
    policy = Section("policy", 40, (figures("policy"), _names(run)), "Policy", "The policy")
    how = Section("how", 50, (_how(run),), "How", "How it was learnt")
    return [head, result, curves, *([acts] if moving else []), policy, how]


def _headline(run: Evolved) -> Headline:
    """Return what the champion is worth, and how many seeds are solved."""
    test, together, scores = run.best.test, run.together, []
    if test.success is not None:
        on = f"of {test.starts:,} unseen {run.task.episode}s succeed"
        around = f"{100 * test.success.low:.1f} to {100 * test.success.high:.1f} %"
        scores.append((on, f"{100 * test.success.value:.1f} %", around))
    else:
        known = "" if np.isnan(test.fitness.low) else f"{number(test.fitness.low, 4)} to {number(test.fitness.high, 4)}"
        scores.append(("fitness", number(test.fitness.value, 4), known))
    if together.solved is not None and together.seeds > 1:
        solved = round(together.solved.value * together.seeds)
        around = f"share {number(together.solved.low, 2)} to {number(together.solved.high, 2)}"
        scores.append(("seeds solved", f"{solved} of {together.seeds}", around))
    return Headline(tuple(scores))


def generations_of(run: Evolved) -> Generations:
    """Return the numbers of the figure of all generations."""
    log = [one for each in run.champions for one in each.learnt.generations]
    score = "share of successes" if run.best.test.success is not None else "fitness"
    return Generations(
        np.array([one.seed for one in log]),
        np.array([one.number for one in log]),
        np.array([one.fitness for one in log]).T,
        np.array([np.nan if one.selected is None else one.selected for one in log]),
        run.best.learnt.seed,
        score,
    )


def behaviour_of(run: Evolved) -> Behaviour:
    """Return the numbers of the figure of what the champion does."""
    assert isinstance(run.task, EnvironmentTask)
    shown, world = run.behaviour(), run.task.environment
    arrays = shown["time"], shown["states"].T, shown["actions"].T, shown["rewards"]
    return Behaviour(*arrays, world.states, world.actions, world.time_unit)


def _drawn(run: Evolved) -> Figure:
    policy = run.champion
    names = [name if len(name) < 26 else f"{name[:24]}…" for name in (*policy.observations, *policy.actions)]
    return policy.draw(feature_names=names[: len(policy.observations)], class_names=names[len(policy.observations) :])


def _seeds(run: Evolved) -> PlainTable:
    rows = []
    for each in run.champions:
        learnt, test = each.learnt, each.test
        success = "–" if test.success is None else in_percent(test.success)
        cost = integer(len(learnt.generations)), integer(learnt.evaluations), seconds(learnt.seconds)
        rows.append(
            (str(learnt.seed), success, number(test.fitness.value, 4), number(each.mean_test.fitness.value, 4), *cost)
        )
    header = "seed", "successes", "fitness", "fitness of the mean", "generations", "evaluations", "time"
    note = f"On {run.best.test.starts:,} unseen {run.task.episode}s, the same for all." if run.task.episode else ""
    return PlainTable("Each seed", header, tuple(rows), note, numeric=tuple(range(1, 7)))


def _names(run: Evolved) -> PlainTable:
    count = max(len(run.task.observations), len(run.task.actions))
    columns = [[*names, *[""] * (count - len(names))] for names in (run.task.observations, run.task.actions)]
    return PlainTable("What the policy sees and does", ("observation", "action"), tuple(zip(*columns, strict=True)))


def _how(run: Evolved) -> Facts:
    plan, learnt = run.plan, run.best.learnt
    pairs = (
        ("algorithm", f"{plan.algorithm.title}: {plan.algorithm.reference}"),
        ("parameters", integer(run.network.parameter_count)),
        ("members", integer(plan.population or plan.algorithm.members)),
        ("sigma", f"{number(plan.sigma or plan.algorithm.sigma)}, in the end {number(learnt.generations[-1].sigma)}"),
        ("champions", f"chosen every {plan.every} generations on starts of their own, judged on others"),
    )
    return Facts(pairs, "lines")
