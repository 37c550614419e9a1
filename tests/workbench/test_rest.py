from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shoal.run import Run
from shoal.workbench.jobs import Jobs

fastapi = pytest.importorskip("fastapi", reason="the workbench needs FastAPI")
httpx = pytest.importorskip("httpx", reason="requests are sent by httpx")

from shoal.workbench import asked, rest  # noqa: E402


@pytest.fixture
def client(tmp_path: Path) -> Any:
    app = fastapi.FastAPI()
    rest.mount(app, Jobs(tmp_path))
    asked.mount(app, Jobs(tmp_path))
    return Client(app)


class Client:
    """Sends requests to an app in this process."""

    def __init__(self, app: Any) -> None:
        self.transport = httpx.ASGITransport(app)

    def request(self, method: str, path: str, **more: Any) -> Any:
        async def send() -> Any:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **more)

        return asyncio.run(send())

    def put(self, path: str, **more: Any) -> Any:
        return self.request("PUT", path, **more)


def test_a_file_is_taken_under_a_safe_name(client: Any, tmp_path: Path) -> None:
    name = "%3Cb%3E..%5C..%5Cx y.csv"
    first = client.put(f"/api/files/{name}", content=b"a,b\n1,2\n").json()["data"]
    assert first == "uploads/x y.csv"
    assert client.put(f"/api/files/{name}", content=b"a,b\n1,2\n").json()["data"] == first
    assert client.put(f"/api/files/{name}", content=b"other").json()["data"] == "uploads/x y-2.csv"
    assert sorted(path.name for path in (tmp_path / "uploads").iterdir()) == ["x y-2.csv", "x y.csv"]


def test_a_file_that_is_too_large_is_refused_before_it_comes(client: Any, tmp_path: Path) -> None:
    answer = client.put("/api/files/x.csv", content=b"", headers={"content-length": "2000000001"})
    assert answer.status_code == 413
    assert "2 GB" in answer.text
    assert not (tmp_path / "uploads").exists()


def test_a_file_that_grows_too_large_leaves_nothing(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "LARGEST", 10)
    answer = client.put("/api/files/x.csv", content=_parts())
    assert answer.status_code == 413
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_full_disk_is_told(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    answer = client.put("/api/files/x.csv", content=b"123")
    assert answer.status_code == 507
    assert "disk" in answer.text


async def _parts() -> AsyncIterator[bytes]:
    yield b"12345678"
    yield b"12345678"


@pytest.mark.parametrize(
    ("method", "path", "code", "words"),
    [
        ("POST", "/api/jobs", 400, "no data are chosen"),
        ("POST", "/api/jobs?data=iris&networks=many", 400, "networks"),
        ("POST", "/api/jobs?data=http://evil/x.csv", 400, "another machine"),
        ("GET", "/api/jobs/none", 404, "not there"),
        ("POST", "/api/jobs/none/stop", 404, "not there"),
        ("GET", "/api/runs/..%2F..%2Fetc/files/passwd", 404, ""),
        ("GET", "/api/runs/none/files/..%2F..%2Fetc%2Fpasswd", 404, "no file"),
        ("GET", "/api/runs/none/model/c", 404, "not there"),
        ("GET", "/api/runs/none/model/exe", 400, "no format"),
        ("GET", "/api/runs/none/predictions/csv?data=x", 404, "no file"),
    ],
)
def test_nonsense_gets_a_sentence(client: Any, method: str, path: str, code: int, words: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, words in answer.text) == (code, True)


def test_a_run_is_asked_as_shoal_serve_asks_it(client: Any, iris_run: Run, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "iris").symlink_to(iris_run.path)
    row = dict.fromkeys(iris_run.preparation.input_columns, 1.5)
    assert client.request("GET", "/runs/iris").json()["takes"] == "table"
    answer = client.request("POST", "/runs/iris/predict", json=row)
    assert answer.json() == {"rows": iris_run.predict(row).frame().to_dicts()}
    answer = client.request("POST", "/runs/iris/invocations", json={"instances": [row]})
    assert len(answer.json()["predictions"]) == 1
    assert client.request("GET", "/v2/models/iris/ready").json()["ready"] is True
    refusals = [("iris", 422, "is missing"), ("none", 404, "no run folder"), (".x", 404, "no name of a run")]
    for name, status, words in refusals:
        refusal = client.request("POST", f"/runs/{name}/predict", json={})
        assert (refusal.status_code, words in refusal.json()["detail"]) == (status, True)


def test_few_runs_stay_in_memory_and_a_run_that_is_fitted_anew_is_read_anew(iris_run: Run, tmp_path: Path) -> None:
    from shoal.serve.asking import Asking
    from shoal.serve.limits import Limits

    asking = Asking({}, Limits())
    for name in ("a", "b", "c", "a"):
        asking.open(name, iris_run.path, most=2)
    assert list(asking.runs) == ["c", "a"]
    before = asking.run("a")
    asking.open("a", iris_run.path)
    assert asking.run("a") is before
    shutil.copytree(iris_run.path, tmp_path / "anew")
    asking.open("a", tmp_path / "anew")
    assert asking.run("a").run.name == "anew"
