"""A small trainer in PyTorch: candidates of shoal's space for tables side by side, with one lever pulled for all.

Each array of parameters has one more axis, the first, for the candidates. `levers.py` says what it is for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from scipy.special import expit, softmax

from shoal.results import Status, Task
from shoal.search.spaces.tables import table_space
from shoal.steps.posing import Posed
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import cross_fitted

CANDIDATES = 16
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": torch.relu,
    "silu": torch.nn.functional.silu,
    "tanh": torch.tanh,
}
POOL = 1 << 22  # uniform numbers drawn once, from which dropout takes a piece that begins anywhere
Tensors = dict[str, torch.Tensor]
Learnt = dict[str, tuple[torch.Tensor, float]]
"""Arrays, each with its learning rate as a share of that of the weights; 0: it is not learnt."""


@dataclass(frozen=True)
class Rows:
    """What candidates read: features of rows `(rows, features)`, and which of them each candidate sees, 0 or 1."""

    train: torch.Tensor
    validation: torch.Tensor
    test: torch.Tensor
    seen: torch.Tensor


@dataclass(frozen=True)
class Sizes:
    """What the parameters of a lever depend on: the data, the features, the hidden layers and the units of each."""

    posed: Posed
    features: int
    layers: int
    units: int


@dataclass(frozen=True)
class Lever:
    """What is done to a population beside the baseline: nothing, here.

    Attributes:
        encoding: of the numbers: plain, piecewise (bins between quantiles), tree (bins of a tree for the target), or
            half: piecewise for each second candidate.
        hidden_share: of the columns, which a candidate does not see; its own draw.
        mixup: α of Beta(α, α), the shares in which rows and targets are mixed with those of others; 0: they are not.
    """

    encoding: str = "half"
    hidden_share: float = 0.0
    mixup: float = 0.0

    def parameters(self, sizes: Sizes, draw: torch.Generator) -> Learnt:  # noqa: ARG002
        """Return what is there beside weights and biases."""
        return {}

    def inputs(self, p: Tensors, x: Any) -> Any:  # noqa: ARG002
        """Return what the first dense layer reads, of features `(candidates, rows, features)`."""
        return x

    def activated(self, p: Tensors, layer: int, x: Any, y: Any) -> Any:  # noqa: ARG002
        """Return what a hidden layer hands on, of its sums and of their activation."""
        return y


def uniform(shape: tuple[int, ...], limit: float, draw: torch.Generator) -> torch.Tensor:
    """Return numbers between -limit and limit."""
    return limit * (2.0 * torch.rand(shape, generator=draw) - 1.0)


def draw_candidates(posed: Posed, seed: int) -> list[Hyperparameters]:
    """Return the candidates in the order of their activations, which are then applied to neighbours at once."""
    x = posed.problem.x
    space = table_space(len(x), posed.dataset.task is Task.CLASSIFICATION, x.shape[1])
    return sorted((space.candidate(seed, number) for number in range(CANDIDATES)), key=lambda h: h.activation)


class Population:
    """Networks side by side. Units and layers that a candidate does not have are zero, and stay so."""

    def __init__(self, posed: Posed, candidates: Sequence[Hyperparameters], lever: Lever, rows: Rows, seed: int):
        self.lever, self.candidates, self.seen = lever, list(candidates), rows.seen
        self.depth = max(len(h.hidden) for h in candidates)
        self.draw, self.mixing = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
        self.pool = torch.rand(POOL, generator=self.draw)
        width = max(max(h.hidden) for h in candidates)
        sizes = Sizes(posed, rows.seen.shape[1], self.depth, width)
        own = lever.parameters(sizes, torch.Generator().manual_seed(seed + 1_000))
        self.p: Tensors = {name: value.clone() for name, (value, _) in own.items()}
        self.factor = {name: rate for name, (_, rate) in own.items()}
        self._start(width, posed.problem.outputs)
        self.numbers = self._numbers()
        self._flatten()

    def _start(self, width: int, outputs: int) -> None:
        """Draw weights by Glorot's rule, each candidate by the inputs that it sees and the units that it has."""
        m = len(self.candidates)
        inputs = self.lever.inputs(self.p, self.seen[:, None]).shape[-1]
        sees = torch.cat([self.seen, torch.ones(m, inputs - self.seen.shape[1])], 1)
        for layer, (before, after) in enumerate(pairwise([inputs, *[width] * self.depth, outputs])):
            self.p[f"W{layer}"], self.p[f"c{layer}"] = torch.zeros(m, before, after), torch.zeros(m, 1, after)
            self.factor |= {f"W{layer}": 1.0, f"c{layer}": 1.0}
        for i, h in enumerate(self.candidates):
            there = sees[i] > 0
            for layer, units in enumerate((*h.hidden, outputs)):
                at, count = layer if layer < len(h.hidden) else self.depth, int(there.sum())
                self.p[f"W{at}"][i][there, :units] = uniform(
                    (count, units), math.sqrt(6.0 / (count + units)), self.draw
                )
                there = torch.arange(width) < units

    def _numbers(self) -> Tensors:
        """Return the numbers that an update needs, each with the candidates along its first axis."""
        h, learnt = self.candidates, [name for name in self.p if self.factor[name]]
        listed = {
            "rate": [each.learning_rate for each in h],
            "cosine": [each.schedule == "cosine" for each in h],
            "ahead": [0.1 * (each.optimizer == "nadam") for each in h],
            "dropout": [each.dropout for each in h],
            "depth": [len(each.hidden) for each in h],
        }
        numbers = {name: torch.tensor(values, dtype=torch.float32) for name, values in listed.items()}
        weights = sum((self.p[f"W{layer}"] != 0).flatten(1).sum(1) for layer in range(self.depth + 1))
        l2 = torch.tensor([each.l2 for each in h]) / weights
        decay = torch.tensor([each.weight_decay if each.optimizer == "adamw" else 0.0 for each in h])
        for name, strength, of in (("l2", l2, "W"), ("decay", decay, "Wc")):
            each = [strength[:, None].expand(-1, self.p[n][0].numel()) * float(n[0] in of) for n in learnt]
            numbers[name] = torch.cat(each, 1)
        return numbers

    def _flatten(self) -> None:
        """Lay all that is learnt into one array, `(candidates, parameters)`, of which the parameters are views."""
        learnt = [name for name in self.p if self.factor[name]]
        self.flat = torch.cat([self.p[name].detach().flatten(1) for name in learnt], 1)
        sizes = [self.p[name][0].numel() for name in learnt]
        self.factors = torch.cat([torch.full((n,), self.factor[name]) for n, name in zip(sizes, learnt, strict=True)])
        for name, part in zip(learnt, self.flat.split(sizes, 1), strict=True):
            self.p[name] = part.view(self.p[name].shape).detach().requires_grad_(True)

    def gradient(self) -> torch.Tensor:
        """Return the gradients of all that is learnt, `(candidates, parameters)`, and forget them."""
        learnt = [self.p[name] for name in self.p if self.factor[name]]
        each = torch.cat([value.grad.flatten(1) for value in learnt], 1)
        for value in learnt:
            value.grad = None
        return each

    def forward(self, x: torch.Tensor, *, training: bool = False) -> torch.Tensor:
        """Return the outputs, before a sigmoid or softmax, `(candidates, rows, outputs)`."""
        p = self.p
        h = self.lever.inputs(p, x)
        for layer in range(self.depth):
            sums = torch.baddbmm(p[f"c{layer}"], h, p[f"W{layer}"])
            made = self.lever.activated(p, layer, sums, self._activation(sums))
            if training:
                made = self._dropped(made)
            deep = self.numbers["depth"] > layer
            h = made if bool(deep.all()) else torch.where(deep[:, None, None], made, h)
        return torch.baddbmm(p[f"c{self.depth}"], h, p[f"W{self.depth}"])

    def of_all(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs for the same rows `(rows, features)`, of which each candidate sees its features."""
        return self.forward(x[None] * self.seen[:, None])

    def batch(self, x: Any, y: Any, taken: Any) -> tuple[Any, Any]:
        """Return the rows of a step, each candidate its own `(candidates, rows)`, mixed if the lever says so."""
        x, y, alpha = x[taken] * self.seen[:, None], y[taken], self.lever.mixup
        if alpha:
            share = torch.from_numpy(self.mixing.beta(alpha, alpha, (*taken.shape, 1)).astype(np.float32))
            x, y = (share * each + (1.0 - share) * each.roll(1, 1) for each in (x, y))
        return x, y

    def _activation(self, x: torch.Tensor) -> torch.Tensor:
        names = [h.activation[0] for h in self.candidates]
        counts = {name: names.count(name) for name in dict.fromkeys(names)}
        each = zip(counts, x.split(list(counts.values())), strict=True)
        return torch.cat([ACTIVATIONS[name](part) for name, part in each])

    def _dropped(self, x: torch.Tensor) -> torch.Tensor:
        rate = self.numbers["dropout"][:, None, None]
        if not bool((rate > 0.0).any()):
            return x
        size = x.numel()
        at = int(torch.randint(POOL - size, (1,), generator=self.draw))
        return x * (self.pool[at : at + size].view(x.shape) >= rate) / (1.0 - rate)

    def keep(self, which: torch.Tensor) -> None:
        """Go on with some of the candidates."""
        self.candidates = [h for h, kept in zip(self.candidates, which.tolist(), strict=True) if kept]
        self.seen = self.seen[which]
        for arrays in (self.p, self.numbers):
            for name in arrays:
                arrays[name] = arrays[name].detach()[which]
        self._flatten()


def losses_of(task: Task, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the loss of each candidate and row, `(candidates, rows)`; y may be mixed."""
    if task is Task.REGRESSION:
        return ((outputs - y) ** 2).mean(-1)
    if y.shape[-1] == 1:
        y = y.expand(outputs.shape)
        return torch.nn.functional.binary_cross_entropy_with_logits(outputs, y, reduction="none")[..., 0]
    return -(y * torch.log_softmax(outputs, -1)).sum(-1)


class Adam:
    """Steps of Adam, AdamW or Nadam, each candidate by its own."""

    def __init__(self, population: Population, task: Task, total: int):
        self.population, self.task, self.total, self.done = population, task, total, 0
        self.first, self.second = torch.zeros_like(population.flat), torch.zeros_like(population.flat)

    def step(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """Go on by the gradient on some rows."""
        population, numbers = self.population, self.population.numbers
        losses_of(self.task, population.forward(x, training=True), y).mean(1).sum().backward()
        with torch.no_grad():
            gradient, value = population.gradient().addcmul_(numbers["l2"], population.flat), population.flat
            cosine = 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * self.done / self.total))
            self.done += 1
            rate = numbers["rate"] * torch.where(numbers["cosine"] > 0, cosine, 1.0)
            rate = rate[:, None] * population.factors
            self.first.lerp_(gradient, 0.1)
            self.second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
            ahead = torch.addcmul(self.first, numbers["ahead"][:, None], gradient.sub_(self.first))
            value.addcmul_(rate * numbers["decay"], value, value=-1.0)
            size = math.sqrt(1.0 - 0.999**self.done) / (1.0 - 0.9**self.done)
            spread = self.second.add(1e-14).sqrt_()  # about √s + 1e-7; roots of zeros take thirty times as long
            value.addcmul_(ahead.div_(spread), rate, value=-size)

    def keep(self, which: torch.Tensor) -> None:
        """Go on with some of the candidates."""
        self.population.keep(which)
        self.first, self.second = self.first[which], self.second[which]


@dataclass(frozen=True)
class Trained:
    """The score of each candidate `(candidates,)`, what it says of the test rows, and processor seconds."""

    score: np.ndarray
    answer: np.ndarray
    seconds: float


def train(posed: Posed, lever: Lever, rows: Rows, seed: int) -> Trained:
    """Train all candidates with a lever, each until it has not got better for its patience."""
    begun = time.process_time()
    candidates, problem = draw_candidates(posed, seed), posed.problem
    population = Population(posed, candidates, lever, rows, seed)
    size, epochs, patience = max(h.batch_size for h in candidates), candidates[0].epochs, candidates[0].patience
    y, validation_y = torch.from_numpy(problem.y), torch.from_numpy(problem.validation_y)
    half = torch.from_numpy(problem.validation_half).bool()
    here = torch.arange(CANDIDATES)  # the numbers of the candidates that still learn
    best, best_at = torch.full((CANDIDATES,), math.inf), torch.zeros(CANDIDATES)
    curves = np.full((CANDIDATES, epochs, 2), np.nan)
    answers = torch.zeros(CANDIDATES, len(rows.test), problem.outputs)
    optimizer = Adam(population, problem.task, epochs * -(-len(y) // size))
    for epoch in range(epochs):
        order = torch.rand((len(here), len(y)), generator=population.draw).argsort(1)
        for at in range(0, len(y), size):
            optimizer.step(*population.batch(rows.train, y, order[:, at : at + size]))
        with torch.no_grad():
            each = losses_of(problem.task, population.of_all(rows.validation), validation_y)
            curves[here, epoch] = torch.stack([each[:, ~half].mean(1), each[:, half].mean(1)], 1)
            now = each.mean(1)
            better = now < best[here]
            best[here[better]], best_at[here[better]] = now[better], float(epoch)
            if better.any():
                answers[here[better]] = population.of_all(rows.test)[better]
        learning = (epoch - best_at[here] < patience) & torch.isfinite(now)
        if not learning.any():
            break
        if learning.sum() <= 0.8 * len(here) or not torch.isfinite(now).all():
            here = here[learning]
            optimizer.keep(learning)
    score = np.array([sum(cross_fitted(of_one, Status.FINISHED)) / 2.0 for of_one in curves])
    return Trained(score, _said(posed, answers.numpy()), time.process_time() - begun)


def _said(posed: Posed, answers: np.ndarray) -> np.ndarray:
    """Return probabilities of all classes, or values in the unit of the target."""
    if posed.dataset.task is Task.REGRESSION:
        return answers * posed.preparation.target_scale + posed.preparation.target_mean
    if answers.shape[-1] == 1:
        return np.concatenate([1.0 - expit(answers), expit(answers)], -1)
    return softmax(answers, -1)
