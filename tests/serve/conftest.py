"""Small runs, and a client that speaks ASGI, so that most tests need neither a port nor an HTTP library."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.run import Run

collect_ignore = ["openapi_hooks.py"]  # schemathesis imports it
QUICK: dict[str, Any] = {
    "networks": 2, "hidden": (4,), "epochs": 3, "batch_size": 16, "activation": "tanh", "feature_encoding": "plain",
}  # fmt: skip


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks an ASGI app."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get(self, path: str, **headers: str) -> Reply:
        return asyncio.run(self.ask("GET", path, b"", headers))

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        """Send bytes as they are, and anything else as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return asyncio.run(self.ask("POST", path, raw, {"content_type": "application/json", **headers}))

    async def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        from urllib.parse import unquote

        where, _, query = path.partition("?")
        sent: list[dict[str, Any]] = []
        given = {"host": "127.0.0.1:8888", **headers}
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": unquote(where), "scheme": "http",
            "raw_path": where.encode(), "query_string": query.encode(), "root_path": "", "server": ("127.0.0.1", 8888),
            "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"},
            "headers": [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in given.items()],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        names = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], names, b"".join(message.get("body", b"") for message in sent))


def _client_of(**runs: Any) -> Client:
    """Return a client of an app that serves runs."""
    pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
    from shoal.serve.app import build_app

    return Client(build_app({name: Path(run.path) for name, run in runs.items()}, renew_every=0))


@pytest.fixture(scope="session")
def quick() -> dict[str, Any]:
    """Settings of a small fit."""
    return dict(QUICK)


@pytest.fixture(scope="session")
def client_of() -> Callable[..., Client]:
    """Return a client of an app that serves runs, by their names."""
    return _client_of


@pytest.fixture(scope="session")
def client_for() -> type[Client]:
    """Return what asks any app."""
    return Client


@pytest.fixture(scope="session")
def iris_client(iris_run: Run) -> Client:
    return _client_of(iris=iris_run)


@pytest.fixture(scope="session")
def mixed_table() -> pl.DataFrame:
    """Rows with each kind of column, names with odd letters, errors and a unit."""
    random = np.random.default_rng(1)
    rows = 80
    mass = random.uniform(1.0, 9.0, rows)
    colour = random.choice(["red", "green", "blue"], rows)
    day = random.integers(1, 28, rows)
    return pl.DataFrame(
        {
            "mass [kg]": mass,
            'odd "näme"/&?': random.normal(size=rows),
            "colour": colour,
            "hot": random.uniform(size=rows) > 0.5,
            "level": random.choice([1.0, 2.0, 3.0], rows),
            "when": [f"2025-03-{each:02d}" for each in day],
            "dm": random.uniform(0.1, 0.2, rows),
            "y": mass + (colour == "red") + 0.1 * day,
            "dy": random.uniform(0.1, 0.3, rows),
        }
    )


@pytest.fixture(scope="session")
def image_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on 40 images of 8 by 8 pixels, of two classes."""
    images = np.random.default_rng(3).integers(0, 255, (40, 8, 8), np.uint8)
    return shoal.fit(
        (images, np.arange(40) % 2), networks=1, epochs=1, batch_size=16,
        out=str(tmp_path_factory.mktemp("pictures") / "run"),
    )  # fmt: skip


@pytest.fixture(scope="session")
def mixed_run(mixed_table: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return shoal.fit(
        mixed_table, target="y", y_err="dy", x_err="mass [kg]=dm", replicas=None,
        out=str(tmp_path_factory.mktemp("m") / "mixed"), **QUICK,
    )  # fmt: skip
