"""One knob at a time against random search, on scores of networks that are trained here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from shoal.workbench.learn.drawing import axes, band, drawing, heat, line, points
from shoal.workbench.learn.figure import Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData
from shoal.workbench.learn.population import train_population

RATES = np.logspace(-3.0, 0.3, 16)
STRENGTHS = np.logspace(-1.0, 3.0, 12)
EPOCHS, REPEATS = 40, 200


@lru_cache(maxsize=8)
def landscape(data: FigureData) -> np.ndarray:
    """Return the validation loss for each penalty and learning rate, `(penalties, rates)`; one network each."""
    order = np.random.default_rng(0).permutation(len(data.x))
    half = len(order) // 2
    rows, beside = order[:half], order[half:]
    settings = [
        {
            "hidden": (16,),
            "activation": ("tanh",),
            "epochs": EPOCHS,
            "batch_size": 16,
            "learning_rate": rate,
            "l2": strength,
        }
        for strength in map(float, STRENGTHS)
        for rate in map(float, RATES)
    ]
    classes = len(data.classes)
    done = train_population(
        data.x[rows], data.y[rows], settings, classes=classes, validation=(data.x[beside], data.y[beside])
    )
    worst = 2.0 * np.log(max(classes, 2))
    loss = np.nan_to_num(done.validation_loss[:, -1], nan=worst, posinf=worst)
    return np.minimum(loss, worst).reshape(len(STRENGTHS), len(RATES))


def one_at_a_time(scores: np.ndarray, tries: int, seed: int) -> list[tuple[int, int]]:
    """Return the places that are tried: from a random start along one knob, then from its best along the other."""
    random = np.random.default_rng(seed)
    here = [int(random.integers(size)) for size in scores.shape]
    tried, each = [(here[0], here[1])], max(1, tries // 4)
    axis = int(random.integers(2))
    while len(tried) < tries:
        for place in random.choice(scores.shape[axis], min(each, scores.shape[axis]), replace=False):
            one = [*here]
            one[axis] = int(place)
            tried.append((one[0], one[1]))
        here = list(tried[int(np.argmin([scores[place] for place in tried]))])
        axis = 1 - axis
    return tried[:tries]


def at_random(scores: np.ndarray, tries: int, seed: int) -> list[tuple[int, int]]:
    """Return the places that are tried: any, each once."""
    chosen = np.random.default_rng(seed).choice(scores.size, min(tries, scores.size), replace=False)
    return [(int(place) // scores.shape[1], int(place) % scores.shape[1]) for place in chosen]


WAYS = {"one knob at a time": (one_at_a_time, "vermilion"), "random": (at_random, "blue")}


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return the scores of all choices with the places that both ways try, and the best so far over many repeats."""
    scores, tries, seed = landscape(data), state["tries"], state["seed"]
    logs = np.log10(RATES), np.log10(STRENGTHS)
    marks: list[dict[str, Any]] = [
        heat(scores, (logs[0][0], logs[0][-1]), (logs[1][0], logs[1][-1]), scale="sequential", label="validation loss")
    ]
    courses, facts, ends = [], [], {}
    count = np.arange(1, tries + 1)
    for name, (way, colour) in WAYS.items():
        tried = np.array(way(scores, tries, seed))
        marks.append(points(logs[0][tried[:, 1]], logs[1][tried[:, 0]], colour, size=4.5, label=name))
        best = np.array([np.minimum.accumulate([scores[p] for p in way(scores, tries, s)]) for s in range(REPEATS)])
        low, middle = np.quantile(best, (0.25, 0.75), axis=0)
        courses.append(band(count, low, middle, colour))
        courses.append(line(count, best.mean(axis=0), colour, label=f"{name}, mean of {REPEATS}"))
        ends[name] = float(best[:, -1].mean())
        facts.append((f"Best after {tries}, {name}", f"{ends[name]:.3f}"))
    place = np.unravel_index(scores.argmin(), scores.shape)
    marks.append(points([logs[0][place[1]]], [logs[1][place[0]]], "green", size=6, label="best of all"))
    high = float(np.quantile(scores, 0.75))
    spans = (logs[0][0], logs[0][-1], "log₁₀ learning rate"), (logs[1][0], logs[1][-1], "log₁₀ λ of L2")
    panels = [
        axes(f"{scores.size} networks, and {tries} tries", *spans, marks, square=True),
        axes("Best so far", (1.0, float(tries), "tries"), (float(scores.min()) * 0.95, high, "loss"), courses),
    ]
    first = min(ends, key=lambda name: ends[name])
    say = (
        f"After {tries} tries the mean best of “{first}” is lower, {ends[first]:.3f}. The best of all has "
        f"{scores.min():.3f}, at a learning rate of {RATES[place[1]]:.3g} and λ = {STRENGTHS[place[0]]:.3g}."
    )
    return drawing(panels, say, [*facts, ("Best of all", f"{scores.min():.3f}")])


FIGURE = Figure(
    "one-knob-or-random",
    "Many networks",
    1,
    "One knob at a time, or at random",
    "Each place of the map is a network trained just now. Two ways look for the best, with as many tries.",
    (r"(\eta, \lambda)^\ast = \mathrm{arg\,min}_{\eta, \lambda}\; J_{\mathrm{validation}}(\eta, \lambda)",),
    "Nine tries on a grid of 3 × 3, or nine at random: how many different learning rates does each see?",
    "Three, and nine. Where one knob matters much more than the other, the grid wastes two thirds of its tries.",
    (
        Slider("tries", "Tries", 4, 40, 12, 1, play=True, whole=True),
        Slider("seed", "Other tries", 0, 30, 0, 1, whole=True),
    ),
    compute,
    "classes",
    ("iris", "exclusive_or", "ring", "spirals", "wine"),
)
