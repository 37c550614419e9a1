r"""
Losses and the cost
===================

To train a network one must say how wrong it is, in one number. This page computes the usual losses by hand, shows how
they treat a single bad value, and adds the penalty on large weights.
"""

# %%
# For numbers
# -----------
#
# For n predictions :math:`\hat y` and labels y,
#
# .. math::
#
#    \text{MSE} = \frac{1}{n} \sum_i (\hat y_i - y_i)^2, \qquad \text{RMSE} = \sqrt{\text{MSE}}, \qquad
#    \text{MAE} = \frac{1}{n} \sum_i |\hat y_i - y_i|
#
# The mean squared error is the usual one. Its root has the unit of the label, so that it can be compared with the
# scatter of the data.

import matplotlib.pyplot as plt
import numpy as np

from shoal.networks import numpy_namespace
from shoal.training.losses import get_loss

y = np.array([1.0, 2.0, 3.0, 4.0])
predicted = np.array([1.1, 1.8, 3.4, 4.0])
error = predicted - y
print("errors:", error.round(2))
mean_square = np.mean(error**2)
print("MSE ", mean_square.round(4), " RMSE", np.sqrt(mean_square).round(4), " MAE", np.mean(np.abs(error)).round(4))

values = get_loss("mse").values(numpy_namespace, y[:, None], predicted[:, None], {})
print("the same by shoal:", values.mean().round(4))

# %%
# One bad value
# -------------
#
# What is the best prediction if a network can say only one number c for all rows? The MSE is smallest at the mean of
# the labels, the MAE at their median. A single value far off pulls the mean along, and leaves the median where it is.

measured = np.array([1.0, 1.2, 0.9, 1.1, 1.0, 1.3, 6.0])  # the last one is a mistake
c = np.linspace(0.0, 4.0, 4001)
mse = np.mean((c[:, None] - measured) ** 2, axis=1)
mae = np.mean(np.abs(c[:, None] - measured), axis=1)
print("MSE is smallest at", c[mse.argmin()].round(3), " mean  ", measured.mean().round(3))
print("MAE is smallest at", c[mae.argmin()].round(3), " median", np.median(measured))

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for ax, values, name in ((left, mse, "MSE"), (right, mae, "MAE")):
    ax.plot(c, values)
    ax.plot(measured, np.zeros_like(measured), "k|", ms=14)
    ax.axvline(c[values.argmin()], color="tab:red", ls="--")
    ax.set(xlabel="prediction c", ylabel=name, title=f"{name}: best c = {c[values.argmin()]:.2f}", ylim=(0, None))
left.set_xlim(0, 6.3)
right.set_xlim(0, 6.3)
plt.show()

# %%
# For classes
# -----------
#
# A classifier gives a probability for each class. Its loss is the :term:`cross-entropy`: the negative logarithm of the
# probability that it gave to the true class,
#
# .. math:: -\frac{1}{n} \sum_i \log p_{i, \text{true class}}
#
# To be sure and right costs nothing; to be sure and wrong costs without bound. The labels are written as vectors with a
# 1 at the true class (:term:`one-hot <one-hot>`).

labels = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
probabilities = np.array([[0.9, 0.05, 0.05], [0.2, 0.7, 0.1], [0.6, 0.39, 0.01]])
by_hand = -np.log([0.9, 0.7, 0.01])
print("of each row:", by_hand.round(3), " mean:", by_hand.mean().round(3))
cross_entropy = get_loss("categorical_crossentropy").values(numpy_namespace, labels, probabilities, {})
print("the same by shoal:", cross_entropy.sum(axis=1).mean().round(3))

# %%
# The share of rows whose most probable class is the true one is the :term:`accuracy`. It is easier to understand, but
# it moves in steps and has no slope, so training cannot use it.

print("accuracy:", np.mean(probabilities.argmax(axis=1) == labels.argmax(axis=1)).round(3))

# %%
# The cost: loss and penalty
# --------------------------
#
# Large weights make a network bend sharply, which it does to follow the noise of single rows. A penalty on the squares
# of the weights, :term:`L2 regularisation`, works against that. With m rows in the batch and k regularised weights
#
# .. math:: J = \frac{1}{m} \sum_{i=1}^{m} \text{loss}_i + \frac{\lambda}{2 k} \sum_{j=1}^{k} w_j^2
#
# The strength λ is called `l2` in shoal. Biases are left out. *Loss* and *cost* are often used as one word; here the
# cost is the whole, the mean loss with all penalties.
#
# For a single neuron without activation the smallest cost can be computed exactly. The more λ grows, the smaller are
# the weights; they pay for it with a larger loss.

random = np.random.default_rng(1)
x = random.normal(size=(40, 4))
truth = np.array([2.0, -1.0, 0.5, 0.0])
labels = x @ truth + 0.3 * random.normal(size=40)


def cost(weights: np.ndarray, strength: float) -> float:
    """Return the mean squared error with its penalty."""
    return float(np.mean((x @ weights - labels) ** 2) + strength / (2 * len(weights)) * np.sum(weights**2))


def best_weights(strength: float) -> np.ndarray:
    """Return where the slope of the cost is zero: 2/m Xᵀ(Xw − y) + λ/k w = 0."""
    return np.linalg.solve(2 / 40 * x.T @ x + strength / 4 * np.eye(4), 2 / 40 * x.T @ labels)


strengths = np.logspace(-2, 3, 60)
paths = np.array([best_weights(strength) for strength in strengths])
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
left.semilogx(strengths, paths)
left.set(xlabel="λ", ylabel="weight", title="the four weights")
right.semilogx(strengths, [cost(w, 0.0) for w in paths], label="mean loss alone")
right.semilogx(strengths, [cost(w, s) for w, s in zip(paths, strengths, strict=True)], "--", label="cost")
right.set(xlabel="λ", title="what it costs")
right.legend(frameon=False)
plt.show()

w = best_weights(1.0)
nudged = min(cost(w + 0.01 * random.normal(size=4), 1.0) for _ in range(1000))
print("no small step makes the cost smaller:", cost(w, 1.0) < nudged)

# %%
# Several terms may be added to one cost: L2, L1 (the sum of :math:`|w|`), and :doc:`terms of your own
# </howto/own_functions>`.
#
# Exercises
# ---------
#
# **1.** A network of k = 100 weights that are all 0.5 is trained with λ = 4. What does the penalty add to the cost?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`\frac{4}{2 \cdot 100} \cdot 100 \cdot 0.25 = 0.5`. Since the sum is divided by k, the number of weights
#    cancels: λ/2 times the mean square of a weight.
#
# **2.** A classifier of three classes knows nothing and gives 1/3 to each. What is its cross-entropy?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`-\log(1/3) = \log 3 \approx 1.10`. A loss above that is worse than guessing.
#
# **3.** Which loss suits measurements among which some are simply wrong, and why?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    MAE, or Huber, which is squared for small errors and absolute for large ones: a value far off then pulls with a
#    constant force instead of one that grows with its distance.
