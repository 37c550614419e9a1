"""The runs of the working folder, asked as `shoal serve` is asked: each is read when it is first asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shoal.errors import RunError, ShoalError
from shoal.serve.adapters import mlflow, open_inference
from shoal.serve.app import run_routes
from shoal.serve.asking import Asking
from shoal.serve.limits import Limits
from shoal.serve.problems import Refused
from shoal.workbench.jobs import Jobs

Endpoint = Callable[[Request], Awaitable[Response]]


def mount(app: FastAPI, jobs: Jobs) -> None:
    """Add to an app the paths of `shoal serve` that name a run."""
    asking = Asking({}, Limits())
    routes = [*run_routes(asking), *mlflow.routes(asking), *open_inference.routes(asking)]
    for route in (route for route in routes if "{name}" in route.path):
        endpoint = _opening(asking, jobs, route.endpoint)
        app.router.routes.append(Route(route.path, endpoint, methods=list(route.methods or ())))


def _opening(asking: Asking, jobs: Jobs, answer: Endpoint) -> Endpoint:
    async def opening(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            await asking.in_thread(asking.open, name, jobs.path(name))
            return await answer(request)
        except RunError as error:
            raise Refused(404, str(error)) from None
        except ShoalError as error:
            raise Refused(422, str(error)) from None

    return opening
