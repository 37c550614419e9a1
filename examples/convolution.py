"""Convolve a small image with a small kernel, pool the result, and draw all three as grids of numbers."""

import sys

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from shoal.networks import Network

ROWS = ["0111000", "0011100", "0001110", "0001100", "0011000", "0110000", "1100000"]
image = np.array([[float(pixel) for pixel in row] for row in ROWS])
kernel = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])

# One filter with the kernel as its weights and no bias; the image is one row with one channel.
network = Network.parse("7x7x1 conv2d:1:3 maxpooling2d:2")
parameters = [{"kernel": kernel[:, :, None, None], "bias": np.zeros(1)}, {}]
convolved, pooled = (output[0, :, :, 0] for output in network.outputs(parameters, image[None, :, :, None]))
print(convolved)
print(pooled)

grids = {"image 7×7": image, "kernel 3×3": kernel, "convolved 5×5": convolved, "pooled 2×2": pooled}
figure = plt.figure(figsize=(10.5, 4.0))
left, cell = 0.25, 0.46  # inches
for title, grid in grids.items():
    side = cell * len(grid)
    axes = figure.add_axes((left / 10.5, (1.9 - side / 2) / 4.0, side / 10.5, side / 4.0))
    axes.imshow(grid, cmap="Blues", vmin=0, vmax=6)
    for (i, j), number in np.ndenumerate(grid):
        axes.text(j, i, f"{number:g}", ha="center", va="center", fontsize=11)
    axes.set_xticks(np.arange(len(grid) + 1) - 0.5, labels=[])
    axes.set_yticks(np.arange(len(grid) + 1) - 0.5, labels=[])
    axes.grid(color="#bbbbbb", linewidth=0.8)
    axes.tick_params(length=0)
    axes.set_title(title, fontsize=11)
    axes.set_frame_on(False)
    # What the kernel sees first, and what the pooling sees first.
    first = {"image 7×7": 3, "convolved 5×5": 2, "pooled 2×2": 1}.get(title)
    if first:
        style = {"fill": False, "edgecolor": "#c0392b", "linewidth": 2.5, "clip_on": False, "zorder": 5}
        axes.add_patch(plt.Rectangle((-0.5, -0.5), first, first, **style))
    left += side + 0.7
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "convolution.svg")
