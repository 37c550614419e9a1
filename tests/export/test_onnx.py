"""Models as ONNX: onnxruntime says what shoal says, of any number of rows, whatever columns and labels are called."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.errors import ExportError
from shoal.export.onnx_graph import GraphPrinter
from shoal.export.onnx_nodes import OnnxGraph, OnnxTensor
from shoal.export.source.operations import Buffer, Program
from shoal.export.source.tracing import Symbol, contiguous, tracing_namespace
from shoal.networks import Network

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
SMALL: dict[str, Any] = {"networks": 2, "hidden": (4,), "epochs": 3, "batch_size": 32, "page": False}


def session(model: Any) -> Any:
    onnx.checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def graph_of(network: Network, parameters: list[Any]) -> Any:
    """Return a model whose output `i` is that of the network with the parameters `i`."""
    shape = network.input_shape
    buffer = Buffer(int(np.prod(shape)), name="x")
    program = Program(buffer)
    x = Symbol(program, buffer, np.arange(buffer.size).reshape(1, *shape))
    outs = program.each(parameters, lambda p: contiguous(network.apply(p, x, xp=tracing_namespace)))
    program.outputs = {f"out{i}": out.view for i, out in enumerate(outs)}
    program.finish()
    graph = OnnxGraph(["x"])
    flat = OnnxTensor(graph.reshape("x", 1, -1, buffer.size), width=buffer.size)
    said = GraphPrinter(graph, flat, graph.slice(graph.node("Shape", "x"), 0, 1, 0)).outputs(program)
    value = graph.helper.make_tensor_value_info
    outputs = [value(name, graph.types.FLOAT, ["rows", None]) for name in said.values()]
    inputs = [value("x", graph.types.FLOAT, ["rows", *shape])]
    body = graph.helper.make_graph(graph.nodes, "networks", inputs, outputs, graph.initializers)
    return graph.helper.make_model(body, opset_imports=[graph.helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize("seed", range(45))
def test_random_architectures(architectures: ModuleType, seed: int) -> None:
    network = architectures.random_network(seed)
    parameters = [architectures.random_parameters(network, 10 * seed + i) for i in range(3)]
    run = session(graph_of(network, parameters))
    x = np.random.default_rng(seed).normal(size=(5, *network.input_shape)).astype(np.float32)
    largest = 0.0
    for said, p in zip(run.run(None, {"x": x}), parameters, strict=True):
        wanted = network.predict(p, x).reshape(5, -1)
        largest = max(largest, float((np.abs(said - wanted) / (1 + np.abs(wanted))).max()))
    assert largest < 1e-5


def test_members_that_are_alike_are_one_product(architectures: ModuleType) -> None:
    network = architectures.random_network(0)
    model = graph_of(network, [architectures.random_parameters(network, i) for i in range(50)])
    alone = graph_of(network, [architectures.random_parameters(network, 0)])
    kinds = [[node.op_type for node in graph.graph.node] for graph in (model, alone)]
    assert kinds[0].count("MatMul") == kinds[1].count("MatMul")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[shoal.Run, pl.DataFrame]:
    """Return a run on columns that are called as outputs, with integers as classes, and its rows."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=120)
    kind = np.where(draw.random(120) < 0.5, "a b", "*/")
    table = pl.DataFrame({"mean": x, "label": kind, "_": x**2, "probabilities": draw.normal(size=120), "λ": x > 1})
    table = table.with_columns(
        pl.when(pl.col("_") > 2).then(None).otherwise(pl.col("label")).alias("label"),
        pl.Series("y", np.where(x + (kind == "*/") > 0.5, 7, 3)),
    )
    folder = tmp_path_factory.mktemp("onnx")
    return shoal.fit(table, target="y", out=str(folder / "run"), **SMALL), table


@pytest.mark.slow
def test_names_and_labels(hostile: tuple[shoal.Run, pl.DataFrame], tmp_path: Path) -> None:
    run, table = hostile
    shoal.export_model(run, tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    there = session(model)
    assert [i.name for i in there.get_inputs()] == ["mean", "label_", "_", "probabilities_", "λ"]
    rows = table.head(20).with_columns(pl.Series("label", ["a b", "*/", "never seen", None] * 5))
    feed = {
        "mean": rows["mean"].to_numpy().astype(np.float32),
        "label_": rows["label"].fill_null("").to_numpy().astype(object),
        "_": rows["_"].to_numpy().astype(np.float32),
        "probabilities_": rows["probabilities"].to_numpy().astype(np.float32),
        "λ": rows["λ"].to_numpy().astype(np.float32),
    }
    feed = {name: values.reshape(-1, 1) for name, values in feed.items()}
    label, probabilities = there.run(["label", "probabilities"], feed)
    here = run.predict(rows)
    np.testing.assert_allclose(probabilities, here.probabilities, atol=1e-5)
    assert label.tolist() == list(here.labels)
    alone = [there.run(["probabilities"], {k: v[[i]] for k, v in feed.items()})[0][0] for i in range(20)]
    np.testing.assert_allclose(alone, probabilities, atol=1e-6)
    props = {p.key: p.value for p in model.metadata_props}
    assert json.loads(props["classes"]) == ["3", "7"]
    assert props["shoal"] == shoal.__version__


@pytest.mark.slow
def test_the_same_run_gives_the_same_file(hostile: tuple[shoal.Run, pl.DataFrame], tmp_path: Path) -> None:
    for name in ("a", "b"):
        shoal.export_model(hostile[0], tmp_path / f"{name}.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


@pytest.mark.slow
def test_without_the_packages(
    hostile: tuple[shoal.Run, pl.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "onnx" else find(name, *a))
    with pytest.raises(ExportError, match=r"pip install 'shoal\[onnx\]'"):
        shoal.export_model(hostile[0], tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
