r"""
Upsampling and autoencoders
===========================

Pooling makes images smaller; upsampling makes them larger again. Between the two stands a code of few numbers, and a
network that learns to pass its own input through it has learned what its data are made of.
"""

# %%
# Larger again
# ------------
#
# :term:`Upsampling <upsampling>` repeats each pixel: `UpSampling2D(2)` makes four of one, and has no parameters.
# What pooling left out does not come back:

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import shoal
from shoal.networks import Network

image = np.array([[1.0, 4.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0], [1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 3.0, 1.0]])
down_and_up = Network.parse("4x4x1 maxpooling2d:2 upsampling2d:2")
small, large = down_and_up.outputs([{}, {}], image[None, :, :, None])
print(small[0, :, :, 0])
print(large[0, :, :, 0])

# %%
# `Conv2DTranspose` learns how to enlarge: each input pixel puts a whole kernel, multiplied by its value, into the
# output, and where kernels overlap they add. With stride 2 and a kernel of ones, 2 × 2, it does what upsampling does.

transposed = Network([shoal.networks.Conv2DTranspose(1, 2, strides=2)], (2, 2, 1))
ones = [{"kernel": np.ones((2, 2, 1, 1)), "bias": np.zeros(1)}]
print("the same:", np.array_equal(transposed.predict(ones, small), large), " parameters:", transposed.parameter_count)

# %%
# The autoencoder
# ---------------
#
# An :term:`autoencoder` has two halves. The *encoder* makes a :term:`code` of few numbers from a row, the *decoder*
# makes the row again from the code. It is trained with the row itself as the label, so it needs no labels; this is
# :term:`unsupervised learning`. For images the encoder pools and the decoder scales up:

encoder = "8x8x1 conv2d:16:3:1:same maxpooling2d:2 flatten code:8"
decoder = "256 reshape:4x4x16 upsampling2d:2 conv2d:1:3:1:same:linear"
print(Network.parse(f"{encoder} {decoder}").summary())

# %%
# Here one learns to pass handwritten digits of 64 pixels through 8 numbers.

digits = load_digits().images[..., None]  # 1,797 images (8, 8, 1)
run = shoal.fit(digits, kind="images", reconstruct=True, bottleneck=8, networks=1, epochs=60, seed=0, page=False)
codes = run.encode(digits[:5])
print("codes", codes.shape)
print(codes[0].round(2))

# %%

some = digits[100:108]
again = run.reconstruct(some)

figure, axes = plt.subplots(2, 8, figsize=(9, 2.6), layout="constrained")
for above, below, before, after in zip(*axes, some, again, strict=True):
    above.imshow(before[..., 0], cmap="gray_r", vmin=0, vmax=16)
    below.imshow(after[..., 0], cmap="gray_r", vmin=0, vmax=16)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("digit")
axes[1, 0].set_ylabel("from its code")
plt.show()

# %%
# What does not look like the data goes badly through the code. So the error of the reconstruction tells what is strange
# (an :term:`anomaly`). Here each pixel is taken from another digit:

mixed = np.random.default_rng(0).permuted(digits[:100], axis=0)
for name, data in (("digits", digits[:100]), ("pixels of different digits mixed", mixed)):
    scores = run.anomaly_scores(data)
    print(f"{name}: mean squared error {scores.score.mean():.2f}, called anomalies {scores.is_anomaly.mean():.0%}")

# %%
# How many numbers are needed?
# ----------------------------
#
# Without activation the best autoencoder is known: it projects the rows on the directions of their largest scatter
# (principal components), which linear algebra finds without training. So one can see what a code of n numbers may reach
# at least:

x = digits.reshape(-1, 64)
centred = x - x.mean(axis=0)
singular = np.linalg.svd(centred, compute_uv=False)
left_over = 1.0 - np.cumsum(singular**2) / np.sum(singular**2)

figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.plot(np.arange(1, 65), left_over, ".-")
ax.set(xlabel="numbers in the code", ylabel="share of the scatter that is lost")
plt.show()
print(f"lost with 2 numbers {left_over[1]:.0%}, with 8 numbers {left_over[7]:.0%}, with 32 numbers {left_over[31]:.1%}")

# %%
# Exercises
# ---------
#
# **1.** Why does an autoencoder need a narrow place?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    Without it, it could hand every number on as it is: a perfect reconstruction, and nothing learned.
#
# **2.** An image of 8 × 8 is pooled by 2 twice and upsampled by 2 twice. What size has it, and how many different
# numbers at most?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    8 × 8 again, of at most 2 × 2 = 4 different numbers: what is left after the second pooling.
#
# **3.** You measure 1,000 spectra of ordinary stars. How can an autoencoder find unusual ones in later nights?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    Train it on the ordinary ones, and look at those later spectra that it reconstructs badly. `shoal encode` writes
#    the score and says which rows are above the threshold.
