r"""
Pooling
=======

Pooling makes images smaller: of each small window it keeps one number. It has no parameters.
"""

# %%
# One number of each window
# -------------------------
#
# The :term:`pooling` window moves over the image as a kernel does. It keeps the largest number, the smallest or the
# mean: the layers `MaxPooling2D`, `MinPooling2D`, `AveragePooling2D`; on a plain array `shoal.pool` does the same. With
# size 2 and stride 2 windows lie side by side, and both sides are halved. Size and stride may differ: with stride 1 the
# windows overlap, and little is lost in size.

import matplotlib.pyplot as plt
import numpy as np

import shoal

rows = ["143410", "124330", "123412", "133110", "331101", "012015"]
image = np.array([[float(pixel) for pixel in row] for row in rows])

pooled = {
    "image": image,
    "largest": shoal.pool(image, 2),
    "smallest": shoal.pool(image, 2, pooling="min"),
    "mean": shoal.pool(image, 2, pooling="average"),
    "largest, size 3, stride 1": shoal.pool(image, 3, strides=1),
}
print(pooled["largest"])
print("by hand:", max(1, 4, 1, 2), max(3, 4, 4, 3), max(1, 0, 3, 0), "in the first row")

figure, axes = plt.subplots(1, 5, figsize=(12, 2.8), layout="constrained")
for ax, (title, grid) in zip(axes, pooled.items(), strict=True):
    ax.imshow(grid, cmap="Blues", vmin=0, vmax=6)
    for (i, j), number in np.ndenumerate(grid):
        ax.text(j, i, f"{number:g}", ha="center", va="center", fontsize=9)
    ax.set(title=title, xticks=[], yticks=[])
plt.show()

# %%
# Sizes follow the same rules as those of :doc:`convolution`: with `padding="valid"` a window that does not fit is left
# out, with `padding="same"` it counts what is there.

odd = image[:5, :5]
print(shoal.pool(odd, 2).shape, shoal.pool(odd, 2, padding="same").shape)
print("parameters:", shoal.Network.parse("6x6x1 maxpooling2d:2").parameter_count)

# %%
# What it is good for
# -------------------
#
# Half of each side leaves a quarter of the numbers, so the layers behind need less work and, where dense layers follow,
# fewer parameters. And if a pattern moves by a pixel, the largest number of a window often stays the same: the answer
# depends less on the exact place. Here a bright spot is moved by one pixel to the right in all 8 × 7 places of an
# image. In how many of them does the pooled image stay the same?

same = {1: 0, 2: 0, 4: 0}
for i in range(8):
    for j in range(7):
        before, after = np.zeros((8, 8)), np.zeros((8, 8))
        before[i, j] = after[i, j + 1] = 1.0
        for size in same:
            same[size] += np.array_equal(shoal.pool(before, size), shoal.pool(after, size))
for size, count in same.items():
    print(f"windows of {size} × {size}: unchanged in {count} of 56 places")

# %%
# The price is that the place is known less exactly: where it matters, as in the position of an edge, pooling loses what
# is needed.
#
# `GlobalAveragePooling2D` keeps one number for each channel, the mean over the whole image:

print(shoal.Network.parse("28x28x1 conv2d:16:3:relu globalaveragepooling2d 10:softmax").summary())

# %%
# Exercises
# ---------
#
# **1.** An image of 28 × 28 goes through a convolution 3 × 3 without padding, pooling by 2, and the same again. What
# size is left?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    28 → 26 → 13 → 11 → 5: 5 × 5. Of 11 pixels the last is left out by the pooling.
#
# **2.** Build minimum pooling from maximum pooling.
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`\min(x) = -\max(-x)`: multiply by −1, take the largest, multiply by −1 again. So it is made in libraries
#    that have none.
#
# **3.** Does average pooling of size 2 and stride 2 do anything that a convolution cannot?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    No: it is a convolution with stride 2 whose four weights are 1/4, for each channel by itself. Maximum pooling is
#    not a convolution, since it is not a weighted sum.
