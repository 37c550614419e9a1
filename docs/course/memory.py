r"""
Recurrence and memory
=====================

Speech, weather, the signal of a detector: what comes now means something only with what came before. A recurrent neuron
keeps a number from step to step, and an LSTM cell decides what to keep.
"""

# %%
# The recurrent neuron
# --------------------
#
# A dense neuron answers each row as if there had been none before. A :term:`recurrent neuron` gets its own last output
# beside the new input:
#
# .. math:: h_t = f(w\, x_t + u\, h_{t-1} + b), \qquad h_0 = 0
#
# Drawn, the output goes back in a loop. Unrolled in time the loop is a chain: the same neuron, with the same weights,
# once for each step.

import matplotlib.pyplot as plt
import numpy as np

import shoal
from shoal.networks import Network


def unrolled(ax: plt.Axes, steps: int) -> None:
    """Draw the recurrent neuron once as a loop, then unrolled."""
    arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    for i in range(steps + 1):
        x = 2.0 * i + (1.2 if i else 0.0)
        name = "t" if i == 0 else str(i)
        ax.add_patch(plt.Circle((x, 0), 0.4, facecolor="#cfe3f5", edgecolor="black"))
        ax.text(x, 0, "f", ha="center", va="center", style="italic")
        ax.annotate("", (x, -0.4), (x, -1.2), arrowprops=arrow)
        ax.annotate("", (x, 1.2), (x, 0.4), arrowprops=arrow)
        ax.text(x, -1.5, f"$x_{name}$", ha="center")
        ax.text(x, 1.35, f"$h_{name}$", ha="center")
        ax.text(x + 0.1, -0.9, "w")
        if i == 0:
            ax.annotate("", (x + 0.4, 0.1), (x, 0.8), arrowprops={**arrow, "connectionstyle": "arc3,rad=-0.9"})
            ax.text(x + 0.95, 0.6, "u")
        elif i < steps:
            ax.annotate("", (x + 1.6, 0), (x + 0.4, 0), arrowprops=arrow)
            ax.text(x + 0.9, 0.12, "u")
    ax.text(2.1, -0.1, "=", fontsize=20, ha="center")
    ax.set(xlim=(-0.8, 2.0 * steps + 2.0), ylim=(-1.8, 1.9), aspect="equal")
    ax.axis("off")


figure, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
unrolled(ax, 4)
plt.show()

# %%
# By hand and as a layer, `SimpleRNN`, whose weights are `kernel` (w), `recurrent_kernel` (u) and `bias` (b). Series are
# arrays `(rows, time, channels)`; with `return_sequences=True` the layer hands on every h, without it the last one
# alone.

series = np.array([1.0, 0.0, -0.5, 2.0])
w, u, b = 0.8, 0.5, 0.1
h, by_hand = 0.0, []
for x in series:
    h = np.tanh(w * x + u * h + b)
    by_hand.append(h)
print("by hand:", np.round(by_hand, 4))

network = Network([shoal.networks.SimpleRNN(1, return_sequences=True)], (4, 1))
parameters = [{"kernel": np.array([[w]]), "recurrent_kernel": np.array([[u]]), "bias": np.array([b])}]
print("layer:  ", network.predict(parameters, series[None, :, None])[0, :, 0].round(4))

# %%
# The memory is short
# -------------------
#
# Give it a single 1 at the beginning and nothing more. In each step what is left is multiplied by u and bent by tanh:
# after t steps less than :math:`u^t`. With u above 1 it does not fade, but it ends at the same value whatever the size
# of the pulse was: only its sign is remembered.

pulse = np.zeros((1, 40, 1))
pulse[0, 0, 0] = 1.0
figure, ax = plt.subplots(figsize=(5.4, 3), layout="constrained")
for u in (0.5, 0.9, 1.5):
    recurrent = Network([shoal.networks.SimpleRNN(1, return_sequences=True)], (40, 1))
    weights = [{"kernel": np.array([[1.0]]), "recurrent_kernel": np.array([[u]]), "bias": np.zeros(1)}]
    left = recurrent.predict(weights, pulse)[0, :, 0]
    ax.plot(left, ".-", lw=0.8, label=f"u = {u}")
    of_half = recurrent.predict(weights, pulse / 2)[0, :, 0]
    print(f"u = {u}: after 20 steps {left[20]:.6f} is left, of half the pulse {of_half[20]:.6f}")
ax.set(xlabel="step", ylabel="h")
ax.legend(frameon=False)
plt.show()

# %%
# The same factor stands in the gradient: what happened 20 steps ago hardly changes the loss, so training cannot learn
# to use it.
#
# LSTM: gates and a cell
# ----------------------
#
# A long short-term memory (:term:`LSTM`; Hochreiter and Schmidhuber, *Neural Computation* 9, 1735, 1997) has beside its
# output h a cell c, to which is *added* rather than bent anew in each step. Three :term:`gates <gate>`, sigmoids
# between 0 and 1, decide what is taken in (i), what is kept (f) and what is shown (o):
#
# .. math:: c_t = f_t\, c_{t-1} + i_t \tanh(g_t), \qquad h_t = o_t \tanh(c_t)
#
# Each of i, f, o and g is computed from :math:`x_t` and :math:`h_{t-1}` with weights of its own. That is four times the
# parameters, and the work, of a simple recurrent neuron.

for name in ("simplernn:16", "lstm:16", "gru:16"):
    print(f"{name:12} {Network.parse(f'40x1 {name}').parameter_count:5} parameters")

# %%
# While f is 1 and i is 0, the cell keeps its value as long as you like. Here the gates are set by hand, so that an
# input above 1/2 opens the gate i. Later inputs are small and do not come in:

lstm = Network([shoal.networks.LSTM(1, return_sequences=True)], (40, 1))
gates = {"kernel": np.array([[40.0, 0.0, 2.0, 0.0]]), "bias": np.array([-20.0, 20.0, 0.0, 20.0])}  # i, f, g, o
kept = [{**gates, "recurrent_kernel": np.zeros((1, 4))}]
random = np.random.default_rng(0)
signal = 0.1 * random.normal(size=(1, 40, 1))
signal[0, 5, 0] = 1.0

figure, ax = plt.subplots(figsize=(5.4, 3), layout="constrained")
ax.plot(signal[0, :, 0], color="0.7", label="input")
ax.plot(lstm.predict(kept, signal)[0, :, 0], label="LSTM")
weights = [{"kernel": np.array([[1.0]]), "recurrent_kernel": np.array([[0.9]]), "bias": np.zeros(1)}]
ax.plot(recurrent.predict(weights, signal)[0, :, 0], label="simple, u = 0.9")
ax.set(xlabel="step", ylabel="h")
ax.legend(frameon=False)
plt.show()
shown = lstm.predict(kept, signal)[0, :, 0]
print(f"LSTM after the pulse {shown[5]:.4f}, at the end {shown[-1]:.4f}")

# %%
# In training nobody sets gates by hand: their weights are learned like all others. A GRU does with two gates and no
# separate cell, at three quarters of the cost.
#
# With shoal, `shoal fit sunspots.csv --target number --window 132 --horizon 1` trains such networks on a series;
# :doc:`/howto/images_and_series` tells more.
#
# Exercises
# ---------
#
# **1.** How many parameters has a simple recurrent layer of 16 units with one input channel? And LSTM?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`16 (1 + 16 + 1) = 288`; four times as many, 1,152, for LSTM.
#
# **2.** Set w, u, b and a linear activation so that the neuron sums up all that it has seen. And so that it gives a
# running mean in which the past fades with a factor 0.9?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    w = 1, u = 1, b = 0 sums. w = 0.1, u = 0.9, b = 0 is the running mean that optimizers use as well
#    (:doc:`gradient_descent`).
#
# **3.** Why is the number of parameters the same for series of 10 and of 1,000 steps?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    The same weights are used in each step, as a convolution uses its kernel at each place.
