"""A real process on a real port: signals, links turned under load, workers, clients without manners."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shoal.run import Run

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and signals as on Unix")

ROW = {"sepal length (cm)": 5.1, "sepal width (cm)": 3.5, "petal length (cm)": 1.4, "petal width (cm)": 0.2}
TOKEN = "a" * 48


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Give a process of `shoal serve` and its port once it answers."""
    command = [sys.executable, "-m", "shoal", "serve", "--port", "0", *arguments]
    environment = {**os.environ, "SHOAL_TOKEN": TOKEN}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    try:
        port = 0
        for line in process.stderr:
            if match := re.search(r"127\.0\.0\.1:(\d+)", line):
                port = int(match[1])
                break
        assert port, process.stderr.read()
        while process.poll() is None:
            with contextlib.suppress(OSError):
                if ask(port, "GET", "/health")[0] == 200:
                    break
        yield process, port
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Load:
    """Threads that ask one after the other, until they are stopped."""

    def __init__(self, port: int, path: str, threads: int = 4) -> None:
        self.statuses: list[int] = []
        self._port, self._path, self._stopped = port, path, threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def _ask(self) -> None:
        while not self._stopped.is_set():
            try:
                self.statuses.append(ask(self._port, "POST", self._path, [ROW] * 3)[0])
            except (OSError, http.client.HTTPException):
                self.statuses.append(0)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


def test_a_link_is_turned_under_load_without_a_dropped_request_and_ctrl_c_ends_it(
    iris_run: Run, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        shutil.copytree(iris_run.path, tmp_path / name)
    live = tmp_path / "live"
    live.symlink_to(tmp_path / "first")
    with serving(str(live)) as (process, port):
        served = set()
        with Load(port, "/runs/live/predict") as load:
            for target in ("second", "first", "second"):
                (tmp_path / "new").symlink_to(tmp_path / target)
                os.replace(tmp_path / "new", live)
                while (name := json.loads(ask(port, "GET", "/runs/live")[1])["run"]) != target:
                    time.sleep(0.05)
                served.add(name)
        assert served == {"first", "second"}
        assert load.statuses
        assert set(load.statuses) == {200}
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.slow
def test_the_answers_are_those_that_openapi_describes(
    mixed_run: Run, mixed_table: pl.DataFrame, image_run: Run, tmp_path: Path
) -> None:
    """All operations and checks of schemathesis; `SHOAL_EXAMPLES=1000` asks at length."""
    pytest.importorskip("schemathesis", reason="schemathesis asks")
    mixed_table.drop("y").write_parquet(tmp_path / "rows.parquet")
    environment = {
        **os.environ, "SHOAL_ROWS": str(tmp_path / "rows.parquet"), "SCHEMATHESIS_HOOKS": "openapi_hooks",
        "PYTHONPATH": str(Path(__file__).parent),
    }  # fmt: skip
    with serving(f"mixed={mixed_run.path}", f"pictures={image_run.path}") as (_, port):
        asked = subprocess.run(
            [
                sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "--no-color", "run",
                f"http://127.0.0.1:{port}/openapi.json", "-H", f"Authorization: Bearer {TOKEN}", "--seed", "1",
                "--generation-deterministic", "-n", os.environ.get("SHOAL_EXAMPLES", "5"),
            ],
            capture_output=True, text=True, env=environment, cwd=tmp_path,
        )  # fmt: skip
    assert asked.returncode == 0, asked.stdout + asked.stderr


def test_what_is_under_way_is_answered_before_the_end(iris_run: Run) -> None:
    with serving(f"iris={iris_run.path}") as (process, port):
        got: list[int] = []
        body = {name: [value] * 30_000 for name, value in ROW.items()}
        thread = threading.Thread(target=lambda: got.append(ask(port, "POST", "/runs/iris/predict", body)[0]))
        thread.start()
        time.sleep(0.15)
        process.terminate()
        thread.join()
        assert got == [200]
        assert process.wait(30) in (0, -signal.SIGTERM)


def test_a_taken_port_and_a_missing_run_are_said_without_a_traceback(
    iris_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    from shoal.cli import main

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, text in (
            ([str(iris_run.path), "--port", port], "another program has it"),
            (["runs/no-such", "--port", "0"], "there is no run folder"),
            (["runs/no-such", "--port", "0", "--workers", "2"], "there is no run folder"),
            ([str(iris_run.path), f"{iris_run.path.name}={iris_run.path}"], "two runs are called"),
            ([str(iris_run.path), "--base-url", "a b"], "expected a path"),
            ([str(iris_run.path), "--host", "no.such.invalid"], "no such address"),
        ):
            assert main(["serve", *arguments]) == 2
            said = capsys.readouterr().err
            assert text in said
            assert "Traceback" not in said


def test_a_run_is_read_once_and_named_once_it_is_read(
    iris_run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from shoal import run
    from shoal.cli import main
    from shoal.serve import server

    reads: list[Path] = []
    read = run.run_in
    monkeypatch.setattr(run, "run_in", lambda folder: reads.append(folder.path) or read(folder))
    monkeypatch.setattr(server, "_run", lambda *_: None)
    assert main(["serve", str(iris_run.path), "--port", "0"]) == 0
    assert reads == [iris_run.path]
    assert "http://127.0.0.1:" in capsys.readouterr().err


@pytest.mark.slow
def test_workers_share_their_counters_and_one_that_dies_is_started_again(iris_run: Run) -> None:
    with serving(f"iris={iris_run.path}", "--workers", "2") as (process, port):
        for _ in range(20):
            assert ask(port, "POST", "/runs/iris/predict", ROW)[0] == 200
        counts = {
            ask(port, "GET", "/metrics")[1].decode().split('shoal_rows_total{run="iris"} ')[1][:3] for _ in range(8)
        }
        assert counts == {"20\n"}
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.is_file():
            pytest.skip("processes are not listed here")
        before = workers(process.pid)
        os.kill(before[0], signal.SIGKILL)
        while len(set(workers(process.pid)) - set(before)) < 1:
            time.sleep(0.1)
        assert ask(port, "POST", "/runs/iris/predict", ROW)[0] == 200
        process.terminate()
        assert process.wait(60) == 0


def workers(pid: int) -> list[int]:
    """The processes that serve, without the one that tracks resources for them."""
    found = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [each for each in found if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


def test_clients_that_say_nothing_are_let_go(iris_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn

    from shoal.serve import server
    from shoal.serve.address import listen

    monkeypatch.setattr(server, "_HEADERS_WITHIN", 0.3)
    app = server.guarded_app(server.Service({"iris": str(iris_run.path)}, TOKEN))
    config = uvicorn.Config(app, log_config=None, ws="none", http=server._patient_protocol())
    running = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            for said in (b"", b"POST /runs/iris/predict HTTP/1.1\r\nHost: 127"):
                with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                    client.sendall(said)
                    assert client.recv(1000) == b""
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as kept:
                for pause in (0.5, 0.0):  # between two requests there is more patience
                    kept.request("GET", "/health")
                    assert kept.getresponse().read() == b'{"status":"ok"}'
                    time.sleep(pause)
        finally:
            running.should_exit = True
            thread.join()
