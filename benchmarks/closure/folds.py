"""Whether error bars measured out of fold hold on new rows, and by how much out-of-fold errors flatter.

    python -m benchmarks.closure.folds

Eight networks of 32 neurons learn Friedman's law of five features, with three more that do not matter and noise of 2,
for 150 epochs at a constant rate, without regularisation: each of them overfits, and is saved by its best epoch. Prints
the rows of the table in `docs/explanation/statistics.md`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.bare import bare_fit
from benchmarks.closure.repetition import FIT

SETTINGS: dict[str, Any] = {**FIT, "epochs": 150, "patience": 150, "hidden": (32,), "schedule": "constant"}
SETTINGS |= {"learning_rate": 0.01, "networks": 8, "keep": 8, "cv": 5}
REPETITIONS, NEW_ROWS = 12, 2000


def friedman(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Return features between 0 and 1 and 10 sin(π x0 x1) + 20 (x2 - 1/2)² + 10 x3 + 5 x4 with noise of 2."""
    x = rng.uniform(size=(rows, 8))
    law = 10.0 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20.0 * (x[:, 2] - 0.5) ** 2 + 10.0 * x[:, 3] + 5.0 * x[:, 4]
    return {f"x{i}": x[:, i] for i in range(8)} | {"y": law + 2.0 * rng.standard_normal(rows)}


def repetition(number: int, rows: int) -> tuple[float, float, float]:
    """Return the share of new rows in the 95 % interval, that within 1.96 std, and std over the error on new rows."""
    rng = np.random.default_rng([number, rows])
    known, new = friedman(rng, rows), friedman(rng, NEW_ROWS)
    run = bare_fit(known, **{**SETTINGS, "seed": number})
    truth = new.pop("y")
    told = run.predict(new)
    mean, std = told.mean[:, 0], told.std[:, 0]
    held = np.mean((truth >= told.low[:, 0]) & (truth <= told.high[:, 0]))
    within = np.mean(np.abs(truth - mean) <= 1.96 * std)
    return float(held), float(within), float(np.sqrt(np.mean(std**2) / np.mean((truth - mean) ** 2)))


def main() -> None:
    print("| rows | 95 % interval held | within 1.96 std | std over error |\n| --- | --- | --- | --- |")
    for rows in (120, 300):
        each = np.array([repetition(number, rows) for number in range(REPETITIONS)])
        errors = each.std(axis=0, ddof=1) / np.sqrt(REPETITIONS)
        cells = (f"{mean:.3f} ± {error:.3f}" for mean, error in zip(each.mean(axis=0), errors, strict=True))
        print(f"| {rows} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
