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
# Drawn, the output goes back in a loop:

import matplotlib.pyplot as plt
import numpy as np

import shoal

network = shoal.Network([shoal.SimpleRNN(1, return_sequences=True)], input_shape=(4, 1))
network.draw()

# %%
# Unrolled in time the loop is a chain: the same neuron, with the same weights, once for each step. It hands on h, its
# :term:`hidden state`.

network.draw_unrolled()

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
    recurrent = shoal.Network([shoal.SimpleRNN(1, return_sequences=True)], input_shape=(40, 1))
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
    print(f"{name:12} {shoal.Network.parse(f'40x1 {name}').parameter_count:5} parameters")

shoal.Network.parse("40x1 lstm:16 1").draw_unrolled()

# %%
# While f is 1 and i is 0, the cell keeps its value as long as you like. Here the gates are set by hand, so that an
# input above 1/2 opens the gate i. Later inputs are small and do not come in:

lstm = shoal.Network([shoal.LSTM(1, return_sequences=True)], input_shape=(40, 1))
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
# In training nobody sets gates by hand: their weights are learned like all others. Here an LSTM of four units is to
# say, after 20 steps of noise, whether the first number was +1 or −1. Who guesses 0 has a loss of 1.

signs = random.choice([-1.0, 1.0], size=500)
rows = np.concatenate([signs[:, None], 0.3 * random.normal(size=(500, 20))], axis=1)[:, :, None]
trained = shoal.Network.parse("21x1 lstm:4 1").fit(
    rows, signs, loss="mse", learning_rate=0.02, epochs=60, validation_split=0.2
)
trained.plot()

# %%
# The loss hardly falls before the network has learned to carry the sign over 20 steps; then it falls quickly.

new = np.concatenate([[[1.0]], 0.3 * random.normal(size=(1, 20))], axis=1)[:, :, None]
print("after +1:", trained.predict(new)[0, 0].round(2))
new[0, 0] = -1.0
print("after −1:", trained.predict(new)[0, 0].round(2))

# %%
# A GRU does with two gates and no separate cell, at three quarters of the cost.
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
