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
# Sixty points on a sine, with noise. Of them 24 train a network of 4,353 parameters, for 1,000 epochs without stopping;
# 24 validate, and 12 wait for the end.

import matplotlib.pyplot as plt
import numpy as np

import shoal

random = np.random.default_rng(0)
x = random.uniform(-1.0, 1.0, (60, 1))
y = np.sin(3.0 * x[:, 0]) + 0.4 * random.normal(size=60)
validation = x[24:48], y[24:48]


def train(layers: str, **changes: object) -> shoal.TrainedNetwork:
    """Train one network on the first points, with some settings changed."""
    settings = {"loss": "mse", "learning_rate": 0.01, "epochs": 1000, "batch_size": 8, "validation_data": validation}
    return shoal.Network.parse(layers).fit(x[:24], y[:24], **{**settings, **changes})


large = train("1 64:relu 64:relu 1")
print(large)


def draw(ax: plt.Axes, trained: shoal.TrainedNetwork, title: str) -> None:
    """Draw the learning curves of a network."""
    epochs = np.arange(1, len(trained.history["loss"]) + 1)
    ax.plot(epochs, trained.history["loss"], lw=0.8, label="training")
    ax.plot(epochs, trained.history["val_loss"], lw=0.8, label="validation")
    ax.set(title=title, xlabel="epoch", ylim=(0.0, 0.8))


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

for name, epoch in (("best", large.best_epoch), ("last", 1000)):
    training, on_new_rows = large.history["loss"][epoch - 1], large.history["val_loss"][epoch - 1]
    print(f"{name} epoch {epoch:4}: training {training:.3f}, validation {on_new_rows:.3f}")

# %%
# What helps
# ----------
#
# - **Train less.** Stop when the validation loss no longer falls (:term:`early stopping`), and keep the weights of the
#   best epoch. `patience` says how many epochs to wait for a better one.
# - **A smaller network** cannot learn as much noise.
# - **Regularise**: a penalty on the weights (:doc:`losses`), or :term:`dropout`, which leaves out neurons at random
#   while training.
# - **More rows**, if they can be had, help most.

stopped = train("1 64:relu 64:relu 1", patience=100, restore_best_weights=True)
small = train("1 8:relu 1")
penalised = train("1 64:relu 64:relu 1", l2=50.0)
figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), layout="constrained", sharey=True)
draw(axes[0], stopped, "stopped early")
draw(axes[1], small, "8 neurons")
draw(axes[2], penalised, "64 and 64, λ = 50")
axes[0].set_ylabel("mean squared error")
axes[0].legend(frameon=False)
plt.show()

networks = {"large, last epoch": large, "stopped, best epoch": stopped, "small": small, "penalised": penalised}
for name, trained in networks.items():
    print(f"{name:19} loss on the validation rows {trained.evaluate(*validation)['loss']:.3f}")

# %%
# What they say between and beyond the points:

grid = np.linspace(-1.2, 1.2, 200)[:, None]
figure, ax = plt.subplots(figsize=(5, 3.2), layout="constrained")
ax.plot(x[:24], y[:24], ".", color="0.6")
ax.plot(grid, np.sin(3.0 * grid), "k--", lw=1, label="without noise")
for name, trained in networks.items():
    ax.plot(grid, trained.predict(grid), label=name)
ax.set(xlabel="x", ylabel="y")
ax.legend(frameon=False, fontsize=8)
plt.show()

# %%
# Only then, once the choice is made, come the test rows. A score on training rows tells nothing of new ones, and that
# of validation rows flatters a little, since they chose the epoch and the network.

print(f"loss of the stopped network on the test rows: {stopped.evaluate(x[48:], y[48:])['loss']:.3f}")

# %%
# Many networks, and their spread
# -------------------------------
#
# `shoal.fit` stops early and keeps the weights of each network's best epoch by itself. It trains many, and where few
# points leave open how the curve goes, they disagree: the dark band is one standard deviation of the networks, the
# light one is to hold 95 % of new points like these.

run = shoal.fit({"x": x[:, 0], "y": y}, target="y", networks=24, epochs=150, page=False)
run.regression_curve("x").draw()

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
