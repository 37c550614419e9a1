"""Requests of programs: jobs, files of runs and what is taken from them, uploads. All lie under `/api`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.background import BackgroundTask

from shoal.errors import RunError, ShoalError
from shoal.runs.listing import survey
from shoal.serve.app import refused
from shoal.serve.problems import Refused
from shoal.workbench import taking
from shoal.workbench.jobs import Job, Jobs
from shoal.workbench.state import State

UPLOADS = "uploads"
LARGEST = 2_000_000_000
"""Bytes of a file that is dropped; larger ones are better put into the folder."""
_POLICY = "sandbox; default-src 'self' 'unsafe-inline' data:"
_SPARE = 200_000_000  # bytes of the disk that uploads leave free


def mount(app: FastAPI, jobs: Jobs) -> None:
    """Add the requests to an app."""
    router, asked = APIRouter(prefix="/api"), Requests(jobs)
    router.add_api_route("/runs", asked.runs, methods=["GET"])
    router.add_api_route("/jobs", asked.jobs, methods=["GET"])
    router.add_api_route("/jobs", asked.start, methods=["POST"])
    router.add_api_route("/jobs/{run}", asked.job, methods=["GET"])
    router.add_api_route("/jobs/{run}/stop", asked.stop, methods=["POST"])
    router.add_api_route("/jobs/{run}/resume", asked.resume, methods=["POST"])
    router.add_api_route("/files/{name}", asked.upload, methods=["PUT"], response_model=None)
    router.add_api_route("/runs/{run}/files/{path:path}", asked.file, methods=["GET"], response_model=None)
    taken: dict[str, Callable[..., Any]] = {
        "/runs/{run}/model/{form}": asked.model,
        "/runs/{run}/figures/{form}": asked.figures,
        "/runs/{run}/predictions/{form}": asked.predictions,
        "/runs/{run}/archive": asked.archive,
    }
    for path, answer in taken.items():
        router.add_api_route(path, answer, methods=["GET"], response_model=None)
    app.include_router(router)
    app.add_exception_handler(ShoalError, _unusable)
    app.add_exception_handler(Refused, refused)


async def _unusable(request: Request, error: Exception) -> Response:
    return await refused(request, Refused(404 if isinstance(error, RunError) else 400, str(error)))


class Requests:
    """What is answered, from the runs of a working folder."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def runs(self) -> dict[str, Any]:
        """Return the finished runs, and notes on folders that hold none."""
        summaries, notes = survey(self._jobs.root)
        return {"runs": [summary.as_dict() for summary in summaries], "notes": notes}

    def jobs(self) -> list[dict[str, str]]:
        """Return all runs and how far they are, the newest first."""
        return [_plain(job) for job in self._jobs.all()]

    def job(self, run: str) -> dict[str, str]:
        """Return how far a run is."""
        return _plain(self._jobs.job(run))

    def start(self, request: Request) -> dict[str, str]:
        """Start the fit that the query says, as the link of a page does."""
        return self.job(self._jobs.start(State.of(request.query_params.multi_items())))

    def stop(self, run: str) -> dict[str, str]:
        """Ask a run to keep what is trained and to end."""
        self._jobs.stop(run)
        return self.job(run)

    def resume(self, run: str) -> dict[str, str]:
        """Go on with a run."""
        self._jobs.go_on(run)
        return self.job(run)

    def file(self, run: str, path: str) -> Response:
        """Return a file of a run."""
        folder = self._jobs.path(run).resolve()
        file = (folder / path).resolve()
        if not file.is_relative_to(folder) or not file.is_file():
            raise RunError(f"there is no file {path!r} in the run {run!r}.")
        # Pages of runs may be opened in the browser; nothing in them runs scripts.
        return FileResponse(file, headers={"Content-Security-Policy": _POLICY})

    async def model(self, run: str, form: str) -> Response:
        """Return the model of a run for another program."""
        return _taken(await taking.model(self._jobs, run, form))

    async def figures(self, run: str, form: str) -> Response:
        """Return the figures of a run, drawn again."""
        return _taken(await taking.figures(self._jobs, run, form))

    async def predictions(self, run: str, form: str, data: str) -> Response:
        """Return a file of the working folder with predictions."""
        return _taken(await taking.predictions(self._jobs, run, data, form))

    async def archive(self, run: str) -> Response:
        """Return the whole folder of a run."""
        return _taken(await taking.whole(self._jobs, run))

    async def upload(self, name: str, request: Request) -> Response:
        """Write the body into the folder of uploads, as it comes, and return the path for `data=`."""
        path = await receive(request, self._jobs.folder / UPLOADS, name)
        return JSONResponse({"data": path.relative_to(self._jobs.folder).as_posix()})


def _taken(file: Path) -> Response:
    """Send a file, then remove the folder in which it was made."""
    return FileResponse(file, filename=file.name, background=BackgroundTask(shutil.rmtree, file.parent, True))


def _plain(job: Job) -> dict[str, str]:
    return {"name": job.name, "status": str(job.status), "message": job.message, "link": job.link}


async def receive(request: Request, folder: Path, name: str) -> Path:
    """Write the body of a request into a file, whose name is taken as it is as far as it is safe.

    Raises:
        Refused: it is too large, or the disk is full.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal():
        check_room(int(announced), folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".upload-", dir=folder)
    except OSError as error:
        raise _no_room(error) from error
    size, done = 0, False
    try:
        with os.fdopen(handle, "wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > LARGEST:
                    check_room(size, folder)
                await asyncio.to_thread(file.write, chunk)
        path = _free(folder, safe_name(name), Path(part))
        os.chmod(part, 0o644)
        os.replace(part, path)
        done = True
    except OSError as error:
        raise _no_room(error) from error
    finally:
        if not done:
            with contextlib.suppress(OSError):
                os.unlink(part)
    return path


def check_room(size: int, folder: Path) -> None:
    """Raise Refused if a file is too large to be sent through a browser, or for the disk."""
    if size > LARGEST:
        raise Refused(
            413,
            f"the file has {size / 1e9:.3g} GB, and at most {LARGEST / 1e9:g} GB are taken through the browser. Put it "
            "into the working folder, and name it on the page Data.",
        )
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if size + _SPARE > free:
        raise Refused(507, f"the file has {size / 1e6:,.0f} MB, but the disk has only {free / 1e6:,.0f} MB left.")


def _no_room(error: OSError) -> Refused:
    return Refused(507, f"the file cannot be written: {error.strerror or error}.")


def safe_name(name: str) -> str:
    """Return the name of a file without what would lead elsewhere or hide it.

    >>> safe_name("../../etc/pass wd<b>.csv"), safe_name(".."), safe_name("-x.csv.gz")
    ('pass wd-b-.csv', 'data', 'x.csv.gz')
    """
    base = re.split(r"[/\\]", name)[-1]
    return re.sub(r'[\x00-\x1f<>:"|?*\[\]]+', "-", base).lstrip(".- ")[:120] or "data"


def _free(folder: Path, name: str, part: Path) -> Path:
    """Return where a file goes: beside one of the same name, unless that holds the same."""
    stem, dot, ending = name.partition(".")
    for number in range(1, 10_000):
        path = folder / (name if number == 1 else f"{stem}-{number}{dot}{ending}")
        if not path.exists() or _same(path, part):
            return path
    raise Refused(507, f"there are too many files named {name!r}.")


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        while True:
            left, right = a.read(1 << 20), b.read(1 << 20)
            if left != right:
                return False
            if not left:
                return True
