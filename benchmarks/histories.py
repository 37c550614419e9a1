"""Training histories whose truth is known, by which `docs/reliability.md` counts how often a verdict is right.

    python -m benchmarks.histories            # train them anew, from the root; some minutes
    python -m benchmarks.histories --count    # judge those that are kept; both write the counts to the page

Each history is that of a few networks on rows drawn from a law, trained by the native engine. The same networks are
trained once more with 1,500 validation rows in place of the few: these change neither weights nor order, so that
their curve is the loss in the population, without the noise of the few. That curve says what is true:

* diverged: a loss was no longer finite, or at the end training and population loss lay above where they began;
* overfits: from its lowest point to the end it rose by a tenth (of the loss; of half a nat in log-losses);
* not learned: at no epoch was the population's loss 5 % below that of the shares of the classes, or of the mean;
* still improving: over the last fifth of training it fell by a twentieth of what was learned, its best at the end;
* slightly: it rose by a fiftieth or more; never: by less.

Of built-in sets the population are the rows that no network learned from. The thresholds of `training_course` were set
on other histories, drawn at random; worlds of seed 0 were looked at while the verdicts were written, those of seed 1
only to count.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data import Preparation, load_dataset, split_rows
from shoal.evaluation.guessing import Costs, constant_guess, row_costs
from shoal.evaluation.topics.training import NOTHING, TrainingVerdict, training_verdict
from shoal.evaluation.training_course import HALF_NAT, Histories, at_end, known, smoothed
from shoal.prediction.predictor import to_probabilities
from shoal.results import Interval, Status, Task
from shoal.training.engine_choice import choose_engine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member, TrainedMember
from shoal.training.planner import find_budget
from shoal.training.problem import Part, Problem, make_problem
from shoal.training.trainer import train

KEPT = Path(__file__).parents[1] / "tests" / "fixtures" / "histories.npz"
PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- verdicts -->", "<!-- end of verdicts -->"
POPULATION = 1500
Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class World:
    """A law, how many rows are drawn from it, and the networks that learn them.

    `classes` is 0 where values are learned; the rest are hyperparameters.
    """

    draw: Draw
    rows: tuple[int, int]
    hyperparameters: dict[str, Any]
    classes: int = 0
    networks: int = 1
    loss: str | None = None


def sine(noise: float, columns: int = 1) -> Draw:
    """Return a law: a sine of the first column with noise."""

    def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        x = random.uniform(-1.7, 1.7, (rows, columns))
        return x, np.sin(2.5 * x[:, :1]) + noise * random.normal(size=(rows, 1))

    return draw


def clouds(distance: float, columns: int, classes: int = 2) -> Draw:
    """Return a law: normal clouds, a class each, some widths apart."""

    def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        y = random.integers(classes, size=rows)
        x = random.normal(size=(rows, columns))
        x[:, :classes] += distance * np.eye(classes)[y]
        return x, y

    return draw


def rings(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw two classes by their distance from the middle, a tenth of the labels wrong."""
    x = random.normal(size=(rows, 2))
    y = (np.hypot(*x.T) > 1.18).astype(int)
    return x, np.where(random.random(rows) < 0.1, 1 - y, y)


LARGE = {"hidden": (64, 64), "activation": "tanh", "optimizer": "adam", "learning_rate": 0.005, "batch_size": 16}
SMALL = {"hidden": (8,), "activation": "tanh", "optimizer": "adam", "learning_rate": 0.005, "batch_size": 32}
WIDE = {"hidden": (128,), "activation": "relu", "optimizer": "adam", "learning_rate": 0.003, "batch_size": 16}
SLOW = {"hidden": (16,), "optimizer": "sgd", "batch_size": 32, "epochs": 40, "patience": 40}


def _to_the_end(base: dict[str, Any], epochs: int, **more: Any) -> dict[str, Any]:
    return {**base, "epochs": epochs, "patience": epochs, **more}


WORLDS: dict[str, World] = {
    "noisy points, large network": World(sine(0.6), (38, 10), _to_the_end(LARGE, 200)),
    "noisy points, six networks": World(sine(0.6), (38, 12), _to_the_end(LARGE, 120), networks=6),
    "noise in eight columns": World(sine(0.5, 8), (60, 30), _to_the_end(LARGE, 120)),
    "clouds, wide network": World(clouds(1.2, 10), (80, 40), _to_the_end(WIDE, 150), 2),
    "clouds, fast and wide": World(clouds(1.5, 20), (150, 60), _to_the_end(WIDE, 120, learning_rate=0.01), 2),
    "clouds, five networks": World(clouds(1.2, 10), (80, 40), _to_the_end(WIDE, 120), 2, networks=5),
    "clouds, slow and wide": World(clouds(1.2, 10), (120, 60), _to_the_end(WIDE, 150, learning_rate=0.0004), 2),
    "rings, patience": World(rings, (200, 60), {**WIDE, "epochs": 200, "patience": 30}, 2),
    "likelihood of noisy points": World(sine(0.4), (60, 30), _to_the_end(LARGE, 120), loss="gaussian_nll"),
    "many rows, small network": World(sine(0.3), (600, 200), _to_the_end(SMALL, 120)),
    "many clouds, small network": World(clouds(2.0, 4, 3), (800, 250), _to_the_end(SMALL, 60), 3),
    "likelihood, many rows": World(sine(0.3), (600, 200), _to_the_end(SMALL, 80), loss="gaussian_nll"),
    "no noise": World(sine(0.0), (300, 100), _to_the_end(SMALL, 200)),
    "clouds far apart": World(clouds(6.0, 3), (300, 100), _to_the_end(SMALL, 60), 2),
    "noisy steps": World(sine(0.5), (120, 40), _to_the_end(SMALL, 120, learning_rate=0.1, batch_size=4)),
    "noisy steps of classes": World(clouds(1.5, 5), (120, 40), _to_the_end(SMALL, 100, learning_rate=0.1), 2),
    "dropout": World(clouds(1.5, 10), (300, 100), _to_the_end(WIDE, 60, dropout=0.5, l2=1.0), 2),
    "few rows to judge": World(clouds(1.5, 4), (200, 6), _to_the_end(SMALL, 80), 2),
    "few noisy rows": World(sine(0.6), (20, 4), _to_the_end(SMALL, 100)),
    "steps of 1e-6": World(clouds(2.0, 4, 3), (96, 24), {**SLOW, "learning_rate": 1e-6}, 3),
    "steps of 1e-7 in values": World(sine(0.3), (200, 60), {**SLOW, "learning_rate": 1e-7}),
    "labels drawn at random": World(clouds(0.0, 5), (200, 60), {**SMALL, "epochs": 60, "patience": 20, "l2": 1.0}, 2),
    "values drawn at random": World(
        lambda r, n: (r.normal(size=(n, 4)), r.normal(size=(n, 1))), (150, 50), {**SMALL, "epochs": 60, "patience": 20}
    ),
    "random labels, wide network": World(clouds(0.0, 8), (120, 50), _to_the_end(WIDE, 80), 2),
    "slow descent": World(sine(0.3), (300, 100), {**SLOW, "learning_rate": 0.003, "epochs": 60, "patience": 60}),
    "slow descent of classes": World(clouds(3.0, 4, 3), (300, 100), {**SLOW, "learning_rate": 0.005}, 3),
    "steps of 1e6": World(clouds(2.0, 4, 3), (96, 24), {**SLOW, "learning_rate": 1e6}, 3),
    "steps too large": World(sine(0.3), (100, 30), {**SLOW, "learning_rate": 30.0}),
    "steps too large, but finite": World(
        clouds(1.0, 5), (150, 50), {**SLOW, "optimizer": "adam", "learning_rate": 3.0, "hidden": (32, 32)}, 2
    ),
}
SEEDS = (0, 1)


@dataclass(frozen=True)
class History:
    """What a verdict sees of some networks, and what is true; see the head of this module.

    `skill` is that of the kept networks on the few validation rows; `true_rise` that of the population's loss from its
    lowest point to the end, and `true_scale` what it counts in.
    """

    name: str
    seed: int
    losses: Histories
    skill: Interval
    diverged: bool
    truth: str
    true_rise: float = 0.0
    true_scale: float = 1.0


def _problem(world: World, training: Part, validation: Part, seed: int) -> Problem:
    task = Task.CLASSIFICATION if world.classes else Task.REGRESSION
    loss = choose_loss(task, world.classes, world.loss)
    return make_problem(task, loss, training, validation, classes=world.classes, seed=seed)


def trained(world: World, problem: Problem, stop: bool = True) -> list[TrainedMember]:
    """Return the networks of a world, trained; without `stop` to their last epoch."""
    wanted = dict(world.hyperparameters)
    if not stop:
        wanted["patience"] = wanted["epochs"]
    members = [Member(i, Hyperparameters(**wanted)) for i in range(world.networks)]
    return train(problem, members, choose_engine(problem, members, "native", find_budget(None)).make()).members


def padded(members: list[TrainedMember], name: str, epochs: int) -> np.ndarray:
    """Return a curve of all members, NaN behind the end of each."""
    curves = [np.asarray(getattr(member, name), np.float64) for member in members]
    table = np.full((len(curves), epochs, *curves[0].shape[1:]), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = curve[:epochs]
    return table


def history(name: str, seed: int, world: World, parts: tuple[Part, Part, Part]) -> History:
    """Return the history of a world on training and validation rows, and what is true by those of the population."""
    learned, judged, population = parts
    problem = _problem(world, learned, judged, seed)
    members = trained(world, problem)
    epochs = max(len(member.train_loss) for member in members)
    losses = Histories(
        padded(members, "train_loss", epochs),
        padded(members, "validation_loss", epochs),
        np.array([member.best_epoch for member in members]),
        len(judged[1]),
        padded(members, "half_losses", epochs),
        HALF_NAT if world.classes else problem.loss.head.half_nat,
    )
    if any(member.status is Status.DIVERGED for member in members):
        return History(name, seed, losses, NOTHING, True, "diverged")
    skill = _skill(world, problem, members, learned, judged)
    truly = trained(world, _problem(world, learned, population, seed), stop=False)
    truth, rise, scale = _truth(world, losses, padded(truly, "validation_loss", epochs), problem)
    return History(name, seed, losses, skill, False, truth, rise, scale)


def _skill(world: World, problem: Problem, members: list[TrainedMember], learned: Part, judged: Part) -> Interval:
    """Return by how much the mean of the kept networks is better than guessing on the validation rows."""
    outputs = np.mean([m.network.predict(m.parameters, problem.validation_x) for m in members], axis=0)
    if world.classes:
        guess = to_probabilities(outputs.astype(np.float64))
    else:
        guess = np.asarray(problem.loss.head.point(np, outputs), np.float64)
    constant = constant_guess(problem.task, learned[1], None, world.classes)
    variance = None if world.classes else np.var(learned[1], axis=0)
    costs = (row_costs(problem.task, judged[1], each, variance) for each in (guess, constant))
    return Costs(*costs, None, {"seed": 0}).skill


def _truth(world: World, losses: Histories, population: np.ndarray, problem: Problem) -> tuple[str, float, float]:
    """Return what is true of a history by the loss of the population `(networks, epochs)`, with rise and scale."""
    ends = [len(known(curve)) for curve in losses.validation]
    curves = [smoothed(curve[:end]) for curve, end in zip(population, ends, strict=True)]
    lowest, end = np.mean([c.min() for c in curves]), np.mean([at_end(c) for c in curves])
    start, rise = np.mean([c[0] for c in curves]), float(end - lowest)
    scale = losses.half_nat or max(float(lowest), 0.02 * start)
    shares = problem.y.mean(axis=0)
    if world.classes:
        shares = np.array([1 - shares[0], shares[0]]) if len(shares) == 1 else shares
        usual = float(-(shares * np.log(shares)).sum())
    else:
        usual = float(problem.y.var())
    if world.loss is not None:
        usual = np.log(usual) + 1.0  # of gaussian_nll
    train_ends = np.mean([at_end(known(curve)) for curve in losses.train])
    if train_ends > losses.train[:, 0].mean() and end > start:
        return "diverged", rise, scale
    fifth = np.mean([c[-max(2, len(c) // 5)] - c[-1] for c in curves])
    learned = lowest < usual - 0.05 * (1.0 if world.loss is not None else usual)
    if rise > 0.1 * scale:
        return "overfits", rise, scale
    if not learned:
        return "not learned", rise, scale
    if fifth > 0.05 * max(usual - end, 0.0) and np.mean([c.argmin() >= 0.95 * len(c) - 1 for c in curves]) > 0.5:
        return "still improving", rise, scale
    return ("slightly" if rise > 0.02 * scale else "never"), rise, scale


def shipped(name: str, seed: int) -> tuple[Part, Part, Part]:
    """Return training and validation rows of a built-in set, and all others as the population."""
    dataset = load_dataset(name)
    split = split_rows(dataset, seed=seed)
    preparation = Preparation.fit(dataset, split.train)
    x, y = preparation.transform(dataset.inputs(np.arange(len(dataset.y())))), dataset.y()
    others = np.concatenate([split.validation, split.test])
    learned, judged, population = ((x[rows], y[rows], None) for rows in (split.train, split.validation, others))
    return learned, judged, population


WIDE_OF_THE_ISSUE = _to_the_end({"hidden": (256, 256), "activation": "relu", "learning_rate": 0.003}, 100)
SHIPPED: dict[str, tuple[str, dict[str, Any], int]] = {
    "breast_cancer, 256-256": ("breast_cancer", WIDE_OF_THE_ISSUE, 2),
    "iris, 64-64": ("iris", _to_the_end(LARGE, 200), 3),
    "iris, steps of 1e-6": ("iris", {**SLOW, "learning_rate": 1e-6}, 3),
    "wine, small network": ("wine", _to_the_end(SMALL, 100), 3),
}
"""Built-in sets, whose population are the rows that no network learned from."""


def make_all() -> list[History]:
    """Train all worlds with all seeds."""
    made = []
    for seed in SEEDS:
        for number, (name, world) in enumerate(WORLDS.items()):
            random = np.random.default_rng([number, seed])
            learned, judged, population = ((*world.draw(random, n), None) for n in (*world.rows, POPULATION))
            made.append(history(name, seed, world, (learned, judged, population)))
            print(seed, name, made[-1].truth, flush=True)
        for name, (data, hyperparameters, classes) in SHIPPED.items():
            world = World(rings, (0, 0), hyperparameters, classes)
            made.append(history(name, seed, world, shipped(data, seed)))
    return made


def rounded(values: np.ndarray) -> np.ndarray:
    """Return values as float32 with five significant digits, which compress well."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = 10.0 ** (4 - np.floor(np.log10(np.abs(values))))
        short = np.where(np.isfinite(values) & (values != 0), np.round(values * places) / places, values)
    return short.astype(np.float32)


def keep(histories: list[History]) -> None:
    """Write histories for the tests."""
    arrays: dict[str, np.ndarray] = {}
    document = []
    for i, each in enumerate(histories):
        losses = each.losses
        arrays |= {f"{i}.{name}": rounded(getattr(losses, name)) for name in ("train", "validation", "halves")}
        document.append(
            {
                "name": each.name,
                "seed": each.seed,
                "best": losses.best.tolist(),
                "rows": losses.rows,
                "half_nat": losses.half_nat,
                "skill": [each.skill.value, each.skill.low, each.skill.high],
                "diverged": each.diverged,
                "truth": each.truth,
                "true_rise": each.true_rise,
                "true_scale": each.true_scale,
            }
        )
    np.savez_compressed(KEPT, document=np.array(json.dumps(document)), **arrays)


def kept(path: Path = KEPT) -> list[History]:
    """Return the histories that are kept."""
    with np.load(path) as arrays:
        document = json.loads(str(arrays["document"]))
        return [
            History(
                each["name"],
                each["seed"],
                Histories(
                    *(arrays[f"{i}.{name}"].astype(np.float64) for name in ("train", "validation")),
                    np.array(each["best"]),
                    each["rows"],
                    arrays[f"{i}.halves"].astype(np.float64),
                    each["half_nat"],
                ),
                Interval(*each["skill"]),
                each["diverged"],
                each["truth"],
                each["true_rise"],
                each["true_scale"],
            )
            for i, each in enumerate(document)
        ]


RIGHT: dict[str, tuple[str, ...]] = {
    "diverged": ("diverged", "unstable"),
    "not learned": ("not learned",),
    "still improving": ("still improving",),
    "overfits": ("overfits",),
    "slightly": ("converged", "overfits", "may overfit", "still improving"),
    "never": ("converged", "still improving"),
}
"""The verdicts that are right of each truth; that training still improves where nothing rises is no error."""
UNDECIDED = {"overfits": ("may overfit",), "never": ("may overfit",)}
"""Those that say that the rows are too few to tell, neither right nor wrong."""


def judge(each: History) -> TrainingVerdict:
    """Return the verdict on a history."""
    if each.diverged:
        return TrainingVerdict("diverged", "")
    return training_verdict(each.losses, each.skill)


def outcome(each: History) -> str:
    """Return whether the verdict on a history is `right`, `undecided` or `wrong`."""
    kind = judge(each).kind
    if kind in RIGHT[each.truth]:
        return "right"
    return "undecided" if kind in UNDECIDED.get(each.truth, ()) else "wrong"


def table(histories: list[History]) -> str:
    """Return how often the verdict is right of each kind, as a table of Markdown."""
    heads = ("what is true", "histories", "right", "undecided", "wrong", "the wrong verdicts")
    lines = [f"| {' | '.join(heads)} |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for truth in (*RIGHT, "all"):
        of_kind = [each for each in histories if truth in (each.truth, "all")]
        results = [outcome(each) for each in of_kind]
        wrong = sorted({f"{judge(e).kind} ({e.name})" for e in of_kind if outcome(e) == "wrong" and truth != "all"})
        counts = [results.count(word) for word in ("right", "undecided", "wrong")]
        lines.append(f"| {truth} | {len(of_kind)} | {counts[0]} | {counts[1]} | {counts[2]} | {'; '.join(wrong)} |")
    return "\n".join(lines)


def main() -> None:
    """Train or count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", action="store_true", help="judge the histories that are kept")
    if not parser.parse_args().count:
        keep(make_all())
    histories = kept()
    before, held_back = PAGE.read_text("utf-8").split(BEGIN)[0], [each for each in histories if each.seed % 2]
    after = PAGE.read_text("utf-8").split(END)[1]
    text = f"{BEGIN}\n{table(held_back)}\n{END}"
    PAGE.write_text(before + text + after, "utf-8")
    print(table([each for each in histories if not each.seed % 2]), table(held_back), sep="\n\n")


if __name__ == "__main__":
    main()
