"""Time `shoal fit iris --networks 200`, whole command, against the notes' program in Keras for one network.

    python benchmarks/whole_command.py --keras-python path/to/python/with/tensorflow --pairs 5

Each round runs Keras, shoal with an empty cache of compiled programs, and shoal again with the cache filled,
one after another, so that a slow moment of the machine meets all three. The order turns from round to
round. Reported are medians of wall-clock seconds and the median of the ratios within rounds. Everything from the
start of the interpreter to its end counts: imports, compiling, training, evaluation, page.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent


def seconds_of(command: list[str], environment: dict[str, str], show: bool) -> float:
    """Return the wall-clock seconds of a command; it must succeed."""
    began = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
    if show:
        print((done.stdout.strip().splitlines() or [""])[-1])
    return seconds


def run_round(number: int, given: argparse.Namespace, folder: str) -> dict[str, float]:
    """Return the seconds of the three programs in one round."""
    cache = {"SHOAL_CACHE_DIR": f"{folder}/cache-{number}"}
    shoal = [sys.executable, "-m", "shoal", "fit", "iris", "--networks", str(given.networks), "--quiet", "--out"]
    keras = [given.keras_python, str(HERE / "keras_iris.py"), "--epochs", str(given.epochs)]
    seconds = {}
    jobs = [("keras",), ("shoal cold", "shoal warm")]
    for job in jobs if number % 2 == 0 else jobs[::-1]:
        for name in job:
            if name == "keras":
                seconds[name] = seconds_of(keras, {"KERAS_BACKEND": "tensorflow"}, number == 0)
            else:
                out = f"{folder}/{name.replace(' ', '-')}-{number}"
                seconds[name] = seconds_of([*shoal, out], cache, number == 0)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="rounds")
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=200, help="epochs of the program in Keras")
    parser.add_argument("--keras-python", default=sys.executable, help="an interpreter with keras and tensorflow")
    given = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.pairs):
            rounds.append(run_round(number, given, folder))
            print(", ".join(f"{name} {value:.2f} s" for name, value in sorted(rounds[-1].items())), flush=True)
    print()
    print("| program | seconds, median | lowest to highest | share of Keras' time, median |")
    print("|---|--:|--:|--:|")
    for name in ("keras", "shoal cold", "shoal warm"):
        values = [each[name] for each in rounds]
        share = statistics.median(each[name] / each["keras"] for each in rounds)
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} to {max(values):.2f} | {share:.2f} |")


if __name__ == "__main__":
    main()
