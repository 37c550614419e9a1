"""What a server says of its runs: as data, and as OpenAPI, typed by each run's own columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import polars as pl

from shoal import __version__
from shoal.serve.bodies import ARROW_FILE, ARROW_STREAM, CSV, JSON
from shoal.serve.problems import PROBLEM_JSON
from shoal.serve.served import ServedRun


def described(served: ServedRun, problem: str | None = None) -> dict[str, Any]:
    """Return a run as data: what it takes, what it answers, how good it is.

    Args:
        served: the run.
        problem: why the run that its folder holds now is not served, if it is not.
    """
    run = served.run
    fitted = run.preparation.signals
    shape = {"shape": list(fitted.shape)} if fitted is not None and served.kind != "steps" else {}
    columns = [
        {"name": column.name, "type": column.kind, "required": column.required, "description": column.description}
        | ({"unit": column.unit} if column.unit else {})
        | ({"levels": list(column.levels)} if column.levels else {})
        for column in served.columns
    ]
    return {
        "name": served.name, "run": run.name, "task": run.metrics["data"]["task"], "targets": run.metrics["target"],
        "takes": served.kind, **shape, "columns": columns, "answers": list(served.example.columns),
        "summary": run.summary(), "test": run.metrics["test"], "problem": problem,
    }  # fmt: skip


def openapi(runs: Mapping[str, ServedRun]) -> dict[str, Any]:
    """Return the description of all paths in OpenAPI 3.1."""
    refusals = {
        str(status): {
            "description": text,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, text in _REFUSALS.items()
    }
    paths: dict[str, Any] = {
        path: {"get": {"summary": text, "operationId": path.strip("/").replace("/", "_") or "index",
                       "responses": {"200": {"description": text}}}}
        for path, text in _READ.items()
    }  # fmt: skip
    for name, served in runs.items():
        paths |= _paths_of(quote(name, safe=""), served, refusals)
    return {
        "openapi": "3.1.0",
        "info": {"title": "shoal serve", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _paths_of(name: str, served: ServedRun, refusals: dict[str, Any]) -> dict[str, Any]:
    rows = _answer_schema(served.example)
    table = {"type": "string"}
    binary = {"type": "string", "format": "binary"}
    answers = {
        "200": {
            "description": "What the ensemble says, with its error bars.",
            "content": {JSON: {"schema": rows}, CSV: {"schema": table}, ARROW_STREAM: {}, ARROW_FILE: {}},
        },
        **refusals,
    }
    takes: dict[str, Any] = {JSON: {"schema": body_schema(served)}}
    if served.kind in ("table", "steps"):
        takes |= {CSV: {"schema": table}, ARROW_STREAM: {"schema": binary}, ARROW_FILE: {"schema": binary}}
    predict = {
        "summary": f"Predict with {served.name}",
        "description": served.run.summary(),
        "operationId": f"predict_{name}",
        "parameters": [_UNKNOWN] if served.kind in ("table", "steps") else [],
        "requestBody": {"required": True, "content": takes},
        "responses": answers,
    }
    about = {"summary": f"About {served.name}", "operationId": f"about_{name}"}
    return {
        f"/runs/{name}": {"get": {**about, "responses": {"200": {"description": "What it takes and answers."}}}},
        f"/runs/{name}/predict": {"post": predict},
    }


def body_schema(served: ServedRun) -> dict[str, Any]:
    """Return the JSON schema of a body for a run."""
    signals = served.run.preparation.signals
    if served.kind in ("table", "steps") or signals is None:
        return served.columns.json_schema()
    inner: dict[str, Any] = {"type": "number"}
    for place, size in enumerate(reversed(signals.shape)):
        varies = served.kind == "series" and place == len(signals.shape) - 1 and signals.padded
        inner = {"type": "array", "items": inner, "minItems": 1 if varies else size, "maxItems": size}
    values = {"type": "array", "items": inner, "minItems": 1}
    return {
        "type": "object",
        "properties": {served.kind: values},
        "required": [served.kind],
        "additionalProperties": False,
    }


def _answer_schema(example: pl.DataFrame) -> dict[str, Any]:
    """Return the JSON schema of an answer."""
    one = {name: {"type": [_json_type(kind), "null"]} for name, kind in example.schema.items()}
    many = {name: {"type": "array", "items": schema} for name, schema in one.items()}
    notes = {"type": "array", "items": {"type": "string"}}
    return {
        "oneOf": [
            _object({"rows": {"type": "array", "items": {"type": "object", "properties": one}}}, notes, "rows"),
            _object({"columns": {"type": "object", "properties": many}}, notes, "columns"),
        ]
    }


def _object(properties: dict[str, Any], notes: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": {**properties, "notes": notes}, "required": list(required)}


def _json_type(kind: pl.DataType) -> str:
    if kind == pl.Boolean:
        return "boolean"
    return "integer" if kind.is_integer() else "number" if kind.is_float() else "string"


_READ = {
    "/health": "Whether the server answers; needs no token.",
    "/metrics": "Counts and times in Prometheus' text format.",
    "/runs": "All runs.",
    "/v2": "The server, in the words of the Open Inference Protocol.",
    "/v2/health/live": "Whether the server answers; needs no token.",
    "/v2/health/ready": "Whether all runs are read; needs no token.",
}
_REFUSALS = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    406: "No format that Accept names is written.",
    408: "The request took too long to arrive.",
    413: "The body is too large, or holds too many rows.",
    415: "The body is of another type.",
    422: "The body does not fit the columns of the run.",
    503: "The server has too much to do; see Retry-After.",
}
_UNKNOWN = {
    "name": "unknown",
    "in": "query",
    "required": False,
    "description": "What to do with columns that the run does not take.",
    "schema": {"type": "string", "enum": ["ignore", "refuse"], "default": "refuse"},
}
_PROBLEM = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was expected, what came, how to mend it."},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["title", "status", "detail"],
}
