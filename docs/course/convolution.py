r"""
Convolution
===========

A dense layer gives each pixel of an image a weight of its own: it must learn anew at every place what an edge looks
like, and it does not know that neighbouring pixels belong together. A convolution uses one small set of weights at all
places.
"""

# %%
# The kernel moves over the image
# -------------------------------
#
# The :term:`kernel` is laid over the image, numbers that lie upon each other are multiplied, and the products are
# added. Then the kernel moves on by one pixel:
#
# .. math:: y_{ij} = \sum_k \sum_l x_{i+k,\, j+l}\; w_{kl} + b
#
# (Strictly this is a cross-correlation; a convolution would turn the kernel by 180°. As the weights are learned, it
# makes no difference.)

import matplotlib.pyplot as plt
import numpy as np

import shoal

ROWS = ["0111000", "0011100", "0001110", "0001100", "0011000", "0110000", "1100000"]
image = np.array([[float(pixel) for pixel in row] for row in ROWS])
kernel = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])

by_hand = np.zeros((5, 5))
for i in range(5):
    for j in range(5):
        by_hand[i, j] = np.sum(image[i : i + 3, j : j + 3] * kernel)
print(by_hand.astype(int))
print("the same in one call:", np.array_equal(shoal.convolve(image, kernel), by_hand))

# %%
# In the upper left corner the image is `0 1 1 / 0 0 1 / 0 0 0`. Of the kernel's ones only that in the upper right meets
# a one, so the first number is 1. One pixel further, `1 1 1 / 0 1 1 / 0 0 1` gives 1 + 1 + 1 + 1 = 4.
#
# In a network, an image is `(height, width, channels)`; this one has one :term:`channel`. The layer `conv2d:1:3` has
# one :term:`filter` with a kernel of 3 × 3.

network = shoal.Network.parse("7x7x1 conv2d:1:3")
parameters = [{"kernel": kernel[:, :, None, None], "bias": np.zeros(1)}]
feature_map = network.predict(parameters, image[None, :, :, None])[0, :, :, 0]
print("the same:", np.array_equal(feature_map, by_hand), " parameters:", network.parameter_count)


def draw(grids: dict[str, np.ndarray]) -> None:
    """Draw grids of numbers beside each other."""
    _, axes = plt.subplots(1, len(grids), figsize=(3.1 * len(grids), 3.2), layout="constrained", squeeze=False)
    for ax, (title, grid) in zip(axes[0], grids.items(), strict=True):
        ax.imshow(grid, cmap="Blues", vmin=0, vmax=max(6.0, grid.max()))
        for (i, j), number in np.ndenumerate(grid):
            ax.text(j, i, f"{number:g}", ha="center", va="center", fontsize=9)
        ax.set(title=title, xticks=[], yticks=[])


draw({"image": image, "kernel": kernel, "feature map": feature_map})
plt.show()

# %%
# The result is called a :term:`feature map`: it is large where the image looks like the kernel. Afterwards comes an
# activation, as after any layer.
#
# The layer has 9 weights and a bias, 10 parameters. One dense neuron that sees the 7 × 7 image has 49 weights; and
# while a dense layer grows with the image, the kernel stays: the same 10 parameters do for 6000 × 7200 pixels.

print("a dense neuron for 6000 × 7200 pixels:", f"{6000 * 7200 + 1:,}", "parameters")
print("a filter:", shoal.Network.parse("6000x7200x1 conv2d:1:3").parameter_count)

# %%
# What kernels see
# ----------------
#
# A kernel whose weights sum to zero sees nothing in a plain area; one with −1 on the left and 1 on the right sees where
# it gets brighter from left to right. Here are two kernels on a handwritten digit, with ReLU:

table = shoal.load_dataset("digits").table
pixels = [name for name in table.columns if name.startswith("pixel")]
digit = table.select(pixels).to_numpy()[9].reshape(8, 8) / 16.0

right = np.array([[-1.0, 0.0, 1.0]] * 3)
two = shoal.Network.parse("8x8x1 conv2d:2:3:relu")
filters = np.stack([right, -right.T], axis=-1)[:, :, None, :]  # height, width, channels, filters
maps = two.predict([{"kernel": filters, "bias": np.zeros(2)}], digit[None, :, :, None])[0]
print("image", digit.shape, "feature maps", maps.shape)

figure, axes = plt.subplots(1, 3, figsize=(8, 2.9), layout="constrained")
shown = {"a digit": digit, "brighter to the right": maps[:, :, 0], "brighter to the top": maps[:, :, 1]}
for ax, (title, picture) in zip(axes, shown.items(), strict=True):
    ax.imshow(picture, cmap="gray_r")
    ax.set(title=title, xticks=[], yticks=[])
plt.show()

# %%
# One filter keeps one kind of information. A layer has many, and each makes a feature map of its own; the maps are the
# channels of the next layer, whose filters have weights for each of them and add over all. The same holds for colours:
# an image of red, green and blue has three channels.
#
# .. math:: y_{ijo} = f\Big( \sum_k \sum_l \sum_c x_{i+k,\, j+l,\, c}\; w_{klco} + b_o \Big)
#
# A network for images of 28 × 28 pixels:

print(shoal.Network.parse("28x28x1 conv2d:32:3:relu maxpooling2d:2 conv2d:16:3:relu flatten 10:softmax").summary())

# %%
# - First convolution: :math:`(3 \cdot 3 \cdot 1 + 1) \cdot 32 = 320`.
# - Second: :math:`(3 \cdot 3 \cdot 32 + 1) \cdot 16 = 4624`. Its filters see all 32 channels.
# - Dense: :math:`(11 \cdot 11 \cdot 16 + 1) \cdot 10 = 19370`, most of the network. `globalaveragepooling2d` in place
#   of `flatten` leaves 16 numbers, and 170 parameters.
#
# Padding, strides and dilation
# -----------------------------
#
# Along an axis of n pixels, a kernel of k elements has fewer places than there are pixels, so images shrink. Zeros
# around the image (:term:`padding`) keep the size. With a :term:`stride` of two the kernel moves by two pixels: half as
# many places along each axis, a quarter in all.
#
# ============================================ ===================================== ===================
# setting                                      places along the axis                 7 pixels, kernel 3
# ============================================ ===================================== ===================
# `padding="valid"`: where the kernel fits     :math:`n - k + 1`                     5
# `padding="same"`: zeros around the image     :math:`n`                             7
# `strides=s`, valid                           :math:`\lfloor (n-k)/s \rfloor + 1`   3 with s = 2
# `strides=s`, same                            :math:`\lceil n / s \rceil`           4 with s = 2
# `dilation_rate=d`: gaps in the kernel        :math:`n - d (k - 1)`                 3 with d = 2
# ============================================ ===================================== ===================

variants = {
    "valid": {},
    "same": {"padding": "same"},
    "strides 2": {"strides": 2},
    "strides 2, same": {"strides": 2, "padding": "same"},
    "dilation 2": {"dilation_rate": 2},
}
outputs = {}
for name, settings in variants.items():
    outputs[name] = shoal.convolve(image, kernel, **settings)
    print(f"{name:16} {image.shape} → {outputs[name].shape}")

draw({name: outputs[name] for name in ("same", "strides 2", "dilation 2")})
plt.show()

# %%
# `Conv1D` slides along a series `(time, channels)`; with `padding="causal"` all zeros stand before the start, so that
# no output knows what comes later. `Conv3D` slides through volumes. `SeparableConv2D` first convolves each channel by
# itself, then mixes the channels pixel by pixel: from 32 channels to 16, :math:`3 \cdot 3 \cdot 32 + 32 \cdot 16 + 16 =
# 816` parameters instead of 4,624:

print(shoal.Network.parse("28x28x32 separableconv2d:16:3").parameter_count)

# %%
# All layers have the names, settings, defaults and results of Keras.
#
# Exercises
# ---------
#
# **1.** Which number stands in the lower right corner of the feature map, and why?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    0: the window of the last three rows and columns holds no one, so nothing meets the kernel.
#
# **2.** A filter 5 × 5 looks at an image with three colours. How many parameters has a layer with 8 of them?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`(5 \cdot 5 \cdot 3 + 1) \cdot 8 = 608`.
#
# **3.** Two convolutions of 3 × 3 follow each other. How many pixels of the image does one number of the second map
# see?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    5 × 5: it sees 3 × 3 numbers of the first map, of which the outer ones see one pixel further each.
#
# Sources: Y. LeCun et al., *Neural Computation* 1, 541 (1989); F. Chollet, *CVPR* (2017).
