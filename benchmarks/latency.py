"""How soon a saved model answers: from a fresh interpreter the first row, then one row at a time, beside peers.

    python benchmarks/latency.py           # two minutes; writes the section of the page

Each program loads its model of iris in an interpreter of its own, five times; medians. The models: shoal's default
ensemble, the same exported for onnxruntime, NumPy and Keras (JAX), scikit-learn's MLPClassifier and
HistGradientBoostingClassifier from joblib.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from text import NONE, seconds, table

import shoal

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "benchmarks.md"
TITLE = "## 12. The first row and the next"
ROUNDS = 5
AROUND = """
import json, os, sys, time
os.environ["KERAS_BACKEND"] = "jax"
folder = sys.argv[1]
names = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
values = [5.9, 3.0, 4.2, 1.5]
begun, cpu = time.perf_counter(), time.process_time()
{load}
loaded = time.perf_counter()
{row}
first, used = time.perf_counter() - begun, time.process_time() - cpu
each = []
for _ in range(300):
    start = time.perf_counter()
    {row}
    each.append(time.perf_counter() - start)
print(json.dumps([loaded - begun, first, used, sorted(each)[150], "jax" in sys.modules or "torch" in sys.modules]))
"""
PROGRAMS = {
    "shoal": (
        "import shoal; run = shoal.load(folder + '/run')",
        "run.predict(dict(zip(names, values)))",
    ),
    "its export in onnxruntime": (
        "import numpy as np, onnxruntime; session = onnxruntime.InferenceSession(folder + '/m.onnx')",
        "session.run(None, {n: np.array([[v]], np.float32) for n, v in zip(names, values)})",
    ),
    "its export in NumPy": (
        "import numpy as np; sys.path.insert(0, folder); import m",
        "m.predict(np.array([values]))",
    ),
    "its export in Keras on JAX": (
        "import numpy as np, keras; model = keras.saving.load_model(folder + '/m.keras')",
        "model.predict(np.array([values], np.float32), verbose=0)",
    ),
    "MLPClassifier": (
        "import joblib; model = joblib.load(folder + '/mlp')",
        "model.predict_proba([values])",
    ),
    "HistGradientBoosting": (
        "import joblib; model = joblib.load(folder + '/trees')",
        "model.predict_proba([values])",
    ),
}


def prepare(folder: Path) -> None:
    """Fit and save all models."""
    run = shoal.fit("iris", out=str(folder / "run"), page=False)
    for ending in ("onnx", "py", "keras"):
        shoal.export_model(run, folder / f"m.{ending}")
    x, y = load_iris(return_X_y=True)
    joblib.dump(make_pipeline(StandardScaler(), MLPClassifier(max_iter=1000, random_state=0)).fit(x, y), folder / "mlp")
    joblib.dump(HistGradientBoostingClassifier().fit(x, y), folder / "trees")


def measured(name: str, folder: Path) -> list[float] | None:
    """Return the medians of loading, first row, its CPU and each further row; None if the program fails."""
    load, row = PROGRAMS[name]
    rounds = []
    for _ in range(ROUNDS):
        code = AROUND.format(load=load, row=row)
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(folder)], capture_output=True, text=True)
        if done.returncode:
            sys.stderr.write(f"{name}: {done.stderr.strip().splitlines()[-1]}\n")
            return None
        rounds.append(json.loads(done.stdout.splitlines()[-1])[:4])
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def section() -> str:
    """Measure, and return the section of the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        found = {program: measured(program, folder) for program in PROGRAMS}
    lines = [
        [program, *([seconds(value) for value in values] if values else [NONE] * 4)]
        for program, values in found.items()
    ]
    head = ["", "loaded after", "first row after", "CPU until then", "each further row"]
    return (
        f"A saved model of iris in a fresh interpreter, medians of {ROUNDS} rounds, by `python benchmarks/latency.py`. "
        "shoal and its exports to onnxruntime and NumPy answer with error bars, set and outside flag; Keras with error "
        "bars; the others with probabilities alone.\n\n"
        f"{table(head, lines)}"
    )


def main() -> None:
    """Write the section of the page."""
    text = section()
    (Path(__file__).parent / "latency.md").write_text(text + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    page = re.sub(rf"{re.escape(TITLE)}\n.*?(?=\n## )", "", page, flags=re.S)
    PAGE.write_text(page.replace("\n## How it was measured", f"\n{TITLE}\n\n{text}\n\n## How it was measured"), "utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
