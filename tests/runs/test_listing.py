from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import RunError, ShoalWarning
from shoal.runs.folder import RunFolder
from shoal.runs.listing import list_runs, survey


@pytest.fixture
def root(tmp_path: Path, make_record: Any) -> Path:
    """Three finished runs; the last one made began first."""
    for day in (3, 2, 1):
        folder = RunFolder.create(None, "pond", tmp_path)
        folder.write_config({}, created=datetime.datetime(2026, 1, day, tzinfo=datetime.UTC))
        folder.write_metrics(make_record())
        (folder.path / "model").mkdir()
        (folder.path / "model" / "model.json").write_text("{}")
    return tmp_path


def test_runs_are_listed_oldest_first(root: Path) -> None:
    runs = list_runs(root)
    assert [run.name for run in runs] == ["pond-3", "pond-2", "pond-1"]
    run = runs[0]
    assert (run.data, run.task, run.target) == ("pond", "binary classification", ("species",))
    assert (run.score_name, run.networks, run.kept) == ("accuracy", 6, 2)
    assert run.score is not None
    assert (run.score.value, run.score.low, run.score.high) == (0.75, 0.5, 1.0)
    assert json.loads(json.dumps(run.as_dict()))["when"] == "2026-01-01T00:00:00+00:00"


def test_damaged_and_unfinished_runs_are_left_out_with_a_note(root: Path) -> None:
    (root / "pond-1" / "metrics.json").write_text("{")
    (root / "pond-2" / "model" / "model.json").unlink()
    (root / "other").mkdir()
    (root / "a file").write_text("")
    runs, notes = survey(root)
    assert [run.name for run in runs] == ["pond-3"]
    assert len(notes) == 3
    assert notes[0] == f"'other' in {str(root)!r}: no run."
    assert "metrics.json" in notes[1]
    assert "not finished" in notes[2]
    with pytest.warns(ShoalWarning) as caught:
        assert len(list_runs(root)) == 1
    assert sorted(str(w.message) for w in caught) == sorted(notes)


@pytest.mark.parametrize("missing", ["task", "test", "networks", "data", "target"])
def test_a_whole_file_without_its_numbers_is_damaged(root: Path, missing: str) -> None:
    path = root / "pond-1" / "metrics.json"
    metrics = json.loads(path.read_text())
    del metrics[missing]
    path.write_text(json.dumps(metrics))
    runs, notes = survey(root)
    assert len(runs) == 2
    assert "metrics.json' is damaged" in notes[0]


def test_an_unfinished_run_with_a_checkpoint_says_how_to_go_on(tmp_path: Path) -> None:
    folder = RunFolder.create(None, "pond", tmp_path)
    folder.write_config({})
    folder.save_checkpoint({}, {})
    _, (note,) = survey(tmp_path)
    assert note.endswith(f"`shoal fit --resume {folder.path}` goes on with it.")


def test_scores_that_are_null_are_listed(root: Path) -> None:
    path = root / "pond-1" / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["test"]["accuracy"]["low"] = None
    del metrics["sha256"]
    path.write_text(json.dumps(metrics))
    (run,) = [run for run in list_runs(root) if run.name == "pond-1"]
    assert run.score is not None
    assert run.score.low != run.score.low


def test_no_folder_is_no_runs_and_a_file_is_an_error(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "runs") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot list the runs"):
        list_runs(tmp_path / "file")
