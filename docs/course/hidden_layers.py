r"""
Hidden layers
=============

Networks put layers one after the other. This page shows why that gains nothing as long as neurons only add and weigh,
and what a single bend changes.
"""

# %%
# One layer after the other
# -------------------------
#
# A layer takes the inputs to some numbers :math:`a`, the next takes these to the output :math:`\hat y`:
#
# .. math:: a = z_1(x) = W_1 x + b_1, \qquad \hat y = z_2(a) = W_2 a + b_2
#
# The layer in between is :term:`hidden <hidden layer>`: neither its inputs nor its outputs are data. The output is
# computed from left to right, layer by layer.

import matplotlib.pyplot as plt
import numpy as np

import shoal

network = shoal.Network.parse("2 3 1")
print(network.summary())
network.draw(show_weights="symbols")

# %%
# Without activation they collapse
# --------------------------------
#
# Put the first formula into the second:
#
# .. math:: \hat y = W_2 (W_1 x + b_1) + b_2 = (W_2 W_1)\, x + (W_2 b_1 + b_2)
#
# This is one layer with the weights :math:`W_2 W_1` and the bias :math:`W_2 b_1 + b_2`. However many layers of this
# kind stand in a row, they are one layer, and can do no more than that. `merge_linear` does the product:

random = np.random.default_rng(0)
parameters = [
    {"kernel": random.normal(size=(2, 3)), "bias": random.normal(size=3)},
    {"kernel": random.normal(size=(3, 1)), "bias": random.normal(size=1)},
]
merged, of_merged = network.merge_linear(parameters)
print(merged.summary())

x = random.normal(size=(5, 2))
print("largest difference:", np.abs(network.predict(parameters, x) - merged.predict(of_merged, x)).max())

# %%
# With a bend they do not
# -----------------------
#
# Now each hidden neuron hands on its sum only where it is positive, and 0 elsewhere:
#
# .. math:: a = \max(0, W_1 x + b_1)
#
# This is the :term:`activation` ReLU. With it, the product of above can no longer be taken, and `merge_linear` leaves
# the layers alone.

bent = shoal.Network.parse("2 3:relu 1")
print("left as they are:", bent.merge_linear(parameters)[0] == bent)

# %%
# A task that shows the difference is the exclusive or: the answer shall be 1 where exactly one of two inputs is 1. No
# straight line has both ones on one side. The best that a network without activation can do, in the sense of least
# squares, is to answer 1/2 always:

corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
answers = np.array([0.0, 1.0, 1.0, 0.0])
with_one = np.hstack([corners, np.ones((4, 1))])
best = np.linalg.lstsq(with_one, answers, rcond=None)[0]
print("weights and bias of the best plane:", best.round(10) + 0.0)

# %%
# Two hidden neurons with a bend solve it exactly: one counts the ones, the other begins to count where there are two,
# and is subtracted twice.
#
# .. math:: \hat y = \max(0, x_1 + x_2) - 2 \max(0, x_1 + x_2 - 1)

xor = shoal.Network.parse("2 2:relu 1")
by_hand = [
    {"kernel": np.array([[1.0, 1.0], [1.0, 1.0]]), "bias": np.array([0.0, -1.0])},
    {"kernel": np.array([[1.0], [-2.0]]), "bias": np.array([0.0])},
]
print("answers:", xor.predict(by_hand, corners)[:, 0])

# %%
# The network with its weights, red positive and blue negative, and what it says between the corners:

xor.draw(by_hand, feature_names=["x1", "x2"], class_names=["y"], show_weights="values")

# %%

grid = np.linspace(-0.5, 1.5, 200)
x1, x2 = np.meshgrid(grid, grid)
values = xor.predict(by_hand, np.column_stack([x1.ravel(), x2.ravel()]))[:, 0].reshape(x1.shape)

figure, ax = plt.subplots(figsize=(4.4, 3.6), layout="constrained")
shown = ax.contourf(x1, x2, values, levels=20, cmap="viridis")
figure.colorbar(shown, label="output")
ax.scatter(*corners.T, c=answers, cmap="gray", edgecolors="white", s=80, vmin=0, vmax=1)
ax.set(xlabel="x1", ylabel="x2", aspect="equal", title="exclusive or")
plt.show()

# %%
# Networks of three and more layers are called :term:`deep <deep network>`. All layers but the last have an activation;
# what the last one has depends on the task (:doc:`activations`).
#
# Exercises
# ---------
#
# **1.** How many parameters has the network `"2 3:relu 1"`? And after merging, if it had no activation?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`3 \cdot (2 + 1) + 1 \cdot (3 + 1) = 13`. Merged, it would be `"2 1"` with 3. Ten of the 13 were useless.
#
# **2.** Change the last weight of the network above from −2 to −1. Which function of :math:`x_1` and :math:`x_2` in the
# corners is that?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    The answers become 0, 1, 1, 1: the (inclusive) or.
#
# **3.** Do layers collapse if the *last* one has an activation, but the hidden one has none?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    Yes: the hidden layer merges into the last one, whose activation acts afterwards on the same sums.
