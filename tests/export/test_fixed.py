"""C in fixed point: what it loses is told, compilers say what shoal computes to the bit, and nothing wraps around."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.cli import main
from shoal.errors import ExportError
from shoal.export.source.evaluating import outputs_of
from shoal.export.source.fixed_point import FixedCorrelation, FixedProduct, FixedReduction, Quantise
from shoal.export.source.fixing import in_fixed_point
from shoal.export.source.operations import Buffer, Product, Program, Recurrence
from shoal.export.source.symbols import Symbol
from shoal.export.source.tracing import tracing_namespace
from shoal.networks import Network

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-fsanitize=address,undefined",
          "-fno-sanitize-recover=all"]  # fmt: skip
needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")


def traced(network: Network, parameters: Any) -> Program:
    """Return the program of a network."""
    buffer = Buffer(int(np.prod(network.input_shape)), name="x")
    program = Program(buffer)
    symbol = Symbol(program, buffer, np.arange(buffer.size).reshape(1, *network.input_shape))
    program.outputs = {"y": network.apply(parameters, symbol, xp=tracing_namespace).view}
    program.finish()
    return program


def kinds(program: Program) -> list[str]:
    return [type(operation).__name__ for operation in program.operations]


@pytest.mark.parametrize("seed", range(24))
def test_random_architectures_lose_little(architectures: ModuleType, seed: int) -> None:
    network = architectures.random_network(seed)
    program = traced(network, architectures.random_parameters(network, seed))
    x = np.random.default_rng(seed).normal(size=(200, program.inputs.size))
    if any(isinstance(operation, Recurrence) for operation in program.operations):
        with pytest.raises(ExportError, match="this one has recurrent layers"):
            in_fixed_point(program, x)
        return
    fixed, _ = in_fixed_point(program, x)
    wanted, said = (outputs_of(each, x)["y"] for each in (program, fixed))
    assert not any(isinstance(operation, Product) for operation in fixed.operations)
    off = np.abs(said - wanted).max()
    assert 0.0 <= off < 0.01 * max(1.0, np.abs(wanted).max()), network.summary()


def test_layers_hand_on_shorts() -> None:
    network = Network.parse(
        "8x8x1 conv2d:4:3:relu maxpooling2d:2 conv2d:4:2:tanh globalaveragepooling2d 8:gelu 3:softmax"
    )
    program = traced(network, network.initialize(1))
    fixed, notes = in_fixed_point(program, np.random.default_rng(0).normal(size=(50, 64)))
    found = kinds(fixed)
    assert found.count("Quantise") == 1
    assert [found.count(kind.__name__) for kind in (FixedCorrelation, FixedReduction, FixedProduct)] == [2, 2, 2]
    assert found.count("Dequantise") == 1
    assert notes[0] == (
        "In 16 bits with sums of 32: weights and inputs of 4 layers, and 3 functions by tables of 257 numbers."
    )


def test_what_is_too_large_stays_at_the_end_of_its_range() -> None:
    network = Network.parse("2 1")
    program = traced(network, [{"kernel": np.array([[1.0], [1.0]]), "bias": np.zeros(1)}])
    fixed, _ = in_fixed_point(program, np.random.default_rng(0).uniform(-1.0, 1.0, (100, 2)))
    said = outputs_of(fixed, np.array([[0.25, 0.5], [1e3, 1e3], [-1e9, -1e9]]))["y"][:, 0]
    np.testing.assert_allclose(said[0], 0.75, atol=1e-3)
    assert said[1] > 2.0
    assert said[2] < -2.0


@pytest.mark.parametrize("inner", [3, 300, 3000])
def test_no_sum_can_overflow(inner: int) -> None:
    kernel = np.random.default_rng(0).normal(size=(inner, 2)).astype(np.float32)
    network = Network.parse(f"{inner} 2")
    program = traced(network, [{"kernel": kernel, "bias": np.ones(2)}])
    fixed, _ = in_fixed_point(program, np.random.default_rng(0).normal(size=(20, inner)))
    (layer,) = (operation for operation in fixed.operations if isinstance(operation, FixedProduct))
    weights, bias = (np.abs(view.buffer.values) for view in layer.inputs[1:])
    blocks = np.add.reduceat(weights.reshape(inner, 2), np.arange(0, inner, 16), axis=0) * 32768.0
    assert blocks.max() < 2**31
    assert (blocks / 2**layer.finish.early + 1).sum(axis=0).max() + bias.max() < 2**31
    assert np.abs(weights).max() <= 32767
    assert isinstance(fixed.operations[0], Quantise)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> shoal.Run:
    """Return a run with images of two kinds."""
    folder = tmp_path_factory.mktemp("fixed")
    draw, y = np.random.default_rng(1), np.arange(160) % 2
    x = (draw.normal(size=(160, 8, 8)) + 0.3 * y.reshape(-1, 1, 1)).astype(np.float32)
    np.savez(folder / "data.npz", X=x, y=y)
    options = {"networks": 3, "keep": 2, "epochs": 8, "batch_size": 32, "page": False, "seal_test": True}
    layers = {"layers": "conv2d:4:3:1:same maxpooling2d:2 conv2d:6:3", "hidden": (6,), "activation": "tanh"}
    return shoal.fit(str(folder / "data.npz"), kind="images", out=str(folder / "run"), **layers, **options)


@needs_compiler
@pytest.mark.slow
def test_images(run: shoal.Run, tmp_path: Path) -> None:
    written = shoal.export_model(run, tmp_path / "images.c", fixed=True)
    assert written.agreement.holds, str(written.agreement)
    assert "agrees with what shoal computes in the same whole numbers: 26 validation rows" in str(written.agreement)
    assert written.scores is not None
    assert {"accuracy", "log_loss"} <= set(written.scores.values)
    for name, (was, now) in written.scores.values.items():
        assert abs(was - now) < 0.02, name
    was, now = written.scores.values["log_loss"]
    assert was != now
    assert f"log_loss {was:.4g} → {now:.4g}" in written.notes[0]
    kept = json.loads((run.path / "exports" / "images.c.json").read_text())
    assert kept["fixed_point"]["scores"]["log_loss"] == {"floating": was, "fixed": now}
    command = ["gcc", *STRICT, "-DIMAGES_MAIN", "images.c", "-o", "check", "-lm"]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    ran = subprocess.run(["./check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    first = (tmp_path / "images.c").read_bytes()
    shoal.export_model(run, tmp_path / "images.c", fixed=True, force=True)
    assert (tmp_path / "images.c").read_bytes() == first
    assert "IMAGES_SHORTS" in (tmp_path / "images.h").read_text()


@pytest.mark.slow
def test_the_command(run: shoal.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run.path), str(tmp_path / "m.py"), "--fixed"]) == 2
    assert "only; fixed point needs a name that ends in .c" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert main(["export", str(run.path), str(tmp_path / "m.c"), "--fixed", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said["scores"]["accuracy"]) == 2
