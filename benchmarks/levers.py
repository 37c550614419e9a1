"""What does each lever bring that the default does without? A small trainer of populations in PyTorch tells.

    python benchmarks/levers.py --seeds 0 1                 # the tables for decisions; hours for the large ones
    python benchmarks/levers.py --tables hitters cars       # some tables
    python benchmarks/levers.py --print                     # the table alone, from the results so far

Each table is split and prepared by shoal, without folds. Sixteen candidates of shoal's space for tables train side by
side (`populations.py`), the same ones for each lever; each keeps its best epoch on the validation rows. The eight with
the best cross-fitted scores answer by their mean. The batch size is the larger one of the space for all of them, and
probabilities are not calibrated; all else is as in shoal. Half of the candidates of the baseline read their numbers
piecewise, as in the default.

A lever is trained on all candidates. That it is on half of them is read off the same networks, half of which are then
those of the baseline: a candidate learns alone, whoever is beside it. What each candidate says of the test rows is one
file of the folder of results; a repeated call goes on where it was.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from collection import COLLECTION, DECISIONS, HALVES, HELD_BACK
from populations import CANDIDATES, Learnt, Lever, Rows, Sizes, Tensors, train, uniform

from shoal.data.encoders import CategoryEncoder
from shoal.networks import PiecewiseEncoding
from shoal.results import Task
from shoal.settings import check_settings
from shoal.statistics.metrics import METRICS
from shoal.steps.posing import Posed
from shoal.steps.reading import read

KEPT, LEAVES = 8, 12


@dataclass(frozen=True)
class Periodic(Lever):
    """Each number x also as a learnt layer of `cos(2π w x + b)`, with learnt w.

    With sines beside cosines, without b, and a rectifier: PLR (Gorishniy, Rubachev and Babenko, NeurIPS 2022), w from
    N(0, σ²), σ between 0.05 and 1, a draw of each candidate. Without them, and w from N(0, 0.1²): PBLD (Holzmüller,
    Grinsztajn and Steinwart, NeurIPS 2024), which learns at a tenth of the rate.
    """

    encoding: str = "plain"
    sines: bool = True
    frequencies: int = 16
    units: int = 8

    def parameters(self, sizes: Sizes, draw: torch.Generator) -> Learnt:
        """Return the frequencies, and the weights of a layer for each number."""
        m, k = CANDIDATES, self.frequencies
        at = torch.tensor([at for at, _ in sizes.posed.problem.number_columns])
        shape = (m, len(at), 1, k)
        sigma = 0.05 * 20.0 ** torch.rand((m, 1, 1, 1), generator=draw) if self.sines else torch.tensor(0.1)
        terms, rate = (2 * k, 1.0) if self.sines else (k, 0.1)
        mix = uniform((m, len(at), terms, self.units), terms**-0.5, draw)
        return {
            "numbers": (at.expand(m, -1), 0.0),
            "w": (sigma * torch.randn(shape, generator=draw), rate),
            "b": (uniform(shape, math.pi, draw), rate if not self.sines else 0.0),
            "mix": (mix, rate),
            "mix_b": (torch.zeros(m, len(at), 1, self.units), rate),
        }

    def inputs(self, p: Tensors, x: Any) -> Any:
        """Return the features and, beside them, the layers of all numbers."""
        number = x[:, :, p["numbers"][0]].transpose(1, 2)[..., None]  # (candidates, numbers, rows, 1)
        angle = 2.0 * math.pi * number * p["w"]
        terms = torch.cat([angle.sin(), angle.cos()], -1) if self.sines else (angle + p["b"]).cos()
        made = terms @ p["mix"] + p["mix_b"]
        made = torch.relu(made) if self.sines else made
        return torch.cat([x, made.transpose(1, 2).flatten(2)], -1)


class Embeddings(Lever):
    """Categories of more than two levels also by learnt vectors of min(8, (levels + 1) / 2) numbers."""

    def parameters(self, sizes: Sizes, draw: torch.Generator) -> Learnt:
        """Return the vectors of all categories, `(candidates, features, numbers)`, and where they are."""
        groups = categories(sizes.posed)
        lengths = [min(8, (len(group) + 1) // 2) for group in groups]
        where = torch.zeros(sizes.features, sum(lengths))
        for group, length, end in zip(groups, lengths, np.cumsum(lengths), strict=True):
            where[group, end - length : end] = 1.0
        vectors = 0.5 * torch.randn((CANDIDATES, *where.shape), generator=draw) * where
        return {"where": (where.expand(CANDIDATES, -1, -1), 0.0), "vectors": (vectors, 1.0)}

    def inputs(self, p: Tensors, x: Any) -> Any:
        """Return the features and, beside them, the vectors."""
        return torch.cat([x, x @ (p["vectors"] * p["where"])], -1)


class Scaling(Lever):
    """Each feature times a factor that is learnt six times as fast as weights (Holzmüller et al., NeurIPS 2024)."""

    def parameters(self, sizes: Sizes, draw: torch.Generator) -> Learnt:  # noqa: ARG002
        """Return the factors."""
        return {"scale": (torch.ones(CANDIDATES, 1, sizes.features), 6.0)}

    def inputs(self, p: Tensors, x: Any) -> Any:
        """Return the scaled features."""
        return x * p["scale"]


class Parametric(Lever):
    """`(1 - a) x + a act(x)`, with an a for each unit, learnt at a tenth of the rate (Holzmüller et al., 2024)."""

    def parameters(self, sizes: Sizes, draw: torch.Generator) -> Learnt:  # noqa: ARG002
        """Return a for each hidden layer."""
        return {f"a{layer}": (torch.ones(CANDIDATES, 1, sizes.units), 0.1) for layer in range(sizes.layers)}

    def activated(self, p: Tensors, layer: int, x: Any, y: Any) -> Any:
        """Return the mixture."""
        return x + p[f"a{layer}"] * (y - x)


BASELINE, PLAIN, PIECEWISE = "baseline", "plain inputs", "piecewise"
LEVERS: dict[str, Lever] = {
    BASELINE: Lever(),
    PLAIN: Lever("plain"),
    PIECEWISE: Lever("piecewise"),
    "piecewise, bins of a tree": Lever("tree"),
    "periodic: PLR": Periodic(),
    "periodic: PBLD": Periodic(sines=False, units=3),
    "embeddings of categories": Embeddings(),
    "without 25 % of the columns": Lever(hidden_share=0.25),
    "without 50 % of the columns": Lever(hidden_share=0.5),
    "learnable scaling": Scaling(),
    "parametric activations": Parametric(),
    "mixup": Lever(mixup=0.2),
}
ENCODINGS = tuple(name for name, lever in LEVERS.items() if lever.encoding != "half")


def pose(table: str, seed: int) -> Posed:
    """Return what is learnt of a table: prepared rows, split as by `shoal.fit(..., cv="none")`."""
    settings = check_settings({**COLLECTION[table].settings, "seed": seed, "cv": "none"})
    return Posed.of(*read(COLLECTION[table].load(), settings), settings)


def categories(posed: Posed) -> list[list[int]]:
    """Return the features of each category of more than two levels."""
    groups, start = [], 0
    for encoder in posed.preparation.encoders:
        if isinstance(encoder, CategoryEncoder) and len(encoder.names) > 2:
            groups.append(list(range(start, start + len(encoder.names))))
        start += len(encoder.names)
    return groups


def tree_bins(posed: Posed) -> PiecewiseEncoding:
    """Return the piecewise encoding whose edges are those of a tree for the target, one for each number."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    problem, y = posed.problem, posed.dataset.y()[posed.split.train]
    kind = DecisionTreeClassifier if posed.dataset.task is Task.CLASSIFICATION else DecisionTreeRegressor
    knots: list[tuple[float, ...]] = [()] * problem.x.shape[1]
    for at, gap in problem.number_columns:
        known = np.ones(len(problem.x), bool) if gap is None else problem.x[:, gap] == 0
        x = problem.x[known, at]
        tree = kind(max_leaf_nodes=LEAVES, min_samples_leaf=max(1, len(x) // 64), random_state=0)
        tree = tree.fit(x[:, None], y[known]).tree_
        inside = np.unique(tree.threshold[tree.feature >= 0].astype(np.float32))
        inside = inside[(inside > x.min()) & (inside < x.max())]
        if len(inside):
            knots[at] = (float(x.min()), *inside.tolist(), float(x.max()))
    return PiecewiseEncoding(tuple(knots))


def rows_of(posed: Posed, lever: Lever, seed: int) -> Rows:
    """Return the features by the encoding of a lever, and which of them each candidate sees."""
    problem = posed.problem
    test = posed.preparation.transform(posed.dataset.table[posed.split.test])
    parts = [problem.x, problem.validation_x, test]
    columns = np.repeat(np.arange(len(e := posed.preparation.encoders)), [len(each.names) for each in e])
    plain = len(columns)
    if lever.encoding != "plain" and problem.number_columns:
        layer: Any = tree_bins(posed) if lever.encoding == "tree" else problem.encodings.layers("piecewise")[0]
        parts = [np.concatenate([x, layer._ramp(np, x)], axis=-1) for x in parts]
        columns = np.concatenate([columns, columns[layer.ramps[0]]])
    seen = np.ones((CANDIDATES, len(columns)), np.float32)
    if lever.encoding == "half":
        seen[::2, plain:] = 0.0
    if lever.hidden_share:
        draw = np.random.default_rng([seed, 7])
        hidden = round(lever.hidden_share * len(e))
        for each in seen:
            each[np.isin(columns, draw.permutation(len(e))[:hidden])] = 0.0
    return Rows(*(torch.from_numpy(np.ascontiguousarray(x, np.float32)) for x in parts), torch.from_numpy(seen))


def loss_of(posed: Posed, score: np.ndarray, answer: np.ndarray) -> float:
    """Return log-loss, or 1 - R², of the mean of the candidates with the best scores, on the test rows."""
    mean = answer[np.argsort(score)[:KEPT]].mean(0, dtype=np.float64)
    truth = posed.dataset.y()[posed.split.test]
    if posed.dataset.task is Task.REGRESSION:
        return 1.0 - float(METRICS["r2"](truth, mean, None))
    return float(METRICS["log_loss"](truth, mean, None))


def measure(table: str, seed: int, levers: Sequence[str], out: Path) -> None:
    """Train the populations of a table that the folder does not hold yet."""
    posed = pose(table, seed)
    for name in levers:
        file = out / f"{table}-{seed}-{name.replace(' ', '_')}.npz"
        if file.exists() or (name.startswith("embeddings") and not categories(posed)):
            continue
        lever = LEVERS[name]
        made = train(posed, lever, rows_of(posed, lever, seed), seed)
        loss = loss_of(posed, made.score, made.answer)
        np.savez(file, score=made.score, answer=made.answer.astype(np.float32), seconds=made.seconds)
        print(f"{table}, seed {seed}, {name}: {loss:.4f}, {made.seconds:.1f} s", flush=True)


def losses(table: str, seed: int, out: Path) -> dict[str, dict[str, float]]:
    """Return the loss with each lever on all candidates and on half of them, and its seconds beside the baseline.

    The baseline was trained twice, with other initial weights: as such, and as halves of the plain and the piecewise
    population. Its loss is the geometric mean, since a lucky draw of it would make all levers look bad.
    """
    posed, found = pose(table, seed), {}
    names = {name: out / f"{table}-{seed}-{name.replace(' ', '_')}.npz" for name in LEVERS}
    known = {name: dict(np.load(file)) for name, file in names.items() if file.exists()}
    if not {BASELINE, PLAIN, PIECEWISE} <= known.keys():
        return {}
    second, number = np.arange(CANDIDATES) % 2 == 1, np.arange(CANDIDATES)
    for name, of in known.items():
        of_levers = {"all": of, "half": _halves(known[BASELINE], of, number % 4 >= 2)}
        if name in ENCODINGS:
            of_levers["half"] = _halves(known[PLAIN], of, second)
            of_levers["beside piecewise"] = _halves(of, known[PIECEWISE], second)
        found[name] = {share: loss_of(posed, each["score"], each["answer"]) for share, each in of_levers.items()}
        found[name]["seconds"] = float(of["seconds"] / known[BASELINE]["seconds"])
    found[BASELINE]["all"] = math.sqrt(found[BASELINE]["all"] * found[PIECEWISE]["half"])
    return found


def _halves(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], where: np.ndarray) -> dict[str, Any]:
    """Return scores and answers of two populations, of the second one where it is said, `(candidates,)`."""
    score = np.where(where, second["score"], first["score"])
    return {"score": score, "answer": np.where(where[:, None, None], second["answer"], first["answer"])}


def markdown(found: Mapping[tuple[str, int], dict[str, dict[str, float]]]) -> str:
    """Return the ratios of the losses to those of the baseline: means over tables of means over seeds."""
    rows = [
        "| lever | on all | on half | on half, piecewise the others | seconds | tables, fits |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in [name for name in LEVERS if name != BASELINE]:
        having = {fit: of for fit, of in found.items() if name in of}
        if not having:
            continue
        shares = ("all", "half", "beside piecewise") if name in ENCODINGS else ("all", "half")
        cells = [_ratio(having, name, share) for share in shares] + [""] * (3 - len(shares))
        seconds = np.exp(np.mean([np.log(of[name]["seconds"]) for of in having.values()]))
        count = f"{len({table for table, _ in having})}, {len(having)}"
        rows.append(f"| {name} | {' | '.join(cells)} | × {seconds:.1f} | {count} |")
    return "\n".join(rows)


def _ratio(found: Mapping[tuple[str, int], dict[str, dict[str, float]]], name: str, share: str) -> str:
    logs: dict[str, list[float]] = {}
    for (table, _), of in found.items():
        logs.setdefault(table, []).append(math.log(of[name][share] / of[BASELINE]["all"]))
    means = np.array([np.mean(of_table) for of_table in logs.values()])
    error = f" ± {means.std(ddof=1) / math.sqrt(len(means)):.3f}" if len(means) > 1 else ""
    return f"{math.exp(means.mean()):.3f}{error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=[DECISIONS, HELD_BACK], default=DECISIONS)
    parser.add_argument("--tables", nargs="+", choices=list(COLLECTION), metavar="NAME")
    parser.add_argument("--levers", nargs="+", choices=list(LEVERS), default=list(LEVERS), metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--print", action="store_true", dest="only_print", help="train nothing")
    parser.add_argument("--out", type=Path, default=Path("levers"), help="folder for the results")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    tables = given.tables or [name for name in COLLECTION if HALVES[name] == given.half]
    fits = [(table, seed) for seed in given.seeds for table in tables]
    for table, seed in () if given.only_print else fits:
        measure(table, seed, given.levers, given.out)
    # the penguins have one or two wrong test rows, which are all of their loss
    found = {fit: losses(*fit, given.out) for fit in fits if fit[0] != "penguins"}
    print(markdown({fit: of for fit, of in found.items() if of}))


if __name__ == "__main__":
    main()
