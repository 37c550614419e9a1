r"""
Deep or wide
============

Eight hidden neurons can stand in two layers of four, or in four layers of two. This page counts their parameters,
trains both, and tells what depth is for.
"""

# %%
# The same neurons, different parameters
# --------------------------------------
#
# Two networks with one input, eight hidden neurons and one output. In each, every neuron has a weight for every neuron
# of the layer before it, and a bias:
#
# .. math::
#
#    1 \to 4 \to 4 \to 1: \quad 4 (1 + 1) + 4 (4 + 1) + 1 (4 + 1) = 33
#
# .. math::
#
#    1 \to 2 \to 2 \to 2 \to 2 \to 1: \quad 2 (1 + 1) + 3 \cdot 2 (2 + 1) + 1 (2 + 1) = 25

import matplotlib.pyplot as plt
import numpy as np

import shoal

wide, deep = shoal.Network.parse("1 4:tanh 4:tanh 1"), shoal.Network.parse("1 2:tanh 2:tanh 2:tanh 2:tanh 1")
print(wide.parameter_count, deep.parameter_count)

wide.draw()

# %%

deep.draw()

# %%
# Between two layers of n neurons lie :math:`n^2` weights: width costs with its square, depth only in
# proportion. Here are 2,000 neurons between 100 inputs and one output, in three arrangements:

for widths in ((1000, 1000), (500, 500, 500, 500), (200,) * 10):
    network = shoal.Network.parse(" ".join(map(str, (100, *widths, 1))))
    print(f"{len(widths):2} layers of {widths[0]:4}, {sum(widths)} neurons: {network.parameter_count:9,} parameters")

# %%
# Which learns better?
# --------------------
#
# Both are given the same noiseless curve, twelve times each from other random weights.

x = np.linspace(-1.0, 1.0, 200)
y = np.sin(4.0 * x)
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
for name, network in (("4, 4", wide), ("2, 2, 2, 2", deep)):
    settings = {"loss": "mse", "learning_rate": 0.01, "epochs": 300, "batch_size": 16}
    losses = sorted(network.fit(x[:, None], y, seed=seed, **settings).history["loss"][-1] for seed in range(12))
    ax.semilogy(np.arange(1, 13), losses, "o-", label=name)
    print(f"{name:10} loss: median {np.median(losses):.5f}, from {losses[0]:.5f} to {losses[-1]:.5f}")
ax.set(xlabel="networks, best first", ylabel="loss")
ax.legend(frameon=False, title="hidden")
plt.show()

# %%
# For a curve in one dimension the wider one has the easier task: every layer of two neurons is a narrow gate through
# which all must pass. Depth pays where the task itself is made of steps, each built on the one before: edges make
# corners, corners make shapes, shapes make digits. Then a deep network needs fewer parameters than a wide one for the
# same result (Lin, Tegmark and Rolnick, *J. Stat. Phys.* 168, 1223, 2017). Networks for images have dozens of layers
# and millions of parameters; this is what is called :term:`deep learning <deep network>`.
#
# What dense layers cannot do
# ---------------------------
#
# However they are arranged, dense layers have two limits. Their weights multiply: an image of 1000 × 1000 pixels and a
# first layer of as many neurons would have

print(f"{shoal.Network.parse('1000000 1000000').parameter_count:,} parameters")

# %%
# and they have no memory: each row is answered as if there had been none before. :doc:`convolution` and :doc:`memory`
# are answers to the two.
#
# Another limit they share with all networks. Thirty-three numbers can be printed, but nobody reads from them what the
# network does: it is a :term:`black box`. What can be asked from outside, which inputs matter and how, is told
# in :doc:`/howto/explaining`.
#
# Exercises
# ---------
#
# **1.** How many parameters have 3 inputs, hidden layers of 10, 5 and 10 neurons, and 2 outputs?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`10 \cdot 4 + 5 \cdot 11 + 10 \cdot 6 + 2 \cdot 11 = 177`.
#
# **2.** With one input and one output, which arrangement of eight hidden neurons has the fewest parameters?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    Eight layers of one neuron: :math:`2 + 7 \cdot 2 + 2 = 18`. One layer of eight has :math:`16 + 9 = 25`, as many as
#    four layers of two. Eight layers of one neuron can only stretch, squeeze and bend the line as a whole: what it
#    makes of x never turns round, if the activation does not.
