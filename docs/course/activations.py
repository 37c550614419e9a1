r"""
Activations
===========

An activation bends what a neuron hands on: :math:`a(z) = f(W x + b)`. This page draws the usual ones with their slopes,
and shows how bends add up to any curve.
"""

# %%
# The usual ones
# --------------
#
# .. math::
#
#    \text{sigmoid}(z) = \frac{1}{1 + e^{-z}}, \qquad \tanh(z), \qquad \text{ReLU}(z) = \max(0, z)
#
# There are many more; the :doc:`reference </reference/layers>` lists those that shoal knows. Here they are with their
# slopes, which are what training works with.

import matplotlib.pyplot as plt
import numpy as np

import shoal
from shoal.networks import get_activation, numpy_namespace

z = np.linspace(-5.0, 5.0, 1001)
names = ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "silu"]
curves = {name: get_activation(name).function(numpy_namespace, z) for name in names}

figure, axes = plt.subplots(2, 3, figsize=(8.4, 4.6), layout="constrained", sharex=True)
for ax, (name, values) in zip(axes.flat, curves.items(), strict=True):
    ax.plot(z, values, label="f(z)")
    ax.plot(z, np.gradient(values, z), "--", label="slope")
    ax.set(title=name, ylim=(-1.3, 2.5))
    ax.axhline(0.0, color="0.8", lw=0.8, zorder=0)
axes[0, 0].legend(frameon=False)
for ax in axes[1]:
    ax.set_xlabel("z")
plt.show()

# %%
# What to notice:
#
# - The slope of the sigmoid is 1/4 at most, and nearly 0 far from the middle. In a row of many layers such slopes are
#   multiplied, and little is left for the first layers to learn from.
# - The slope of ReLU is 1 or 0: nothing fades where it is 1, and a neuron that is at 0 for all rows learns nothing
#   more. Leaky ReLU has a small slope there instead.

print("largest slope of the sigmoid:", np.gradient(curves["sigmoid"], z).max().round(4))
print("ten sigmoid layers multiply the slope by at most", 0.25**10)
print("slope of the sigmoid at z = 5:", np.gradient(curves["sigmoid"], z)[-1].round(4))

# %%
# Usually all neurons of a layer have the same activation. It need not be so:

mixed = shoal.Network([shoal.Dense(3, activation=("relu", "tanh", "linear"))], input_shape=(1,))
same_weights = [{"kernel": np.ones((1, 3)), "bias": np.zeros(3)}]
print(mixed.predict(same_weights, np.array([[-2.0], [0.5], [2.0]])).round(3))

# %%
# The last layer
# --------------
#
# What the last layer needs depends on what is asked.
#
# ========================= ==================== ==========================================
# task                      last activation      the output is
# ========================= ==================== ==========================================
# a number                  none (linear)        any number
# one of two classes        sigmoid              a probability
# one of several classes    softmax              a probability for each class; they sum to 1
# ========================= ==================== ==========================================
#
# .. math:: \text{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}

softmax = get_activation("softmax").function
scores = np.array([[2.0, 1.0, -1.0]])
probabilities = softmax(numpy_namespace, scores)
print("probabilities:", probabilities.round(3), "sum:", probabilities.sum().round(6))
print("all scores 10 higher:", softmax(numpy_namespace, scores + 10.0).round(3))

# %%
# What bends can imitate
# ----------------------
#
# A ReLU neuron with weight 1 and bias :math:`-t` is 0 up to t and rises from there: a bend at t. A weighted sum of such
# neurons is a line with a bend at each t, and with enough bends a line comes close to any smooth curve. Here the bends
# are set evenly, and only the weights of the last layer are computed, by least squares.

x = np.linspace(0.0, 2.0 * np.pi, 400)[:, None]
y = np.sin(x[:, 0]) + 0.5 * np.sin(3.0 * x[:, 0])


def imitate(units: int) -> np.ndarray:
    """Return the closest curve with so many bends."""
    network = shoal.Network.parse(f"1 {units}:relu 1")
    hidden = {"kernel": np.ones((1, units)), "bias": -np.linspace(0.0, 2.0 * np.pi, units, endpoint=False)}
    bends = np.maximum(0.0, x @ hidden["kernel"] + hidden["bias"])
    *kernel, bias = np.linalg.lstsq(np.hstack([bends, np.ones_like(x)]), y, rcond=None)[0]
    return network.predict([hidden, {"kernel": np.array(kernel)[:, None], "bias": np.array([bias])}], x)[:, 0]


figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained", sharey=True)
for ax, units in zip(axes, (3, 8, 24), strict=True):
    curve = imitate(units)
    ax.plot(x, y, color="0.7", lw=3, label="to imitate")
    ax.plot(x, curve, label="network")
    ax.set(title=f"{units} neurons, RMSE {np.sqrt(np.mean((curve - y) ** 2)):.3f}", xlabel="x")
axes[0].legend(frameon=False)
plt.show()

# %%
# Exercises
# ---------
#
# **1.** Show that :math:`\tanh(z) = 2\,\text{sigmoid}(2z) - 1`, with a line of code.
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    `np.allclose(np.tanh(z), 2 / (1 + np.exp(-2 * z)) - 1)` is true. A layer of tanh can therefore do whatever a layer
#    of sigmoids can, with other weights.
#
# **2.** Why does it change nothing when 10 is added to all scores before the softmax?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`e^{z + 10} = e^{10} e^z`: numerator and denominator have the same factor. Only differences of scores count.
#
# **3.** Write the absolute value :math:`|x|` as a network of two ReLU neurons.
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`|x| = \max(0, x) + \max(0, -x)`: hidden weights 1 and −1, no biases, last weights 1 and 1.
