"""Every registered layer as source code says what it says in shoal; a new layer is tried as soon as it is there."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from layer_examples import EXAMPLES

from shoal.errors import ExportError
from shoal.export.source.c import CPrinter, table
from shoal.export.source.c_helpers import HELPERS
from shoal.export.source.operations import Buffer, Program, Recurrence
from shoal.export.source.python import PythonPrinter
from shoal.export.source.python_helpers import ALWAYS
from shoal.export.source.python_helpers import HELPERS as PYTHON_HELPERS
from shoal.export.source.symbols import Symbol
from shoal.export.source.tracing import tracing_namespace
from shoal.networks import GRU, LSTM, Bidirectional, Layer, Masking, Network
from shoal.streams import Stream

COMPILER = shutil.which("gcc") or shutil.which("clang")
NETWORKS = {
    f"{kind}-{i}": ([layer], shape) for kind, each in EXAMPLES.items() for i, (layer, shape) in enumerate(each)
} | {
    "masked-lstm": ([Masking(0.5), LSTM(3, return_sequences=True), LSTM(2)], (6, 2)),
    "masked-gru": ([Masking(0.5), GRU(3, reset_after=False, go_backwards=True)], (6, 2)),
    "masked-both": ([Masking(0.5), Bidirectional(GRU(2, return_sequences=True)), LSTM(2)], (6, 2)),
}
ROWS = 5


def traced(layers: Sequence[Layer], shape: Any, parameters: Any = None) -> tuple[Program, np.ndarray, np.ndarray]:
    """Return the program of a network, rows, and what the network says of them."""
    network = Network(layers, shape)
    parameters = parameters or network.initialize(3)
    shape = network.input_shape
    x = Stream(7).normal((ROWS, *shape)).astype(np.float32)
    if isinstance(layers[0], Masking):
        x[1:3, 2:] = x[3, ::2] = 0.5
    if any(type(layer).__name__ == "Embedding" for layer in layers):
        x = np.abs(np.round(x))
    buffer = Buffer(int(np.prod(shape)), name="x")
    program = Program(buffer)
    symbol = Symbol(program, buffer, np.arange(buffer.size).reshape(1, *shape))
    output = network.apply(parameters, symbol, xp=tracing_namespace)
    program.outputs = {"y": output.view}
    program.finish()
    return program, x.reshape(ROWS, -1), network.predict(parameters, x).reshape(ROWS, -1)


def said_by_numpy(program: Program, x: np.ndarray) -> np.ndarray:
    """Return what the statements of Python say."""
    printer = PythonPrinter()
    lines = [*printer.program(program), f"return {printer.output(program.outputs['y'])}"]
    texts = ["import base64, math", "import numpy as np", ALWAYS, *PYTHON_HELPERS.values()]
    texts += [text for _, text in printer.tables.values()]
    names: dict[str, Any] = {}
    exec("\n".join([*texts, "def said(x):", *(f"    {line}" for line in lines)]), names)
    return names["said"](x)


@pytest.mark.parametrize("name", NETWORKS)
def test_numpy(name: str) -> None:
    program, x, expected = traced(*NETWORKS[name])
    said = said_by_numpy(program, x)
    assert said.dtype == np.float32
    np.testing.assert_allclose(said, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("seed", range(24))
def test_random_architectures(architectures: ModuleType, seed: int) -> None:
    network = architectures.random_network(seed)
    parameters = architectures.random_parameters(network, seed)
    program, x, expected = traced(network.layers, network.input_shape, parameters)
    np.testing.assert_allclose(said_by_numpy(program, x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
def test_c(tmp_path: Path) -> None:
    printer, functions, cases = CPrinter(), [], []
    for number, network in enumerate(NETWORKS.values()):
        program, x, expected = traced(*network)
        lines = printer.program(program)
        functions += [f"typedef struct {{ float y[{expected.shape[1]}]; }} answer{number};"]
        functions += [f"void layer{number}(const float *x, answer{number} *answer, float *work)", "{"]
        functions += ["int i, j, t; float total; (void)i, (void)j, (void)t, (void)total, (void)work;", *lines, "}"]
        cases.append((x, expected))
    texts = ["#include <math.h>", *(text.replace("INDEX", "int") for text in HELPERS.values() if "NEIGH" not in text)]
    for word, buffer in printer.constants.values():
        assert buffer.values is not None
        texts += table("float", word, [printer.literal(value, double=False) for value in buffer.values.tolist()])
    for word, index in printer.indices.values():
        texts += table("int", word, [str(i) for i in index.tolist()])
    (tmp_path / "layers.c").write_text("\n".join([*texts, *functions, ""]))
    command = [str(COMPILER), "-std=c99", "-O1", "-shared", "-fPIC", "layers.c", "-o", "layers.so", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    library = ctypes.CDLL(str(tmp_path / "layers.so"))
    work = np.full(printer.work + 1, np.nan, np.float32)
    for number, ((x, expected), name) in enumerate(zip(cases, NETWORKS, strict=True)):
        said = np.empty(expected.shape, np.float32)
        for row, out in zip(np.ascontiguousarray(x, np.float32), said, strict=True):
            getattr(library, f"layer{number}")(*(ctypes.c_void_p(each.ctypes.data) for each in (row, out, work)))
        np.testing.assert_allclose(said, expected, rtol=1e-5, atol=2e-6, err_msg=name)


def test_a_recurrent_layer_is_as_long_for_a_long_series() -> None:
    short, long = (traced([LSTM(3, return_sequences=True), LSTM(2)], (turns, 2))[0] for turns in (5, 500))
    assert len(short.operations) == len(long.operations)
    assert [op.turns for op in long.operations if isinstance(op, Recurrence)] == [500, 500]
    assert long.count > 90 * short.count


def test_what_no_source_code_says_is_named() -> None:
    program = Program(Buffer(2, name="x"))
    symbol = Symbol(program, program.inputs, np.arange(2)[None])
    with pytest.raises(ExportError, match="no source code says the function 'arcsin' yet"):
        tracing_namespace.arcsin(symbol)
