"""What MLflow's scoring server speaks: `/invocations`, `/ping` and `/version`.

`/invocations` asks the only run, or the one that `?run=NAME` names; `/runs/NAME/invocations` asks any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shoal import __version__
from shoal.serve.asking import Asking
from shoal.serve.bodies import CSV, JSON, as_json, media_type
from shoal.serve.problems import Refused
from shoal.serve.served import Said

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def routes(asking: Asking) -> list[Route]:
    """Return the routes of MLflow."""

    async def invocations(request: Request) -> Response:
        name = request.path_params.get("name") or request.query_params.get("run") or only_run(asking)
        media = media_type(request.headers.get("content-type", ""))
        encoding, body = request.headers.get("content-encoding", ""), await request.body()
        if media == CSV:
            answer = await asking.of_table(request.scope, name, body, media, encoding)
            said = Said(answer.frame.to_dict(as_series=False))
        elif media == JSON:
            served = asking.run(name)
            names = None if served.kind in ("images", "series") else [column.name for column in served.columns]
            given = rows_of(await asking.json(body, encoding), names, served.kind)
            said = await asking.of_json(request.scope, name, given)
        else:
            raise Refused(415, f"/invocations takes JSON or CSV, got {media!r}; /runs/{name}/predict takes Arrow")
        rows = [dict(zip(said.columns, row, strict=True)) for row in zip(*said.columns.values(), strict=True)]
        return Response(as_json({"predictions": rows}), media_type=JSON)

    async def ping(_: Request) -> Response:
        return Response("\n", media_type=JSON)

    async def version(_: Request) -> Response:
        return Response(f"shoal {__version__}", media_type="text/plain")

    return [
        Route("/invocations", invocations, methods=["POST"]),
        Route("/runs/{name}/invocations", invocations, methods=["POST"]),
        Route("/ping", ping),
        Route("/version", version),
    ]


def only_run(asking: Asking) -> str:
    """Return the name of the only run; 422 where there are several."""
    names = list(asking.runs)
    if len(names) > 1:
        raise Refused(422, f"this server has {len(names)} runs; name one as ?run={names[0]}, or /runs/{names[0]}/…")
    return names[0]


def rows_of(body: Any, names: list[str] | None, kind: str) -> Any:
    """Return a body of MLflow as rows, columns, images or series.

    Args:
        body: an object with one of `FORMS`, and perhaps `params`, which are not looked at.
        names: the columns that the run takes, for rows that are lists; None of images and series.
        kind: what the run takes.

    Example:
        >>> rows_of({"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}}, ["a", "b"], "table")
        [{'a': 1, 'b': 2}, {'a': 3, 'b': 4}]
        >>> rows_of({"instances": [[1, 2]]}, ["a", "b"], "table")
        [{'a': 1, 'b': 2}]
    """
    given = [form for form in FORMS if isinstance(body, Mapping) and form in body]
    if len(given) != 1:
        raise Refused(422, f"expected an object with one of {', '.join(FORMS)}, got {', '.join(given) or 'none'}")
    form, values = given[0], body[given[0]]
    if names is None:
        if form not in ("instances", "inputs"):
            raise Refused(422, f"the run takes {kind}: expected instances or inputs, a list of them")
        return {kind: values}
    if form == "dataframe_split":
        return _of_split(values)
    if form == "dataframe_records" and not isinstance(values, list):
        raise Refused(422, "dataframe_records: expected a list of rows")
    if isinstance(values, list) and values and all(isinstance(row, list) for row in values):
        return _of_split({"columns": names[: len(values[0])], "data": values})
    return values


def _of_split(values: Any) -> list[dict[str, Any]]:
    columns, data = (values.get(key) if isinstance(values, Mapping) else None for key in ("columns", "data"))
    if not isinstance(columns, list) or not isinstance(data, list) or not all(isinstance(n, str) for n in columns):
        raise Refused(422, 'dataframe_split: expected {"columns": [names], "data": [rows]}')
    if len(set(columns)) < len(columns):
        raise Refused(422, "dataframe_split: a column occurs twice")
    for number, row in enumerate(data, 1):
        if not isinstance(row, list) or len(row) != len(columns):
            raise Refused(422, f"row {number}: expected a list of {len(columns)} values, one for each column")
    return [dict(zip(columns, row, strict=True)) for row in data]
