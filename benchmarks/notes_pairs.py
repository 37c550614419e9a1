"""The notes' program in shoal beside Keras and scikit-learn: lines, equal results, seconds from fresh interpreters.

    pip install keras tensorflow scikit-learn
    KERAS_BACKEND=tensorflow python benchmarks/notes_pairs.py

For the results shoal and Keras begin with the same weights and see the same rows in the same batches. For the times
each program runs in an interpreter of its own, by turns; the median over the rounds counts.
"""

from __future__ import annotations

import argparse
import ast
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import shoal
from shoal.streams import Stream
from shoal.training.purposes import ORDER
from shoal.training.structure import ORDERS

HERE = Path(__file__).parent
PROGRAMS = ("shoal_iris.py", "keras_iris.py", "sklearn_iris.py")
BATCH = 8


def statements(program: str) -> int:
    """Return how many lines of code a program has, without its text at the top, comments and empty lines."""
    tree = ast.parse((HERE / program).read_text())
    return len(ast.unparse(tree.body[1:]).splitlines())


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Return iris, normalised."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32), y


def compare_results(epochs: int) -> None:
    """Train the network in both, and print how far apart they end."""
    import keras

    x, y = rows()
    loss = "sparse_categorical_crossentropy"
    network = shoal.Network.parse("4 8:relu 3:softmax")
    trained = network.fit(x, y, loss=loss, epochs=epochs, batch_size=BATCH)
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.set_weights([array for layer in network.initialize(0) for array in layer.values()])
    model.compile(optimizer=keras.optimizers.Adam(0.001), loss=loss)
    orders = [Stream(0, ORDER, BATCH, epoch % ORDERS).permutation(len(x)) for epoch in range(epochs)]
    for order in orders:
        for start in range(0, len(x), BATCH):
            model.train_on_batch(x[order[start : start + BATCH]], y[order[start : start + BATCH]])
    pairs = zip([a for layer in trained.parameters for a in layer.values()], model.get_weights(), strict=True)
    weights = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
    outputs = np.abs(trained.predict(x) - model.predict(x, verbose=0)).max()
    print(f"after {epochs} epochs from the same start: weights differ by {weights:.1e}, probabilities by {outputs:.1e}")


def seconds(program: str) -> tuple[float, float, str]:
    """Return the wall and CPU seconds of a program in a fresh interpreter, and what it printed."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, str(HERE / program)], capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=200, help="for the comparison of results")
    given = parser.parse_args()
    print("lines of code:", ", ".join(f"{program} {statements(program)}" for program in PROGRAMS))
    compare_results(given.epochs)
    times = [[seconds(program) for program in PROGRAMS] for _ in range(given.rounds)]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for program, each in zip(PROGRAMS, zip(*times, strict=True), strict=True):
        wall, cpu = (statistics.median(measured[i] for measured in each) for i in (0, 1))
        print(f"{program}: {wall:.2f} s wall, {cpu:.2f} s CPU; {each[0][2]}")


if __name__ == "__main__":
    main()
