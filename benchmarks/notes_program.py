"""The notes' program by flags: one network 4-8-3 on iris, its mean test accuracy over seeds.

    python benchmarks/notes_program.py --seeds 20
    python benchmarks/notes_program.py --seeds 20 --patience 200     # all 200 epochs

A seed names the split, the first weights and the order of rows.
"""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

import numpy as np

import shoal

PROGRAM: dict[str, Any] = {
    "networks": 1,
    "hidden": (8,),
    "activation": "relu",
    "optimizer": "adam",
    "learning_rate": 0.001,
    "epochs": 200,
    "batch_size": 8,
    "l2": 0.0,
}


def test_scores(seed: int, settings: dict[str, Any]) -> dict[str, float]:
    """Return the test scores of the program and its best epoch for one seed."""
    with tempfile.TemporaryDirectory() as folder:
        run = shoal.fit("iris", seed=seed, out=f"{folder}/iris", **{**PROGRAM, **settings})
        scores = {name: float(score["value"]) for name, score in run.metrics["test"].items()}
        return {**scores, "best_epoch": float(run.networks["best_epoch"][0])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--patience", type=int, help="epochs without improvement; shoal's default if not given")
    given = parser.parse_args()
    settings = {} if given.patience is None else {"patience": given.patience}
    scores = [test_scores(seed, settings) for seed in range(given.seeds)]
    for seed, each in enumerate(scores):
        line = f"accuracy {each['accuracy']:.4f}, log-loss {each['log_loss']:.4f}, best epoch {each['best_epoch']:.0f}"
        print(f"seed {seed}: {line}")
    accuracy = np.array([each["accuracy"] for each in scores])
    error = accuracy.std(ddof=1) / len(accuracy) ** 0.5 if len(accuracy) > 1 else 0.0
    print(f"mean test accuracy {accuracy.mean():.4f} ± {error:.4f} (standard error, {len(accuracy)} seeds)")


if __name__ == "__main__":
    main()
