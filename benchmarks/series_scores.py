"""Score series that aeon ships: shoal's default beside MiniRocket and two networks of PyTorch, set by set.

    pip install --no-deps aeon && pip install numba deprecated
    python benchmarks/series_scores.py results.jsonl                   # all methods on all sets; goes on where it was
    python benchmarks/series_scores.py results.jsonl --only shoal --sets GunPoint ArrowHead
    python benchmarks/series_scores.py results.jsonl --table           # the table alone

Training and test part are those of the archive. The default was chosen on ArrowHead, ItalyPowerDemand, OSULeaf and
JapaneseVowels; the other sets only report. PyTorch trains a fully convolutional network (Wang, Yan and Oates,
arXiv:1611.06455) and a small one, 500 epochs or `--seconds` of the processor, whatever comes first. MiniRocket stands
before a ridge classifier, which has no probabilities and so no log-loss.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from shipped import place

CHOSEN_BY = ("ArrowHead", "ItalyPowerDemand", "OSULeaf", "JapaneseVowels")
HELD_BACK = ("GunPoint", "BasicMotions", "PickupGestureWiimoteZ", "ACSF1")
EPOCHS, BATCH, RATE = 500, 16, 1e-3
Scores = dict[str, float | None]


def part_of(name: str, part: str) -> Path:
    """Return the file of a part of a set."""
    return place("aeon") / "datasets" / "data" / name / f"{name}_{part}.ts"


def arrays(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return series `(rows, channels, time)` and class numbers of both parts; shorter series end with zeros."""
    from aeon.datasets import load_from_ts_file

    (x, y), (test_x, test_y) = (load_from_ts_file(str(part_of(name, part))) for part in ("TRAIN", "TEST"))
    steps = max(row.shape[-1] for row in (*x, *test_x))
    padded = [np.stack([np.pad(row, ((0, 0), (0, steps - row.shape[-1]))) for row in rows]) for rows in (x, test_x)]
    classes, numbers = np.unique(y, return_inverse=True)
    return padded[0].astype(np.float32), numbers, padded[1].astype(np.float32), np.searchsorted(classes, test_y)


def by_shoal(name: str, seconds: float) -> Scores:  # noqa: ARG001
    """Fit by the command, with its defaults."""
    with tempfile.TemporaryDirectory() as folder:
        given = ["fit", str(part_of(name, "TRAIN")), "--test", str(part_of(name, "TEST")), "--out", f"{folder}/run"]
        subprocess.run([sys.executable, "-m", "shoal", *given], check=True, capture_output=True)
        scores = json.loads(Path(f"{folder}/run/metrics.json").read_text())["test"]
    return {"accuracy": scores["accuracy"]["value"], "log_loss": scores["log_loss"]["value"]}


def by_minirocket(name: str, seconds: float) -> Scores:  # noqa: ARG001
    """Fit MiniRocket as aeon has it."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    x, y, test_x, test_y = arrays(name)
    guess = MiniRocketClassifier(random_state=0).fit(x, y).predict(test_x)
    return {"accuracy": float(np.mean(guess == test_y)), "log_loss": None}


def by_fcn(name: str, seconds: float) -> Scores:
    """Fit a fully convolutional network."""
    from torch import nn

    def block(before: int, filters: int, size: int) -> list[Any]:
        return [nn.Conv1d(before, filters, size, padding="same"), nn.BatchNorm1d(filters), nn.ReLU()]

    return _by_torch(
        name, seconds, lambda channels: [*block(channels, 128, 8), *block(128, 256, 5), *block(256, 128, 3)]
    )


def by_cnn(name: str, seconds: float) -> Scores:
    """Fit a small convolutional network."""
    from torch import nn

    def layers(channels: int) -> list[Any]:
        first = [nn.Conv1d(channels, 32, 7, padding="same"), nn.ReLU(), nn.MaxPool1d(2)]
        return [*first, nn.Conv1d(32, 128, 3, padding="same"), nn.ReLU()]

    return _by_torch(name, seconds, layers)


def _by_torch(name: str, seconds: float, layers: Callable[[int], list[Any]]) -> Scores:
    """Train layers that end with 128 channels, behind which are their means and a dense layer."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(1)
    x, y, test_x, test_y = arrays(name)
    mean, scale = x.mean(axis=(0, 2), keepdims=True), x.std(axis=(0, 2), keepdims=True)
    rows, test_rows = (torch.from_numpy((part - mean) / scale) for part in (x, test_x))
    classes = torch.from_numpy(y)
    ends = [nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(128, int(y.max()) + 1)]
    network = nn.Sequential(*layers(x.shape[1]), *ends)
    adam, began = torch.optim.Adam(network.parameters(), lr=RATE), time.thread_time()
    epochs = 0  # behind MiniRocket the process takes several times as much, so this thread's time alone counts
    while epochs < EPOCHS and time.thread_time() - began < seconds:
        for some in torch.randperm(len(y)).split(BATCH):
            adam.zero_grad()
            nn.functional.cross_entropy(network(rows[some]), classes[some]).backward()
            adam.step()
        epochs += 1
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(some) for some in test_rows.split(64)])
    truth = torch.from_numpy(test_y)
    loss = float(nn.functional.cross_entropy(logits, truth))
    return {"accuracy": float((logits.argmax(dim=1) == truth).float().mean()), "log_loss": loss, "epochs": epochs}


METHODS: dict[str, Callable[[str, float], Scores]] = {
    "shoal": by_shoal,
    "MiniRocket": by_minirocket,
    "FCN": by_fcn,
    "CNN": by_cnn,
}


def _processor() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)


def table(path: Path) -> str:
    """Return what was measured as a table: accuracy, log-loss, and seconds of the processor."""
    found = {(line["set"], line["method"]): line for line in map(json.loads, path.read_text().splitlines())}
    methods = [method for method in METHODS if any(key[1] == method for key in found)]
    lines = [f"| set | {' | '.join(methods)} |", f"| --- |{' --- |' * len(methods)}"]
    for name in (*CHOSEN_BY, *HELD_BACK):
        cells = [_cell(found.get((name, method))) for method in methods]
        lines.append(f"| {name}{'' if name in CHOSEN_BY else ' (held back)'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(line: dict[str, Any] | None) -> str:
    if line is None:
        return "–"
    loss = "" if line["log_loss"] is None else f", {line['log_loss']:.3f}"
    return f"{line['accuracy']:.3f}{loss} ({line['seconds']:.0f} s)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--sets", nargs="+", choices=[*CHOSEN_BY, *HELD_BACK], default=[*CHOSEN_BY, *HELD_BACK])
    parser.add_argument("--seconds", type=float, default=60.0, help="of the processor for each network of PyTorch")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    lines = given.results.read_text().splitlines() if given.results.exists() else []
    known = {(line["set"], line["method"]) for line in map(json.loads, lines)}
    for name in () if given.table else given.sets:
        for method in given.only:
            if (name, method) in known:
                continue
            began = _processor()
            line = {"set": name, "method": method, **METHODS[method](name, given.seconds)}
            with given.results.open("a") as file:
                file.write(json.dumps({**line, "seconds": _processor() - began}) + "\n")
            print(json.dumps(line), flush=True)
    print(table(given.results))


if __name__ == "__main__":
    main()
