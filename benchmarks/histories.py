"""Training histories of known truth, by which `docs/explanation/reliability.md` counts how often a verdict is right.

    python -m benchmarks.histories            # train them anew, from the root; some minutes
    python -m benchmarks.histories --count    # judge those that are kept; both write the counts to the page
    python -m benchmarks.histories --interval 0 280    # train worlds drawn at random, and count the rise's interval

Each history is that of a few networks on rows drawn from a law, trained by the native engine. The same networks are
trained once more with 1,500 validation rows in place of the few: these change neither weights nor order, so that
their curve is the loss in the population, without the noise of the few. That curve says what is true:

* diverged: a loss was no longer finite, or at the end training and population loss lay above where they began;
* overfits: from its lowest point to the end it rose by a tenth (of the loss; of half a nat in log-losses);
* unstable: likewise, but the training loss rose as much;
* not learned: at no epoch was the population's loss 5 % below that of the shares of the classes, or of the mean;
* still improving: over the last fifth of training it fell by a twentieth of what was learned, its best at the end;
* slightly: it rose by a fiftieth or more; never: by less.

Of built-in sets the population are the rows that no network learned from. The interval of the rise was set on worlds
drawn at random, of the seeds 0 to 279; those of seed 0 were looked at while the verdicts were written. Those of seed 1,
and the other kinds of `HELD_BACK`, were only counted.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.worlds import HELD_BACK, SHIPPED, WORLDS, World, random_world, rings
from shoal.data import Preparation, load_dataset, split_rows
from shoal.evaluation.guessing import Costs, constant_guess, row_costs
from shoal.evaluation.topics.training import NOTHING, TrainingVerdict, training_verdict
from shoal.evaluation.training_course import HALF_NAT, LEAST, VISIBLE, Histories, at_end, known, smoothed
from shoal.prediction.predictor import to_probabilities
from shoal.results import Interval, Status, Task
from shoal.training.engine_choice import choose_engine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member, TrainedMember
from shoal.training.planner import find_budget
from shoal.training.problem import Prepared, Problem, make_problem
from shoal.training.trainer import train

KEPT = Path(__file__).parents[1] / "tests" / "fixtures" / "histories.npz"
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "reliability.md"
BEGIN, END = "<!-- verdicts -->", "<!-- end of verdicts -->"
POPULATION = 1500
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


def _problem(world: World, training: Prepared, validation: Prepared, seed: int) -> Problem:
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


def history(name: str, seed: int, world: World, parts: tuple[Prepared, Prepared, Prepared]) -> History:
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


def _skill(
    world: World, problem: Problem, members: list[TrainedMember], learned: Prepared, judged: Prepared
) -> Interval:
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
    elif losses.half_nat:
        usual = np.log(float(problem.y.var())) + 1.0  # of gaussian_nll
    else:
        guesses = np.quantile(problem.y, np.linspace(0.2, 0.8, 61), axis=0)
        numbers = {"huber_delta": 1.0}
        usual = min(float(problem.loss.values(np, problem.y, 0 * problem.y + g, numbers).mean()) for g in guesses)
    train_ends = np.mean([at_end(known(curve)) for curve in losses.train])
    if train_ends > losses.train[:, 0].mean() and end > start:
        return "diverged", rise, scale
    fifth = np.mean([c[-max(2, len(c) // 5)] - c[-1] for c in curves])
    learned = lowest < usual - 0.05 * (1.0 if losses.half_nat and not world.classes else usual)
    if rise > 0.1 * scale:
        lows = [
            smoothed(known(train))[c.argmin()] - at_end(known(train))
            for train, c in zip(losses.train, curves, strict=True)
        ]
        return ("unstable" if np.mean(lows) < -0.1 * scale else "overfits"), rise, scale
    if not learned:
        return "not learned", rise, scale
    if fifth > 0.05 * max(usual - end, 0.0) and np.mean([c.argmin() >= 0.95 * len(c) - 1 for c in curves]) > 0.5:
        return "still improving", rise, scale
    return ("slightly" if rise > 0.02 * scale else "never"), rise, scale


def shipped(name: str, seed: int) -> tuple[Prepared, Prepared, Prepared]:
    """Return training and validation rows of a built-in set, and all others as the population."""
    dataset = load_dataset(name)
    split = split_rows(dataset, seed=seed)
    preparation = Preparation.fit(dataset, split.train)
    x, y = preparation.transform(dataset.inputs(np.arange(len(dataset.y())))), dataset.y()
    others = np.concatenate([split.validation, split.test])
    learned, judged, population = ((x[rows], y[rows], None) for rows in (split.train, split.validation, others))
    return learned, judged, population


def drawn(name: str, seed: int, world: World, random: np.random.Generator) -> History:
    """Return the history of a world on rows that are drawn."""
    learned, judged, population = ((*world.draw(random, n), None) for n in (*world.rows, POPULATION))
    made = history(name, seed, world, (learned, judged, population))
    print(seed, name, made.truth, flush=True)
    return made


def make_random(first: int, end: int) -> list[History]:
    """Train worlds that are drawn at random, of these seeds."""
    made = []
    for seed in range(first, end):
        random = np.random.default_rng([2024, seed])
        made.append(drawn("random", seed, random_world(random), random))
    return made


def make_all() -> list[History]:
    """Train all worlds with all seeds."""
    made = []
    for seed in SEEDS:
        for number, (name, world) in enumerate({**WORLDS, **HELD_BACK}.items()):
            made.append(drawn(name, seed, world, np.random.default_rng([number, seed])))
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


def keep(histories: list[History], path: Path = KEPT) -> None:
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
    np.savez_compressed(path, document=np.array(json.dumps(document)), **arrays)


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
    "unstable": ("unstable", "diverged"),
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


def interval_counts(histories: list[History]) -> str:
    """Return how often the interval of the rise holds the true one, and how often overfitting is claimed and true."""
    finite = [each for each in histories if not each.diverged]
    rises = [(judge(each), each.true_rise, each.true_scale) for each in finite]
    held = [verdict.rise.low <= rise <= verdict.rise.high for verdict, rise, _ in rises]
    claims = [rise < LEAST * scale for verdict, rise, scale in rises if verdict.kind == "overfits"]
    clear = [verdict.kind == "overfits" for verdict, rise, scale in rises if rise > VISIBLE * scale]
    return (
        f"{len(finite)} histories of {len(histories)} did not diverge. The interval of the rise holds the true one in "
        f"{sum(held)} ({100 * np.mean(held):.0f} %). Overfitting is claimed {len(claims)} times, {sum(claims)} of them "
        f"where the true rise is below a fiftieth; of {len(clear)} true rises above a tenth {sum(clear)} are claimed."
    )


def main() -> None:
    """Train or count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", action="store_true", help="judge the histories that are kept")
    parser.add_argument(
        "--interval", type=int, nargs=2, metavar="SEED", help="train random worlds from one seed up to another"
    )
    options = parser.parse_args()
    if options.interval:
        print(interval_counts(make_random(*options.interval)))
        return
    if not options.count:
        keep(make_all())
    histories = kept()
    of_kinds = [each for each in histories if each.name in HELD_BACK]
    of_seeds = [each for each in histories if each.name not in HELD_BACK and each.seed % 2]
    text = f"Other kinds:\n\n{table(of_kinds)}\n\n{interval_counts(of_kinds)}\n\n"
    text += f"The same kinds, other rows:\n\n{table(of_seeds)}\n\n{interval_counts(of_seeds)}"
    before, after = PAGE.read_text("utf-8").split(BEGIN)[0], PAGE.read_text("utf-8").split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
