r"""
Gradient descent
================

Training changes all weights a little, many times, each time so that the cost falls. This page does it by hand on a
valley with two weights, with the rules that optimizers use, and then on data in batches.
"""

# %%
# Downhill
# --------
#
# The :term:`gradient` of the cost J is the vector of its slopes along each weight. It points uphill, so a step against
# it leads down, if it is short enough:
#
# .. math:: w \leftarrow w - \eta\, \nabla J(w)
#
# The length of the step is set by the :term:`learning rate` η. Networks compute their gradient by the chain rule, from
# the output back to the input (:term:`backpropagation`). The valley here is so simple that the gradient can be written
# down: steep along :math:`w_2`, flat along :math:`w_1`.

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np

STEEPNESS = np.array([1.0, 25.0])


def cost(w: np.ndarray) -> np.ndarray:
    """Return ½ (w₁² + 25 w₂²)."""
    return 0.5 * np.sum(STEEPNESS * w**2, axis=-1)


def gradient(w: np.ndarray) -> np.ndarray:
    """Return the slopes along both weights."""
    return STEEPNESS * w


w = np.array([-4.0, 0.8])
for step in range(3):
    print(f"step {step}: w = {w.round(3)}, cost {cost(w):.3f}")
    w = w - 0.03 * gradient(w)

# %%
# The rules of the optimizers
# ---------------------------
#
# Plain descent has one step length for all weights. In a valley it must be short because of the steep direction, and
# then it crawls along the flat one. :term:`Optimizers <optimizer>` remember the gradients so far to do better:
#
# - :term:`Momentum <momentum>` adds a share of the last step to the next, like a ball that rolls. Steps that go to and
#   fro cancel, steps along the valley add up.
# - :term:`AdaGrad` divides the step of each weight by the root of the sum of all its squared gradients. Steep
#   directions get shorter steps; all steps shrink with time.
# - :term:`RMSProp` takes a running mean of the squares instead of the sum, so that steps do not die out.
# - :term:`Adam` does the same and adds momentum, both corrected for the first steps, when the means have seen little.
#
# Each takes a few lines. `g` is the gradient, η the learning rate.

SMALL = 1e-7
Steps = Iterator[np.ndarray]


def descent(w: np.ndarray, rate: float) -> Steps:
    while True:
        yield w
        w = w - rate * gradient(w)


def momentum(w: np.ndarray, rate: float, keep: float = 0.9) -> Steps:
    velocity = 0.0
    while True:
        yield w
        velocity = keep * velocity - rate * gradient(w)
        w = w + velocity


def adagrad(w: np.ndarray, rate: float) -> Steps:
    squares = 0.0
    while True:
        yield w
        g = gradient(w)
        squares = squares + g**2
        w = w - rate * g / np.sqrt(squares + SMALL)


def rmsprop(w: np.ndarray, rate: float, keep: float = 0.9) -> Steps:
    squares = 0.0
    while True:
        yield w
        g = gradient(w)
        squares = keep * squares + (1.0 - keep) * g**2
        w = w - rate * g / np.sqrt(squares + SMALL)


def adam(w: np.ndarray, rate: float, keep: float = 0.9, keep_squares: float = 0.999) -> Steps:
    mean, squares, t = 0.0, 0.0, 0
    while True:
        yield w
        g, t = gradient(w), t + 1
        mean = keep * mean + (1.0 - keep) * g
        squares = keep_squares * squares + (1.0 - keep_squares) * g**2
        w = w - rate * (mean / (1.0 - keep**t)) / (np.sqrt(squares / (1.0 - keep_squares**t)) + SMALL)


start = np.array([-4.0, 0.8])
rules = {
    "descent, η = 0.03": descent(start, 0.03),
    "momentum, η = 0.03": momentum(start, 0.03),
    "AdaGrad, η = 1": adagrad(start, 1.0),
    "RMSProp, η = 0.1": rmsprop(start, 0.1),
    "Adam, η = 0.3": adam(start, 0.3),
}
ways = {name: np.array([next(steps) for _ in range(201)]) for name, steps in rules.items()}

w1, w2 = np.meshgrid(np.linspace(-5, 3, 200), np.linspace(-1.2, 1.2, 200))
valley = cost(np.stack([w1, w2], axis=-1))
figure, axes = plt.subplots(2, 3, figsize=(9, 4.8), layout="constrained")
for ax, (name, way) in zip(axes.flat, ways.items(), strict=False):
    ax.contour(w1, w2, valley, levels=np.logspace(-1, 1.4, 9), colors="0.8", linewidths=0.8)
    ax.plot(*way.T, ".-", ms=3, lw=0.8)
    ax.plot(0, 0, "k+")
    ax.set(title=name, xlabel="w1", ylabel="w2", xlim=(-5, 3), ylim=(-1.2, 1.2))
for name, way in ways.items():
    axes.flat[5].semilogy(np.maximum(cost(way), 1e-8), label=name.split(",")[0])
axes.flat[5].set(xlabel="step", ylabel="cost")
axes.flat[5].legend(frameon=False, fontsize=7)
plt.show()

for name, way in ways.items():
    below = np.flatnonzero(cost(way) < 0.01)
    print(f"{name:20} cost below 0.01 {f'after {below[0]} steps' if len(below) else 'not within 200 steps'}")

# %%
# This valley suits AdaGrad. Which rule is fastest depends on the valley and on η, and no rule is best for all. Adam
# with :math:`\eta = 0.001` is a usual first choice for networks.
#
# Batches and epochs
# ------------------
#
# The cost is a mean over rows. Its gradient need not be computed from all of them: a :term:`batch` of m rows, drawn at
# random, gives nearly the same direction for a fraction of the work. One pass over all rows is an :term:`epoch`; with
# 1,000 rows and a :term:`batch size` of 50 it makes 20 steps. How far the gradient of a batch is from that of all rows
# falls as :math:`1 / \sqrt{m}`:

random = np.random.default_rng(0)
x = random.normal(size=(1000, 2))
y = x @ np.array([1.0, -2.0]) + random.normal(size=1000)


def of_rows(w: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean squared error over some rows."""
    return 2.0 * x[rows].T @ (x[rows] @ w - y[rows]) / len(rows)


w, everything = np.zeros(2), of_rows(np.zeros(2), np.arange(1000))
for m in (1, 10, 100):
    drawn = [of_rows(w, random.choice(1000, m, replace=False)) for _ in range(2000)]
    distance = np.sqrt(np.mean(np.sum((np.array(drawn) - everything) ** 2, axis=1)))
    print(f"batches of {m:3}: mean distance from the gradient of all rows {distance:.2f}")

# %%
# So small batches make many rough steps, large ones few and exact steps. Per epoch the rough ones get further at first,
# and in the end they keep trembling about the minimum:

figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
for m in (5, 50, 1000):
    w, course = np.zeros(2), []
    for _ in range(8):
        order = random.permutation(1000)
        for start_row in range(0, 1000, m):
            course.append(np.mean((x @ w - y) ** 2))
            w = w - 0.05 * of_rows(w, order[start_row : start_row + m])
    ax.plot(np.arange(len(course)) * m / 1000, course, label=f"batches of {m}")
ax.set(xlabel="epochs", ylabel="mean squared error of all rows", yscale="log")
ax.legend(frameon=False)
plt.show()

# %%
# Exercises
# ---------
#
# **1.** In the valley above, from which learning rate on does plain descent no longer come closer along :math:`w_2`?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    A step multiplies :math:`w_2` by :math:`1 - 25 \eta`. Its size falls while :math:`|1 - 25 \eta| < 1`, that is for
#    :math:`\eta < 0.08`. At 0.08 it jumps to and fro for ever.
#
# **2.** 96 rows train in batches of 8 for 200 epochs. How many steps is that?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`96 / 8 = 12` steps in an epoch, 2,400 in all.
#
# **3.** In the last panel of the first figure RMSProp stops getting better. Why?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    It divides by the size of recent gradients, so with a constant rate its steps stay about η long however small the
#    gradient is: it jumps about the minimum. AdaGrad's sum of squares only grows, and its steps shrink; where the way
#    is long, they shrink too early.
