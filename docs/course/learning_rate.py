r"""
The learning rate
=================

The learning rate is how far each step goes. Too small a rate takes long or stays in a small hollow; too large a rate
jumps over the minimum. Both can be computed for one weight, and seen on a network.
"""

# %%
# One weight, exactly
# -------------------
#
# Let the cost be :math:`J = w^2`. Its slope is :math:`2 w`, so a step takes w to
#
# .. math:: w - \eta \cdot 2 w = (1 - 2 \eta)\, w
#
# After t steps w is :math:`(1 - 2\eta)^t` times where it began. With a tiny η this factor is nearly 1: hardly any
# progress. Between 1/2 and 1 it is negative: the steps cross the minimum and still come closer. Above 1 each step ends
# further away than it began: training :term:`diverges <divergence>`.

import matplotlib.pyplot as plt
import numpy as np

import shoal

w = np.linspace(-3.0, 3.0, 200)
figure, axes = plt.subplots(1, 4, figsize=(10, 2.8), layout="constrained", sharey=True)
for ax, rate in zip(axes, (0.01, 0.3, 0.9, 1.05), strict=True):
    way = 2.0 * (1.0 - 2.0 * rate) ** np.arange(12)
    ax.plot(w, w**2, color="0.8")
    ax.plot(way, way**2, ".-", lw=0.8)
    ax.set(title=f"η = {rate}", xlabel="w", xlim=(-4, 4), ylim=(-0.5, 12))
    print(f"η = {rate}: after 11 steps w = {way[-1]:.4f}")
axes[0].set_ylabel("cost")
plt.show()

# %%
# A hollow on the way
# -------------------
#
# Costs of networks have more than one valley. Here is a curve with a small hollow on the left, a :term:`local minimum`,
# and the lowest place on the right. Short steps from the left end in the hollow; longer ones leap over its rim. Whether
# a longer step helps is luck: it may as well leap over the lowest place.


def cost(w: np.ndarray) -> np.ndarray:
    """Return a curve with two valleys."""
    return 0.05 * w**4 - 0.5 * w**2 - 0.4 * w + 2.5


def slope(w: float) -> float:
    """Return its slope."""
    return 0.2 * w**3 - 1.0 * w - 0.4


w = np.linspace(-4.0, 4.0, 400)
figure, ax = plt.subplots(figsize=(5.4, 3.2), layout="constrained")
ax.plot(w, cost(w), color="0.7")
for rate in (0.1, 0.7):
    way = [-3.4]
    for _ in range(60):
        way.append(way[-1] - rate * slope(way[-1]))
    print(f"η = {rate}: ends at w = {way[-1]:.3f} with cost {cost(np.array(way[-1])):.3f}")
    ax.plot(way, cost(np.array(way)), ".-", lw=0.8, label=f"η = {rate}")
ax.set(xlabel="w", ylabel="cost", ylim=(0, 5))
ax.legend(frameon=False)
plt.show()

# %%
# On a network
# ------------
#
# Three times the same network on the irises, by plain descent, with three learning rates. Everything else is equal, the
# start as well. The last fifth of the rows is for validation, so they are shuffled first. Who guesses among three
# classes has a loss of :math:`\log 3 = 1.10` (dotted).

iris = shoal.load_dataset("iris").table
order = np.random.default_rng(0).permutation(len(iris))
x = iris.select(iris.columns[:4]).to_numpy()[order]
x = (x - x.mean(axis=0)) / x.std(axis=0)
y = np.unique(iris["species"], return_inverse=True)[1][order]

network = shoal.Network.parse("4 8:tanh 3:softmax")
figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained", sharey=True)
for ax, rate in zip(axes, (0.0003, 0.1, 10.0), strict=True):
    trained = network.fit(
        x,
        y,
        loss="sparse_categorical_crossentropy",
        optimizer="sgd",
        learning_rate=rate,
        epochs=100,
        batch_size=16,
        validation_split=0.2,
    )
    losses = trained.history["loss"]
    epochs = np.arange(1, len(losses) + 1)
    ax.plot(epochs, losses, label="training")
    ax.plot(epochs, trained.history["val_loss"], label="validation")
    ax.axhline(np.log(3.0), color="black", ls=":", lw=0.8)
    ax.set(title=f"η = {rate}", xlabel="epoch", yscale="log")
    print(f"η = {rate}: training loss {losses[0]:.2f} in the first epoch, {losses[-1]:.2f} in the last")
axes[0].set_ylabel("loss")
axes[0].legend(frameon=False)
plt.show()

# %%
# The small rate has hardly begun when the epochs are over. The large one jumps about, above and below
# what guessing would give.
#
# A rate is not simply good or bad: it goes with the optimizer, the batch size and the number of epochs. What a
# :term:`schedule <schedule>` does is to begin with long steps and end with short ones: `schedule="cosine"`.
#
# Exercises
# ---------
#
# **1.** For which learning rate does :math:`J = w^2` reach its minimum in a single step?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`1 - 2 \eta = 0`, so :math:`\eta = 1/2`.
#
# **2.** The same for :math:`J = \frac{a}{2} w^2`. Which rates diverge?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    The factor of a step is :math:`1 - a \eta`: one step suffices with :math:`\eta = 1/a`, and rates above :math:`2/a`
#    diverge. The steeper the valley, the shorter steps must be. With several weights the steepest direction decides.
#
# **3.** A loss curve falls smoothly and is still falling at the last epoch. Which two settings may you change?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    More epochs, or a larger learning rate.
