"""One seed, one and two cores: the native engine gives the same files; else the run keeps the number of cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import shoal
from shoal.errors import ShoalWarning
from shoal.repeating import check_cores
from shoal.runs.config_file import read_config, write_config
from shoal.training.engines.native.library import kernels
from shoal.training.resources import available_cores

needs_kernel = pytest.mark.skipif(not kernels(), reason="the kernel was not built")
needs_two = pytest.mark.skipif(available_cores() < 2 or sys.platform != "linux", reason="one core only")
SHORT: dict[str, Any] = {"networks": 3, "epochs": 4, "page": False, "seed": 1}
FITS: dict[str, tuple[str, dict[str, Any]]] = {
    "native": ("iris", {"engine": "native", **SHORT}),
    "dense": ("iris", {"engine": "xla", "hidden": (8,), "batch_size": 16, **SHORT}),
    "convolution": ("digit_images", {"layers": "conv2d:2:3 maxpool2d:2", "hidden": (4,), "batch_size": 256, **SHORT}),
    "lstm": ("chirps", {"layers": "lstm:4", "hidden": (4,), "batch_size": 128, **SHORT}),
}
PROGRAM = """
import json, os, sys
cores, name, out, settings = json.loads(sys.argv[1])
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
import shoal
shoal.fit(name, out=out, **settings)
"""


def metrics_on(cores: int, kind: str, folder: Path) -> dict[str, Any]:
    """Return the metrics of a fit by a new process that may use so many cores, but for its times."""
    name, settings = FITS[kind]
    environment = {key: value for key, value in os.environ.items() if key != "JAX_NUM_CPU_DEVICES"}
    command = [sys.executable, "-c", PROGRAM, json.dumps([cores, name, str(folder), settings])]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    document = json.loads((folder / "metrics.json").read_text())
    del document["seconds"]
    assert document["engine"].pop("cores") == cores
    assert read_config(folder)["cores"] == cores
    return document


@pytest.mark.slow
@needs_two
@pytest.mark.parametrize("kind", [pytest.param("native", marks=needs_kernel), "dense", "convolution", "lstm"])
def test_the_same_seed_gives_the_same_numbers_on_as_many_cores(kind: str, tmp_path: Path) -> None:
    two, one = (metrics_on(cores, kind, tmp_path / str(cores)) for cores in (2, 1))
    if kind == "native":
        assert json.dumps(one) == json.dumps(two)
        return
    assert json.dumps(metrics_on(2, kind, tmp_path / "again")) == json.dumps(two)
    for name, score in two["test"].items():  # in the last digits only
        assert one["test"][name]["value"] == pytest.approx(score["value"], rel=1e-4)


def test_another_number_of_cores_is_said(tmp_path: Path) -> None:
    now = available_cores()
    write_config(tmp_path, {"engine": "xla"}, cores=now + 1)
    with pytest.warns(ShoalWarning, match=f"had {now + 1} cores and this process has {now}"):
        check_cores(read_config(tmp_path))
    for settings, cores in (({"engine": "native"}, now + 1), ({}, now), ({}, None)):
        write_config(tmp_path, settings, cores=cores)
        check_cores(read_config(tmp_path))  # a warning would be an error


@pytest.mark.slow
def test_the_page_says_the_number_of_cores(tmp_path: Path) -> None:
    run = shoal.fit("iris", out=str(tmp_path / "run"), **{**SHORT, "page": True})
    assert run.metrics["engine"]["cores"] == available_cores()
    assert "gives the same numbers" in run.report.read_text()
    assert f"on {available_cores()} core" in run.report.read_text()
