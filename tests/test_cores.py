"""One seed, one and two cores: the native engine gives the same files; else the run keeps the number of cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.errors import ShoalWarning
from shoal.repeating import check_cores
from shoal.resources import available_cores
from shoal.runs.config_file import read_config, write_config
from shoal.training.engines.native.library import kernels

needs_kernel = pytest.mark.skipif(not kernels(), reason="the kernel was not built")
needs_two = pytest.mark.skipif(available_cores() < 2 or sys.platform != "linux", reason="one core only")
FIT: dict[str, Any] = {"engine": "native", "networks": 3, "epochs": 4, "page": False, "seed": 1}
ON_CORES = """
import json, os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(sys.argv[1])])
"""
FITTED = """
import shoal
shoal.fit("iris", out=sys.argv[2], **json.loads(sys.argv[3]))
"""
TRAINED = """
import numpy as np
from shoal.results import Task
from shoal.search.members import members_of
from shoal.training.engines.xla import XlaEngine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import get_loss
from shoal.training.problem import make_problem
from shoal.training.trainer import train

KINDS = {"dense": ((6,), ""), "convolution": ((6, 6, 1), "conv2d:2:3"), "lstm": ((5, 2), "lstm:4")}
rng, losses = np.random.default_rng(0), {}
for kind, (shape, layers) in KINDS.items():
    x = rng.normal(size=(60, *shape)).astype(np.float32)
    y = x.reshape(60, -1)[:, :1]
    problem = make_problem(Task.REGRESSION, get_loss("mse"), (x[:40], y[:40], None), (x[40:], y[40:], None))
    h = Hyperparameters(layers=layers, hidden=(5,), batch_size=16, epochs=6, patience=6, learning_rate=0.01)
    trained = train(problem, members_of([h] * 4), XlaEngine()).members
    losses[kind] = [member.validation_loss.tolist() for member in trained]
print(json.dumps(losses))
"""


def printed_on(cores: int, program: str, *arguments: str) -> str:
    """Return what a program prints in a new process that may use so many cores."""
    environment = {key: value for key, value in os.environ.items() if key != "JAX_NUM_CPU_DEVICES"}
    command = [sys.executable, "-c", ON_CORES + program, str(cores), *arguments]
    return subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout


@pytest.mark.slow
@needs_two
@needs_kernel
def test_the_native_engine_gives_the_same_numbers_on_any_number_of_cores(tmp_path: Path) -> None:
    documents = []
    for cores in (1, 2):
        folder = tmp_path / str(cores)
        printed_on(cores, FITTED, str(folder), json.dumps(FIT))
        document = json.loads((folder / "metrics.json").read_text())
        assert document["engine"].pop("cores") == read_config(folder)["cores"] == cores
        for depending in ("seconds", "sha256"):
            del document[depending]
        del document["checksums"]["config.toml"]
        documents.append(json.dumps(document))
    assert documents[0] == documents[1]


@pytest.mark.slow
@needs_two
def test_the_xla_engine_gives_the_same_losses_on_as_many_cores() -> None:
    two, again, one = (printed_on(cores, TRAINED) for cores in (2, 2, 1))
    assert two == again
    for kind, losses in json.loads(two).items():  # in the last digits only
        np.testing.assert_allclose(json.loads(one)[kind], losses, rtol=1e-4)


def test_another_number_of_cores_is_said(tmp_path: Path) -> None:
    now = available_cores()
    write_config(tmp_path, {"engine": "xla"}, cores=now + 1)
    with pytest.warns(ShoalWarning, match=f"had {now + 1} cores and this process has {now}"):
        check_cores(read_config(tmp_path))
    for settings, cores in (({"engine": "native"}, now + 1), ({}, now), ({}, None)):
        write_config(tmp_path, settings, cores=cores)
        check_cores(read_config(tmp_path))  # a warning would be an error


@pytest.mark.slow
def test_the_page_says_the_number_of_cores(iris_run: shoal.Run) -> None:
    cores = available_cores()
    assert iris_run.metrics["engine"]["cores"] == iris_run.folder.config["cores"] == cores
    assert f"data and versions on {cores} core" in iris_run.report().read_text()
