"""What to do with negative weights in training: five ways against a law whose probabilities are known.

    python -m benchmarks.negative_weights                      # from the root
    python -m benchmarks.negative_weights --samples 8 --apart 3 --shares 0.12
    python -m benchmarks.negative_weights --rows 10000 --apart 1 --shares 0.3 --networks '8 tanh'

Signal is a normal density of six features from which a part beside its middle, towards background, is taken away by
events of negative weight; the negative weights of background fall anywhere. All weights scatter by 30 %. Small and
large networks train long on four fifths of the events, and of each kind the one of the least validation loss on the
others is kept, its weights those of its best epoch. What is shown is the mean of `KL(p, q)` over new events drawn
without weights, in thousandths: by how much the cross-entropy of the kept network's probabilities q is above that of
the true ones p, as it is and after fitting a temperature on the validation events.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from shoal.prediction.calibration import fit_temperature
from shoal.results import Task
from shoal.search.members import members_of
from shoal.statistics.mean_weights import learn_mean_weights
from shoal.training.engine_choice import choose_engine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import get_loss
from shoal.training.planner import find_budget
from shoal.training.problem import make_problem
from shoal.training.trainer import train

FEATURES, NEW = 6, 10_000
WIDTH, OFF = 0.8, 0.5
"""Width, in two features, and place, in the first, of what is taken away from signal."""
CENTRE = np.array([1.0, 1.0, 0.5, 0.0, 0.0, 0.0])
LONG: dict[str, Any] = {"optimizer": "adam", "batch_size": 64, "learning_rate": 0.003}
NETWORKS = {
    "8 tanh": Hyperparameters(hidden=(8,), activation="tanh", epochs=300, patience=300, **LONG),
    "64-64 relu": Hyperparameters(hidden=(64, 64), activation="relu", epochs=100, patience=100, **LONG),
}
MEMBERS = 2


class Events(NamedTuple):
    """Features `(rows, features)`, class numbers `(rows,)` (1 is signal) and weights `(rows,)`."""

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray

    def only(self, rows: slice) -> Events:
        """Return some of the events."""
        return Events(self.x[rows], self.y[rows], self.weights[rows])


class Law(NamedTuple):
    """The law: the share of events with negative weights, and how far the classes lie apart."""

    share: float
    apart: float

    def kept(self, x: np.ndarray) -> np.ndarray:
        """Return the share of the first density of signal that is left at each place, at least 0.05 for 30 %."""
        away = ((x[:, 0] - OFF) ** 2 + x[:, 1] ** 2) / WIDTH**2 - x[:, 0] ** 2 - x[:, 1] ** 2
        return np.asarray(1.0 - np.exp(-0.5 * away) / WIDTH**2 * self.share / (1.0 - self.share))

    def probability(self, x: np.ndarray) -> np.ndarray:
        """Return the true probability of signal; both classes have the same sum of weights."""
        centre = self.apart * CENTRE
        signal = self.kept(x) * (1.0 - self.share) / (1.0 - 2.0 * self.share)
        return np.asarray(signal / (signal + np.exp(x @ centre - 0.5 * centre @ centre)))

    def weighted(self, rng: np.random.Generator, rows: int) -> Events:
        """Return events with weights of both signs, in no order."""
        half = rows // 2
        x, negative = rng.normal(size=(rows, FEATURES)), rng.uniform(size=rows) < self.share
        y = np.arange(rows) < half
        x[y & negative, :2] = WIDTH * x[y & negative, :2] + np.array([OFF, 0.0])
        x[~y] += self.apart * CENTRE
        weights = np.where(negative, -1.0, 1.0) * rng.lognormal(0.0, 0.3, rows)
        order = rng.permutation(rows)
        return Events(x[order].astype(np.float32), y[order].astype(np.int64), weights[order])

    def new(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        """Return features of new events of both classes, drawn from the densities themselves."""
        x = rng.normal(size=(6 * rows, FEATURES))
        signal = x[rng.uniform(size=len(x)) < self.kept(x)][: rows // 2]
        background = rng.normal(size=(len(signal), FEATURES)) + self.apart * CENTRE
        return np.concatenate([signal, background])


def cells(train: Events, judged: Events, seed: int) -> np.ndarray:  # noqa: ARG001
    """Return weights shared out in cells of neighbours that grow until their sum is not negative (Andersen et al.)."""
    weights = judged.weights.copy()
    for k in np.unique(judged.y):
        rows = np.flatnonzero(judged.y == k)
        x, w = judged.x[rows], weights[rows]
        for i in np.argsort(w):
            if w[i] >= 0.0:  # a cell before has made it so
                continue
            near = np.argsort(((x - x[i]) ** 2).sum(axis=1), kind="stable")
            sums = np.cumsum(w[near])
            cell = near[: int(np.argmax(sums >= 0.0)) + 1]
            w[cell] = np.abs(w[cell]) * max(float(w[cell].sum()), 0.0) / np.abs(w[cell]).sum()
        weights[rows] = w
    return weights


def means(train: Events, judged: Events, seed: int) -> np.ndarray:
    """Return the mean weights that shoal trains with."""
    y = train.y[:, None].astype(float)
    learned = learn_mean_weights(train.x, y, train.weights, seed, classes=True)
    return learned(judged.x, judged.y[:, None].astype(float), judged.weights)


WAYS: dict[str, Callable[[Events, Events, int], np.ndarray]] = {
    "as they are": lambda _train, judged, _seed: judged.weights,
    "negative ones left out": lambda _train, judged, _seed: np.maximum(judged.weights, 0.0),
    "without their signs": lambda _train, judged, _seed: np.abs(judged.weights),
    "cells of neighbours": cells,
    "mean weights": means,
}


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    """Return the mean of `KL(p, q)` of two classes, in thousandths of a nat."""
    p, q = (np.clip(each, 1e-12, 1.0 - 1e-12) for each in (p, q))
    return float(1e3 * np.mean(p * np.log(p / q) + (1.0 - p) * np.log((1.0 - p) / (1.0 - q))))


def measured(law: Law, network: str, way: str, rows: int, sample: int) -> tuple[float, float, float]:
    """Return the divergence of the kept network, that after a temperature, and the least validation loss of all."""
    rng = np.random.default_rng([sample, round(100 * law.share), round(10 * law.apart)])
    events, new = law.weighted(rng, rows), law.new(rng, NEW)
    cut = round(0.8 * rows)
    taught, judged = (events.only(part) for part in (slice(cut), slice(cut, None)))
    parts = [(part.x, part.y, WAYS[way](taught, part, sample)) for part in (taught, judged)]
    problem = make_problem(Task.CLASSIFICATION, get_loss("binary_crossentropy"), *parts, classes=2, seed=sample)
    members = members_of([NETWORKS[network]] * MEMBERS)
    engine = choose_engine(problem, members, "auto", find_budget()).make()
    trained = [member for member in train(problem, members, engine).members if member.best_epoch > 0]
    kept = min(trained, key=lambda member: member.score)

    def said(x: np.ndarray) -> np.ndarray:
        q = np.asarray(kept.network.predict(kept.parameters, x.astype(np.float32)), np.float64)
        return np.column_stack([1.0 - q, q])

    tempered = fit_temperature(said(judged.x), judged.y, parts[1][2])(said(new))
    p, least = law.probability(new), min(float(np.nanmin(member.validation_loss)) for member in trained)
    return divergence(p, said(new)[:, 1]), divergence(p, tempered[:, 1]), least


def line(law: Law, network: str, way: str, rows: int, samples: int) -> str:
    """Return a line of the table."""
    found = np.array([measured(law, network, way, rows, sample) for sample in range(samples)])
    mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(samples)
    both = [f"{mean[i]:.1f} ± {error[i]:.1f}" for i in (0, 1)]
    first = f"| {law.apart:g} | {100 * law.share:.0f} % | {network} | {way} |"
    return f"{first} {both[0]} | {both[1]} | {found[:, 0].max():.1f} | {found[:, 2].min():.2f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=4, help="samples of each law")
    parser.add_argument("--rows", type=int, default=2000, help="events of a sample")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.03, 0.12, 0.3], help="of negative weights")
    parser.add_argument("--apart", type=float, nargs="+", default=[1.0, 3.0], help="how far the classes lie apart")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    chosen = parser.parse_args(arguments)
    print("| apart | negative | network | weights | KL | KL, tempered | largest KL | least validation loss |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for apart in chosen.apart:
        for share in chosen.shares:
            for network in chosen.networks:
                for way in chosen.ways:
                    print(line(Law(share, apart), network, way, chosen.rows, chosen.samples), flush=True)


if __name__ == "__main__":
    main()
