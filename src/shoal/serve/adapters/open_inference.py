"""The Open Inference Protocol, version 2, as KServe, Triton and Seldon speak it over HTTP, with tensors in JSON.

Of a table each column is an input of shape `[rows]`, or all numbers together are one of shape `[rows, columns]`. Of
images and series there is one input, named so. Each column of the answer is an output of shape `[rows]`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shoal import __version__
from shoal.errors import listing, suggest
from shoal.serve.asking import Asking
from shoal.serve.bodies import JSON, as_json, media_type
from shoal.serve.problems import Refused
from shoal.serve.served import Said, ServedRun

VERSION = "1"
_TYPES = ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP32", "FP64", "BYTES")
_OF_KIND = {"number": "FP64", "boolean": "BOOL"}


def routes(asking: Asking) -> list[Route]:
    """Return the routes of the protocol."""

    async def server(_: Request) -> Response:
        return _json({"name": "shoal", "version": __version__, "extensions": []})

    async def live(_: Request) -> Response:
        return _json({"live": True})

    async def ready(_: Request) -> Response:
        return _json({"ready": True})

    async def model(request: Request) -> Response:
        return _json(metadata(_run(asking, request)))

    async def model_ready(request: Request) -> Response:
        return _json({"name": _run(asking, request).name, "ready": True})

    async def infer(request: Request) -> Response:
        served, headers = _run(asking, request), request.headers
        if "inference-header-content-length" in headers or media_type(headers.get("content-type", "")) != JSON:
            raise Refused(415, "expected tensors in JSON; binary tensors are not read")
        body = await asking.json(await request.body(), headers.get("content-encoding", ""))
        given = inputs_of(body, served)
        said = await asking.of_json(request.scope, served.name, given)
        outputs = outputs_of(said, served.example, body.get("outputs"))
        return _json({
            "model_name": served.name, "model_version": VERSION,
            **({"id": body["id"]} if "id" in body else {}),
            "outputs": outputs,
        })  # fmt: skip

    model_path = "/v2/models/{name}"
    return [
        Route("/v2", server),
        Route("/v2/health/live", live),
        Route("/v2/health/ready", ready),
        *(
            route
            for path in (model_path, model_path + "/versions/{version}")
            for route in (
                Route(path, model),
                Route(f"{path}/ready", model_ready),
                Route(f"{path}/infer", infer, methods=["POST"]),
            )
        ),
    ]


def _json(content: Any) -> Response:
    return Response(as_json(content), media_type=JSON)


def _run(asking: Asking, request: Request) -> ServedRun:
    served, version = asking.run(request.path_params["name"]), request.path_params.get("version", VERSION)
    if version != VERSION:
        raise Refused(404, f"{served.name} has the version {VERSION} alone, not {version[:40]!r}")
    return served


def metadata(served: ServedRun) -> dict[str, Any]:
    """Return what the protocol calls the metadata of a model."""
    if served.kind in ("images", "series"):
        signals = served.run.preparation.signals
        assert signals is not None
        inputs = [{"name": served.kind, "datatype": "FP64", "shape": [-1, *signals.shape]}]
    else:
        inputs = [
            {"name": column.name, "datatype": _OF_KIND.get(column.kind, "BYTES"), "shape": [-1]}
            for column in served.columns
            if column.required
        ]
    outputs = [
        {"name": name, "datatype": _datatype(kind), "shape": [-1]} for name, kind in served.example.schema.items()
    ]
    model = {"name": served.name, "versions": [VERSION], "platform": "shoal"}
    return {**model, "inputs": inputs, "outputs": outputs}


def _datatype(kind: pl.DataType) -> str:
    if kind == pl.Boolean:
        return "BOOL"
    return "FP64" if kind.is_float() else "INT64" if kind.is_integer() else "BYTES"


def inputs_of(body: Any, served: ServedRun) -> dict[str, Any]:
    """Return the inputs of a request as columns, images or series."""
    tensors = body.get("inputs") if isinstance(body, Mapping) else None
    if not isinstance(tensors, list) or not tensors:
        raise Refused(422, 'expected {"inputs": [{"name": …, "shape": […], "datatype": …, "data": […]}, …]}')
    if not isinstance(body.get("id", ""), str):
        raise Refused(422, "id: expected a text")
    read = [_tensor(tensor) for tensor in tensors]
    names = [name for name, *_ in read]
    if len(set(names)) < len(names):
        raise Refused(422, "inputs: a name occurs twice")
    rows = read[0][1][0]
    if served.kind in ("images", "series"):
        if len(read) != 1:
            raise Refused(422, f"expected one input, {served.kind}, got {len(read)}")
        return {served.kind: _nested(read[0][2], read[0][1])}
    if len(read) == 1 and len(read[0][1]) == 2 and names[0] not in served.columns.all:
        return _columns_of_matrix(*read[0], served)
    for name, shape, _ in read:
        if math.prod(shape) != shape[0] or shape[0] != rows:
            raise Refused(422, f"input {name!r}: expected the shape [{rows}] or [{rows}, 1], got {shape}")
    return {name: data for name, _, data in read}


def _tensor(tensor: Any) -> tuple[str, list[int], list[Any]]:
    if not isinstance(tensor, Mapping):
        raise Refused(422, "inputs: expected objects with name, shape, datatype and data")
    name, shape, kind, data = (tensor.get(key) for key in ("name", "shape", "datatype", "data"))
    if not isinstance(name, str):
        raise Refused(422, "inputs: expected a name, a text")
    whole = isinstance(shape, list) and shape and all(type(n) is int and 0 < n < 2**31 for n in shape)
    if not isinstance(shape, list) or not whole:
        raise Refused(422, f"input {name!r}: expected a shape, a list of whole numbers from 1 up")
    if kind not in _TYPES:
        raise Refused(422, f"input {name!r}: expected a datatype, one of {', '.join(_TYPES)}, got {str(kind)[:40]!r}")
    if not isinstance(data, list):
        raise Refused(422, f"input {name!r}: expected data, a list; binary tensors are not read")
    flat = _flat(data)
    if len(flat) != math.prod(shape):
        raise Refused(422, f"input {name!r}: expected {math.prod(shape)} values of shape {shape}, got {len(flat)}")
    return name, shape, flat


def _flat(data: list[Any]) -> list[Any]:
    """Return the values of nested lists."""
    while any(isinstance(value, list) for value in data):
        data = [each for value in data for each in (value if isinstance(value, list) else [value])]
    return data


def _nested(data: list[Any], shape: list[int]) -> list[Any]:
    for size in reversed(shape[1:]):
        data = [data[i : i + size] for i in range(0, len(data), size)]
    return data


def _columns_of_matrix(name: str, shape: list[int], data: list[Any], served: ServedRun) -> dict[str, Any]:
    names = served.columns.required
    if shape[1] != len(names):
        raise Refused(
            422,
            f"input {name!r}: expected {len(names)} columns, {listing(map(repr, names))}, got {shape[1]}; "
            "or each column as an input of its name",
        )
    return {each: data[i :: shape[1]] for i, each in enumerate(names)}


def outputs_of(said: Said, example: pl.DataFrame, wanted: Any) -> list[dict[str, Any]]:
    """Return the columns of an answer as tensors, those that are wanted."""
    names = list(said.columns)
    if wanted:
        if not isinstance(wanted, list) or not all(isinstance(each, Mapping) for each in wanted):
            raise Refused(422, 'outputs: expected a list of {"name": …}')
        names = [str(each.get("name")) for each in wanted]
        absent = [name for name in names if name not in said.columns]
        if absent:
            raise Refused(
                422,
                f"there is no output {absent[0][:60]!r}; there are {listing(said.columns)}."
                + suggest(absent[0], said.columns),
            )
    return [
        {"name": name, "shape": [len(values)], "datatype": _type_of(name, values, example), "data": values}
        for name in names
        for values in [said.columns[name]]
    ]


def _type_of(name: str, values: list[Any], example: pl.DataFrame) -> str:
    return _datatype(example.schema[name] if name in example.columns else pl.Series(values, strict=False).dtype)
