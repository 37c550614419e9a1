"""Requests a second of a served run of iris, beside a pickled MLP of scikit-learn and the run's export in onnxruntime.

`python benchmarks/serving.py [SECONDS [ROUNDS]]`: each server alone on loopback, 50 clients of `wrk` that ask for one
row each, all servers in turn; needs `wrk` and `shoal[serve,onnx]`. The two peers are the plainest FastAPI app around
their model. shoal is measured without uvloop and httptools as well, where they are installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROW = '{"sepal length (cm)": 5.1, "sepal width (cm)": 3.5, "petal length (cm)": 1.4, "petal width (cm)": 0.2}'
PORT = 8877
APP = """
import pickle, sys
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, Field
import uvicorn

class Row(BaseModel):
    a: float = Field(alias="sepal length (cm)")
    b: float = Field(alias="sepal width (cm)")
    c: float = Field(alias="petal length (cm)")
    d: float = Field(alias="petal width (cm)")

app = FastAPI()
kind, path = sys.argv[1:3]
if kind == "sklearn":
    model = pickle.load(open(path, "rb"))
    def said(row):
        return model.predict_proba(np.asarray([[row.a, row.b, row.c, row.d]]))[0].tolist()
else:
    import onnxruntime
    model = onnxruntime.InferenceSession(path)
    names = [each.name for each in model.get_inputs()]
    kinds = [np.float64 if each.type == "tensor(double)" else np.float32 for each in model.get_inputs()]
    shapes = [[1] * len(each.shape) for each in model.get_inputs()]
    def said(row):
        values = [row.a, row.b, row.c, row.d]
        inputs = {n: np.full(s, v, k) for n, s, v, k in zip(names, shapes, values, kinds)}
        return [np.asarray(each).tolist() for each in model.run(None, inputs)]

@app.get("/health")
def health():
    return {}

@app.post("/predict")
async def predict(row: Row):
    return {"said": said(row)}

uvicorn.run(app, port=int(sys.argv[3]), access_log=False, log_level="error")
"""


@contextmanager
def serving(*command: str) -> Iterator[int]:
    """Give the number of a process that serves."""
    process = subprocess.Popen(
        [sys.executable, *command], env={**os.environ, "SHOAL_TOKEN": "abc"}, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            if process.poll() is not None:
                raise SystemExit(f"{command} ended with code {process.returncode}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def memory(pid: int) -> float:
    """Return the megabytes that a process holds."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def measured(path: str, seconds: int, script: Path) -> str:
    """Return what wrk says of a server, as cells of a table."""
    url = f"http://127.0.0.1:{PORT}{path}"
    command = ["wrk", "-t1", "-c50", f"-d{seconds}", "--latency", "-s", str(script), url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    *numbers, bad = re.search(r"p (\S+) (\S+) (\S+) errors (\d+)", text).groups()
    return f"{rate:,.0f} | {' | '.join(f'{float(each) / 1000:.1f} ms' for each in numbers)} | {bad}"


def main(seconds: int, rounds: int = 1) -> None:
    """Measure all servers and print a table."""
    import pickle

    from sklearn.datasets import load_iris
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import shoal
    from shoal.after.exporting import export_model

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run = shoal.fit("iris", networks=20, epochs=50, out=str(place / "iris"))
        export_model(str(run.path), str(place / "iris.onnx"))
        model = make_pipeline(StandardScaler(), MLPClassifier((16,), max_iter=500)).fit(*load_iris(return_X_y=True))
        (place / "mlp.pickle").write_bytes(pickle.dumps(model))
        (place / "app.py").write_text(APP)
        script = place / "post.lua"
        script.write_text(
            f"""wrk.method = "POST"; wrk.body = '{ROW}'
            wrk.headers["Content-Type"] = "application/json"; wrk.headers["Authorization"] = "Bearer abc"
            done = function(summary, latency)
                local e = summary.errors
                io.write(string.format("p %f %f %f errors %d\\n", latency:percentile(50), latency:percentile(95),
                    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
            end"""
        )
        serve = ("serve", str(run.path), "--port", str(PORT))
        plain = "import sys; sys.modules.update(uvloop=None, httptools=None); from shoal.cli import run; run()"
        servers = {
            f"shoal serve, {len(run.predictor.members)} networks": ("/runs/iris/predict", "-m", "shoal", *serve),
            "the same without uvloop and httptools": ("/runs/iris/predict", "-c", plain, *serve),
            "FastAPI, its export in onnxruntime": (
                "/predict", str(place / "app.py"), "onnx", str(place / "iris.onnx"), str(PORT),
            ),
            "FastAPI, a pickled MLP": (
                "/predict", str(place / "app.py"), "sklearn", str(place / "mlp.pickle"), str(PORT),
            ),
        }  # fmt: skip
        print("| | requests/s | median | 95 % | 99 % | errors | memory before, after |")
        print("| --- | --: | --: | --: | --: | --: | --: |")
        for name, (path, *command) in [*servers.items()] * rounds:
            with serving(*command) as pid:
                measured(path, 1, script)  # warm
                before = memory(pid)
                cells = measured(path, seconds, script)
                print(f"| {name} | {cells} | {before:.0f}, {memory(pid):.0f} MB |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3] or [60]))
