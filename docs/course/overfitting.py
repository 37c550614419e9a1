r"""
Overfitting
===========

A network with many weights and few rows can learn the rows by heart, noise included. This page lets one do so, looks at
its curves, and tries what helps.
"""

# %%
# Few rows, many weights
# ----------------------
#
# Sixty points on a sine, with noise. Of them 24 train a network of 4,353 parameters, for 600 epochs without stopping;
# 24 validate, and 12 wait for the end.

import textwrap

import matplotlib.pyplot as plt
import numpy as np

import shoal

random = np.random.default_rng(3)
x = random.uniform(-1.0, 1.0, 60)
y = np.sin(3.0 * x) + 0.4 * random.normal(size=60)


def train(**changes: object) -> shoal.Run:
    """Train one network on the points, with some settings changed."""
    settings = {"hidden": (64, 64), "activation": "relu", "learning_rate": 0.01, "batch_size": 8, "l2": 0.0}
    settings |= {"epochs": 600, "patience": 600, "validation_size": 0.4, "page": False}
    return shoal.fit({"x": x, "y": y}, target="y", networks=1, seed=1, **{**settings, **changes})


large = train()
print(large.metrics["rows"], large.metrics["networks"]["parameters"], "parameters")


def draw(ax: plt.Axes, run: shoal.Run, title: str) -> None:
    """Draw the learning curves of a run."""
    curves = run.curves
    ax.plot(curves["epoch"], curves["train_loss"], label="training")
    ax.plot(curves["epoch"], curves["validation_loss"], label="validation")
    ax.set(title=title, xlabel="epoch", ylim=(0.0, 1.2))


figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
draw(ax, large, "64 and 64 neurons")
ax.set_ylabel("mean squared error")
ax.legend(frameon=False)
plt.show()

# %%
# At first both losses fall: what is learned holds for other rows, too. Then they part. The training loss goes on
# falling, the validation loss rises: from there on the network learns the noise of its own rows. This is
# :term:`overfitting`. The opposite, a network too small or trained too briefly for what the data hold, is underfitting:
# both losses stay high.

curves = large.curves
best = curves["validation_loss"].arg_min()
for name, epoch in (("best", best), ("last", len(curves) - 1)):
    row = curves.row(epoch, named=True)
    print(f"{name} epoch {row['epoch']:3}: training {row['train_loss']:.3f}, validation {row['validation_loss']:.3f}")
print(textwrap.fill(large.metrics["verdict"]["training_text"], 90))

# %%
# What helps
# ----------
#
# - **Train less.** Stop when the validation loss no longer falls (:term:`early stopping`). shoal always keeps the
#   weights of the best epoch; `patience` says how long it waits for a better one.
# - **A smaller network** cannot learn as much noise.
# - **Regularise**: a penalty on the weights (:doc:`losses`), or :term:`dropout`, which leaves out neurons at random
#   while training.
# - **More rows**, if they can be had, help most.

small = train(hidden=(8,))
penalised = train(l2=50.0)
figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), layout="constrained", sharey=True)
draw(axes[0], large, "64 and 64 neurons")
draw(axes[1], small, "8 neurons")
draw(axes[2], penalised, "64 and 64, λ = 50")
axes[0].set_ylabel("mean squared error")
axes[0].legend(frameon=False)
plt.show()

for name, run in (("large", large), ("small", small), ("penalised", penalised)):
    losses = run.curves["validation_loss"]
    print(f"{name:10} validation loss at its best epoch {losses.min():.3f}, at the last one {losses[-1]:.3f}")

# %%
# What the kept networks say, those of the best epoch, between and beyond the points:

grid = np.linspace(-1.2, 1.2, 200)
figure, ax = plt.subplots(figsize=(5, 3.2), layout="constrained")
ax.plot(x, y, ".", color="0.6")
ax.plot(grid, np.sin(3.0 * grid), "k--", lw=1, label="without noise")
for name, run in (("large", large), ("small", small), ("penalised", penalised)):
    ax.plot(grid, run.predict({"x": grid}).mean[:, 0], label=name)
ax.set(xlabel="x", ylabel="y")
ax.legend(frameon=False, fontsize=8)
plt.show()

# %%
# Only then, once the choice is made, come the test rows. A score on training rows tells nothing of new ones, and that
# of validation rows flatters a little, since they chose the epoch and the network.

score = large.metrics["test"]["rmse"]
print(
    f"test RMSE of the large network at its best epoch: {score['value']:.2f} [{score['low']:.2f}, {score['high']:.2f}]"
)

# %%
# Exercises
# ---------
#
# **1.** The labels are y = sin(3x) with noise of deviation 0.4. Which mean squared error can no network beat on new
# rows?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    The variance of the noise, :math:`0.4^2 = 0.16`. A training loss far below it is a sign that noise was learned.
#    (The losses drawn above are those of labels scaled to variance 1, so that 0.16 becomes 0.16 divided by the variance
#    of y.)
#
# **2.** Training loss 0.30, validation loss 0.31, both no longer falling. Overfitted? What would you try?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    Not overfitted: the gap is small. If better is possible at all, a larger network, longer training or a larger
#    learning rate may find it.
#
# **3.** Why does a validation set of 10 rows make it hard to see overfitting?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    The mean over 10 rows is uncertain itself, so a rise of the curve can be chance. The page of a run says where rows
#    are too few to tell.
