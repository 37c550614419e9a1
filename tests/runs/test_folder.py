from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.errors import RunError
from shoal.runs import metrics_file
from shoal.runs.folder import RunFolder
from shoal.runs.log import read_curves
from shoal.runs.new_folder import slug


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_numbers_go_on(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "runs"
    assert [RunFolder.create(None, "iris", root).name for _ in range(3)] == ["iris-1", "iris-2", "iris-3"]
    (root / "iris-2").rmdir()
    assert RunFolder.create(None, "iris", root).name == "iris-4"
    (root / "iris-x").mkdir()
    (root / "iris-12").write_text("a file takes its number too")
    assert RunFolder.create(None, "iris", root).name == "iris-13"
    assert RunFolder.create(None, "iris-1", root).name == "iris-1-1"
    assert RunFolder.create(None, "data/my file.csv", root).path == root / "my-file-1"


def test_runs_that_start_at_once_get_their_own_folders(tmp_path: Path) -> None:
    made: list[str] = []
    gate = threading.Barrier(8)

    def start() -> None:
        gate.wait()
        made.append(RunFolder.create(None, "iris", tmp_path).name)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8


def test_numbers_are_read_once_for_all_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.create(tmp_path / "run", "iris")
    folder.write_config({"seed": 0}, data={"sha256": "ab"})
    (folder.path / "metrics.json").write_text("{}")
    read: list[Any] = []
    monkeypatch.setattr(metrics_file, "read_metrics", lambda path: read.append(path) or {})
    for _ in range(3):
        assert folder.config["settings"] == {"seed": 0}
    assert len(read) == 1
    (folder.path / "metrics.json").write_text("{ }")
    assert folder.config["settings"] == {"seed": 0}
    assert len(read) == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("iris", "iris"),
        ("a/b.c/data.csv", "data"),
        ("data.v2.csv.gz", "data.v2"),
        ("../..", "run"),
        ("", "run"),
        ("/", "run"),
        (".hidden", "hidden"),
        ("x" * 300, "x" * 80),
        ("a\x00b:c*d", "a-b-c-d"),
    ],
)
def test_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_an_exact_folder_may_be_new_or_empty(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "mine"
    assert RunFolder.create(path, "iris").path == path
    assert RunFolder.create(path, "iris").path == path


def test_a_folder_with_content_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match=r"exists and is not empty.*--out.*--force"):
        RunFolder.create(tmp_path, "iris")
    with pytest.raises(RunError, match=r"holds no run \(config.toml is missing\)"):
        RunFolder.create(tmp_path, "iris", force=True)
    assert names(tmp_path) == ["thesis.tex"]


def test_force_replaces_a_run_and_keeps_the_users_files(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", "iris")
    folder.write_config({})
    folder.save_checkpoint({}, {"w": np.ones(1)})
    for part in ("figures", "model"):
        (folder.path / part).mkdir()
        (folder.path / part / "x").write_text("")
    for part in ("notes.txt", "report.html", "metrics.json", "log.sqlite"):
        (folder.path / part).write_text("")
    with pytest.raises(RunError, match="exists and is not empty"):
        RunFolder.create(folder.path, "iris")
    RunFolder.create(folder.path, "iris", force=True)
    assert names(folder.path) == ["notes.txt"]


def test_force_does_not_follow_links_out_of_the_folder(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("")
    folder = RunFolder.create(tmp_path / "run", "iris")
    folder.write_config({})
    (folder.path / "figures").symlink_to(elsewhere)
    RunFolder.create(folder.path, "iris", force=True)
    assert names(elsewhere) == ["precious"]
    assert names(folder.path) == []


def test_places_that_cannot_hold_a_folder_are_run_errors(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(RunError, match=r"file' is a file; expected a new folder"):
        RunFolder.create(file, "iris")
    with pytest.raises(RunError, match=r"cannot write .*hoose another folder"):
        RunFolder.create(file / "below", "iris")
    with pytest.raises(RunError, match=r"cannot write .*hoose another folder"):
        RunFolder.create(None, "iris", root=file)


def test_open_says_what_is_wrong(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "iris-1", "iris").write_config({"seed": 1})
    with pytest.raises(RunError, match=r"no run folder '.*iris-l'. Did you mean '.*iris-1'\?"):
        RunFolder.open(tmp_path / "iris-l")
    with pytest.raises(RunError, match="is a file; expected the folder of a run"):
        RunFolder.open(tmp_path / "iris-1" / "config.toml")
    with pytest.raises(RunError, match=r"is not a run folder: it holds no config\.toml"):
        RunFolder.open(tmp_path)
    (tmp_path / "iris-1" / "config.toml").rename(tmp_path / "iris-1" / "metrics.json")
    with pytest.raises(RunError, match=r"config\.toml' is missing"):
        RunFolder.open(tmp_path / "iris-1")
    (tmp_path / "iris-1" / "config.toml").write_text("format = 7")
    with pytest.raises(RunError, match=r"config\.toml' was written by a newer shoal"):
        RunFolder.open(tmp_path / "iris-1")


def test_parts_that_are_missing_are_named(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "iris")
    folder.write_config({"seed": 1})
    again = RunFolder.open(tmp_path)
    assert again.config["settings"] == {"seed": 1}
    assert not again.finished
    with pytest.raises(RunError, match=r"metrics\.json' is missing"):
        again.metrics()
    with pytest.raises(RunError, match=r"log\.sqlite' is missing"):
        read_curves(again.log)


def test_a_run_that_came_to_nothing_leaves_no_folder(tmp_path: Path) -> None:
    empty, settings, begun, noted = (RunFolder.create(None, name, tmp_path) for name in "abcd")
    for folder in (settings, begun, noted):
        folder.write_config({})
        folder.figures.mkdir()
    begun.save_checkpoint({}, {})
    (noted.path / "notes.txt").write_text("mine")
    for folder in (empty, settings, begun, noted):
        folder.remove_if_unused()
    assert names(tmp_path) == ["c-1", "d-1"]
    assert names(noted.path) == ["notes.txt"]
    assert begun.has_checkpoint
    begun.remove_checkpoint()
    assert names(begun.path) == ["config.toml", "figures"]
    settings.remove_if_unused()  # gone already


def test_a_checkpoint_of_a_run_with_other_settings_is_refused(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", "iris")
    folder.write_config({"seed": 1}, data={"sha256": "a"})
    folder.save_checkpoint({"epoch": 3}, {"w": np.ones(3)})
    folder.write_config({"seed": 1, "minutes": 2.0, "networks": 64, "out": "x"}, data={"sha256": "a"})
    assert folder.load_checkpoint()[0] == {"epoch": 3}
    for settings, data in (({"seed": 2}, "a"), ({"seed": 1}, "b")):
        folder.write_config(settings, data={"sha256": data})
        with pytest.raises(RunError, match=r"config\.toml' is damaged, changed, or of another run: the checkpoint"):
            folder.load_checkpoint()
