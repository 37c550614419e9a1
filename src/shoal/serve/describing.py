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

OPEN_PATHS = ("/health", "/ping", "/v2/health/live", "/v2/health/ready")
"""Probes, which need no token."""


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
    paths: dict[str, Any] = {path: {"get": _read(path, *words)} for path, words in _READ.items()}
    for name, served in runs.items():
        paths |= _paths_of(quote(name, safe=""), served)
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


def _read(path: str, media: str, text: str) -> dict[str, Any]:
    """Return the description of a path that is read."""
    name = path.strip("/").replace("/", "_")
    answers = {"200": {"description": text, "content": {media: {}}}}
    if path in OPEN_PATHS:
        return {"summary": text, "operationId": name, "responses": answers, "security": []}
    return {"summary": text, "operationId": name, "responses": {**answers, **_refusals(401, 403, 408, 413, 503)}}


def _refusals(*statuses: int) -> dict[str, Any]:
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": _REFUSALS[status], "content": content} for status in statuses}


def _paths_of(name: str, served: ServedRun) -> dict[str, Any]:
    rows = _answer_schema(served.example)
    answers = {
        "200": {
            "description": "What the ensemble says, with its error bars.",
            "content": {JSON: {"schema": rows}, CSV: {}, ARROW_STREAM: {}, ARROW_FILE: {}},
        },
        **_refusals(*_REFUSALS),
    }
    takes: dict[str, Any] = {JSON: {"schema": body_schema(served)}}
    if served.kind in ("table", "steps"):
        takes |= {CSV: {}, ARROW_STREAM: {}, ARROW_FILE: {}}  # no schema of JSON says what a table is
    predict = {
        "summary": f"Predict with {served.name}",
        "description": served.run.summary(),
        "operationId": f"predict_{name}",
        "parameters": [_UNKNOWN] if served.kind in ("table", "steps") else [],
        "requestBody": {"required": True, "content": takes},
        "responses": answers,
    }
    about = {**_read(f"/runs/{name}", JSON, "What it takes and answers."), "summary": f"About {served.name}"}
    return {
        f"/runs/{name}": {"get": {**about, "operationId": f"about_{name}"}},
        f"/runs/{name}/predict": {"post": predict},
    }


def body_schema(served: ServedRun) -> dict[str, Any]:
    """Return the JSON schema of a body for a run."""
    signals = served.run.preparation.signals
    if served.kind in ("table", "steps") or signals is None:
        recipe = served.run.preparation.recipe
        return served.columns.json_schema(1 if recipe is None or recipe.window is None else recipe.window)
    shapes = [signals.shape, signals.shape[:-1]][: 2 if signals.shape[-1] == 1 else 1]  # one channel needs no axis
    forms = [_nested_schema(shape, padded=served.kind == "series" and signals.padded) for shape in shapes]
    values = forms[0] if len(forms) == 1 else {"anyOf": forms}
    return {
        "type": "object",
        "properties": {served.kind: values},
        "required": [served.kind],
        "additionalProperties": False,
    }


def _nested_schema(shape: tuple[int, ...], *, padded: bool) -> dict[str, Any]:
    """Return the JSON schema of a list of arrays, of which the first axis may be shorter where they are padded."""
    inner: dict[str, Any] = {"type": "number"}
    for place, size in reversed(list(enumerate(shape))):
        inner = {"type": "array", "items": inner, "minItems": 1 if padded and place == 0 else size, "maxItems": size}
    return {"type": "array", "items": inner, "minItems": 1}


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
    "/health": (JSON, "Whether the server answers; needs no token."),
    "/metrics": ("text/plain", "Counts and times in Prometheus' text format."),
    "/runs": (JSON, "All runs."),
    "/v2": (JSON, "The server, in the words of the Open Inference Protocol."),
    "/v2/health/live": (JSON, "Whether the server answers; needs no token."),
    "/v2/health/ready": (JSON, "Whether all runs are read; needs no token."),
}
_REFUSALS = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    403: "The request comes through a foreign name, or from a page of a foreign site.",
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
