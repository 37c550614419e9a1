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

grids = {"image 7×7": image, "kernel 3×3": kernel, "convolved 5×5": convolved, "max pooled 2×2": pooled}
widths = [len(grid) for grid in grids.values()]
figure, panels = plt.subplots(1, 4, figsize=(10, 3.6), width_ratios=widths, layout="constrained")
for axes, (title, grid) in zip(panels, grids.items(), strict=True):
    axes.imshow(grid, cmap="Blues", vmin=0, vmax=6)
    for (i, j), number in np.ndenumerate(grid):
        axes.text(j, i, f"{number:g}", ha="center", va="center", fontsize=11)
    axes.set_xticks(np.arange(len(grid) + 1) - 0.5, labels=[])
    axes.set_yticks(np.arange(len(grid) + 1) - 0.5, labels=[])
    axes.grid(color="white", linewidth=1.5)
    axes.tick_params(length=0)
    axes.set_title(title, fontsize=11)
    axes.set_frame_on(False)
# What the kernel sees first, and the window of the pooling that stands first.
for axes, side, colour in ((panels[0], 3, "#c0392b"), (panels[2], 2, "#c0392b"), (panels[3], 1, "#c0392b")):
    axes.add_patch(plt.Rectangle((-0.5, -0.5), side, side, fill=False, edgecolor=colour, linewidth=2.5, clip_on=False))
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "convolution.svg")
