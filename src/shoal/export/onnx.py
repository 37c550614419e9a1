"""Models as ONNX: from the columns as they are in the file to answers with error bars, in one graph."""

from __future__ import annotations

import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from shoal import __version__
from shoal.data.labels import LabelType, labels_of
from shoal.data.readers.packages import check_package
from shoal.errors import ExportError
from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement, Exporter, Written
from shoal.export.onnx_graph import GraphPrinter
from shoal.export.onnx_nodes import DOUBLE, FLOAT, INTEGER, TEXT, TRUTH, OnnxGraph, OnnxTensor
from shoal.export.source.answers import InputColumn, Programs, answers_of
from shoal.export.source.printing import TRUTHS
from shoal.prediction.predictor import Predictor

OPSET, LABELS_OPSET, IR = 18, 3, 8
LABEL = "label"
SIGNALS = "x"
NUMPY = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(string)": object}
KINDS = {"category": "texts, empty where missing", "truth": "0 or 1, NaN where missing",
         "date": "days since 1970-01-01, NaN where missing", "number": "numbers, NaN where missing"}  # fmt: skip


class OnnxExporter(Exporter):
    """One graph of opset 18, for onnxruntime 1.14 and newer."""

    name = "ONNX"
    extension = ".onnx"

    def written(self, predictor: Predictor, path: Path, examples: ExampleRows | None) -> Written:  # noqa: ARG002
        """Return the model; each column of a table is an input `(rows, 1)` under its name."""
        check_package("onnx", "onnx", "ONNX", ExportError)
        answers = answers_of(predictor)
        model = model_of(answers, predictor.preparation.label_type)
        return Written({path: model.SerializeToString(deterministic=True)}, answers.notes)

    def checked(self, files: dict[Path, bytes], examples: ExampleRows) -> Agreement:
        """Run the model in onnxruntime, where it is installed."""
        if importlib.util.find_spec("onnxruntime") is None:
            return Agreement.none("It was not checked: onnxruntime is not installed (pip install 'shoal[onnx]').")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        (contents,) = files.values()
        session = onnxruntime.InferenceSession(contents, options, providers=["CPUExecutionProvider"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = session.run(list(examples.answers), feeds(session, examples))
        said = dict(zip(examples.answers, values, strict=True))
        return Agreement.between(said, examples, f"by onnxruntime {onnxruntime.__version__}")


def feeds(session: Any, examples: ExampleRows) -> dict[str, np.ndarray]:
    """Return rows as a session of onnxruntime takes them."""
    given = list(examples.columns.values()) or [examples.inputs]
    return {
        field.name: np.asarray(values, NUMPY[field.type]).reshape(len(examples), *field.shape[1:])
        for field, values in zip(session.get_inputs(), given, strict=True)
    }


def model_of(answers: Programs, label_type: LabelType) -> Any:
    """Return the answers of a predictor as a model of ONNX."""
    from onnx import helper

    columns = answers.columns
    names = input_names([column.name for column in columns], answers) if columns else [SIGNALS]
    graph = OnnxGraph([*names, *answers.shapes, LABEL, "outside"])
    inputs, x = _table(graph, answers, names) if columns else _signals(graph, answers)
    first = graph.node("Shape", names[0])
    rows = graph.slice(first, 0, 1, 0)
    outputs = _outputs(graph, answers, x, rows)
    if answers.classes:
        outputs.append(_label(graph, answers, label_type))
    body = helper.make_graph(graph.nodes, "shoal", inputs, outputs, graph.initializers)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", LABELS_OPSET)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=IR)
    model.producer_name, model.producer_version = "shoal", __version__
    helper.set_model_props(model, _described(answers, names))
    return model


def input_names(columns: list[str], answers: Programs) -> list[str]:
    """Return the names of columns, with an underscore behind those that are empty or outputs, too."""
    taken = {*answers.shapes, LABEL, "outside"}
    names: list[str] = []
    for name in columns:
        while not name or name in taken:
            name += "_"
        taken.add(name)
        names.append(name)
    return names


def _described(answers: Programs, names: list[str]) -> dict[str, str]:
    """Return what the model says of itself: plain data as JSON."""
    said: dict[str, Any] = {"classes": answers.classes, "targets": answers.targets, "notes": answers.notes}
    said["inputs"] = {name: KINDS[column.kind] for name, column in zip(names, answers.columns, strict=False)}
    return {"shoal": __version__, **{key: json.dumps(value, ensure_ascii=False) for key, value in said.items()}}


def _table(graph: OnnxGraph, answers: Programs, names: list[str]) -> tuple[list[Any], OnnxTensor]:
    program_type = DOUBLE if answers.predict.inputs.double else FLOAT
    inputs, parts = [], []
    for name, column in zip(names, answers.columns, strict=True):
        kind = TEXT if column.kind == "category" else program_type if column.kind in ("number", "date") else FLOAT
        inputs.append(graph.helper.make_tensor_value_info(name, getattr(graph.types, kind), ["rows", 1]))
        part, kind = (_codes(graph, name, column), FLOAT) if kind == TEXT else (name, kind)
        parts.append(part if kind == program_type else graph.cast(part, program_type))
    table = graph.node("Concat", *parts, axis=1)
    x = graph.node("Unsqueeze", table, graph.constant([0]))
    return inputs, OnnxTensor(x, program_type, width=len(names))


def _codes(graph: OnnxGraph, name: str, column: InputColumn) -> str:
    levels = {"": np.nan} | {level: float(i) for i, level in enumerate(column.levels)}
    settings = {"keys_strings": list(levels), "values_floats": list(levels.values()), "default_float": -1.0}
    return graph.node("LabelEncoder", name, domain="ai.onnx.ml", **settings)


def _signals(graph: OnnxGraph, answers: Programs) -> tuple[list[Any], OnnxTensor]:
    shape, size = answers.shape, answers.predict.inputs.size
    info = graph.helper.make_tensor_value_info(SIGNALS, graph.types.FLOAT, ["rows", *shape])
    return [info], OnnxTensor(graph.reshape(SIGNALS, 1, -1, size), width=size)


def _outputs(graph: OnnxGraph, answers: Programs, x: OnnxTensor, rows: str) -> list[Any]:
    said = GraphPrinter(graph, x, rows).outputs(answers.predict)
    shapes = dict(answers.shapes)
    if answers.outside is not None:
        in_single = OnnxTensor(graph.cast(x.name, FLOAT), width=x.width) if not answers.outside.inputs.double else x
        said |= GraphPrinter(graph, in_single, rows).outputs(answers.outside)
        shapes["outside"] = ()
    infos = []
    for name, tensor in said.items():
        kind = TRUTH if name in TRUTHS else FLOAT
        shaped = graph.node("Reshape", graph.cast(tensor, kind), graph.constant([-1, *shapes[name]]))
        graph.nodes.append(graph.helper.make_node("Identity", [shaped], [name]))
        infos.append(graph.helper.make_tensor_value_info(name, getattr(graph.types, kind), ["rows", *shapes[name]]))
    return infos


def _label(graph: OnnxGraph, answers: Programs, label_type: LabelType) -> Any:
    """Add the most probable class, in the type in which the labels came."""
    labels = labels_of(answers.classes, label_type)
    kind = {"int": INTEGER, "float": DOUBLE, "bool": TRUTH, "str": TEXT}[label_type]
    dtype = {"int": np.int64, "float": np.float64, "bool": np.bool_}.get(label_type)
    table = graph.texts(answers.classes) if dtype is None else graph.constant(labels, dtype)
    best = graph.node("ArgMax", "probabilities", axis=-1, keepdims=0)
    graph.nodes.append(graph.helper.make_node("Gather", [table, best], [LABEL]))
    shape = ["rows", *answers.shapes["probabilities"][:-1]]
    return graph.helper.make_tensor_value_info(LABEL, getattr(graph.types, kind), shape)
