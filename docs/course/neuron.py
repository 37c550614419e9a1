r"""
The neuron
==========

A neuron takes some numbers, weighs each, adds them up and adds one number of its own. This page computes that three
times: by hand, as a product of matrices, and with the bias as one more column.
"""

# %%
# Weights and bias
# ----------------
#
# With three inputs :math:`x_1, x_2, x_3` a neuron has three :term:`weights <weight>` and a :term:`bias`, and it gives
#
# .. math:: z = w_1 x_1 + w_2 x_2 + w_3 x_3 + b
#
# A large weight says that an input matters, a negative one that it counts against. The bias is what comes out when all
# inputs are zero.

import matplotlib.pyplot as plt
import numpy as np

import shoal

x = np.array([1.0, 2.0, 3.0])
w = np.array([0.5, -1.0, 2.0])
b = 0.1
print("by hand:", 0.5 * 1.0 - 1.0 * 2.0 + 2.0 * 3.0 + 0.1)
print("as a product:", w @ x + b)

# %%
# In shoal this neuron is a :term:`dense layer` of one unit. `"3 1"` says three inputs, one neuron. Its weights are
# called :term:`kernel <kernel>`, as in Keras, with a row for each input and a column for each neuron.

neuron = shoal.Network.parse("3 1")
parameters = [{"kernel": w[:, None], "bias": np.array([b])}]
print("as a network:", neuron.predict(parameters, x[None])[0, 0])
print("parameters:", neuron.parameter_count)

neuron.draw(parameters, feature_names=["x1", "x2", "x3"], class_names=["z"], show_weights="values")

# %%
# The same with letters in place of numbers:

neuron.draw(show_weights="symbols")

# %%
# Several neurons: a matrix
# -------------------------
#
# Two neurons beside each other see the same inputs, each with weights and a bias of its own. Written in one line, with
# the weights as a matrix W and the biases as a vector b,
#
# .. math:: z = W x + b, \qquad z_i = \sum_j w_{ij} x_j + b_i
#
# Data come with many rows, one below the other. Then it is easier to multiply from the right, with the transposed
# matrix: each row of X gives a row of Z. This is how networks compute all rows at once.

W = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]])  # a row for each neuron
biases = np.array([0.1, -0.2])
X = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])  # two rows of data
print(X @ W.T + biases)

two = shoal.Network.parse("3 2")
print(two.predict([{"kernel": W.T, "bias": biases}], X))

two.draw(show_weights="symbols")

# %%
# The bias column
# ---------------
#
# The bias looks like an exception, but it is a weight like the others: of an input that is always 1. With one more
# column in the matrix, and a 1 below the inputs, there is nothing but a product left:
#
# .. math::
#
#    \begin{pmatrix} w_{11} & w_{12} & w_{13} & b_1 \\ w_{21} & w_{22} & w_{23} & b_2 \end{pmatrix}
#    \begin{pmatrix} x_1 \\ x_2 \\ x_3 \\ 1 \end{pmatrix} = W x + b

with_bias = np.hstack([W, biases[:, None]])
with_one = np.hstack([X, np.ones((len(X), 1))])
print(with_bias)
print("equal:", np.allclose(with_one @ with_bias.T, X @ W.T + biases))

# %%
# What one neuron can do
# ----------------------
#
# The places where :math:`z = 0` make a straight line (with more inputs a plane). On one side of it z is positive, on
# the other negative: a neuron tells two sides apart. The weights turn the line, the bias shifts it.

grid = np.linspace(-3.0, 3.0, 200)
x1, x2 = np.meshgrid(grid, grid)
plane = np.column_stack([x1.ravel(), x2.ravel()])
line = shoal.Network.parse("2 1")

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained", sharey=True)
for ax, (weights, bias) in zip(axes, [((1.0, 1.0), 0.0), ((1.0, 1.0), 2.0), ((1.0, -0.5), 0.0)], strict=True):
    values = line.predict([{"kernel": np.array(weights)[:, None], "bias": np.array([bias])}], plane)
    ax.contourf(x1, x2, values.reshape(x1.shape), levels=20, cmap="coolwarm", vmin=-8, vmax=8)
    ax.contour(x1, x2, values.reshape(x1.shape), levels=[0.0], colors="black")
    ax.set(title=f"w = {weights}, b = {bias}", xlabel="x1", aspect="equal")
axes[0].set_ylabel("x2")
plt.show()

# %%
# Exercises
# ---------
#
# **1.** How many parameters does a layer of 5 neurons have that sees 10 inputs?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    Each neuron has 10 weights and a bias, so :math:`5 \cdot (10 + 1) = 55`. `shoal.Network.parse("10 5")` counts the
#    same.
#
# **2.** Which weights and bias make a neuron compute the mean of three inputs?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    All weights 1/3, the bias 0.
#
# **3.** A neuron shall be positive where :math:`x_1 > 2 x_2 + 1` and negative elsewhere. Find its weights and bias.
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`x_1 - 2 x_2 - 1 > 0` says the same, so :math:`w = (1, -2)` and :math:`b = -1`. Any positive multiple of them
#    does as well.
