"""Runs on grouped rows: whatever draws rows anew draws groups, and the page says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import shoal
from shoal.run import Run

GROUPS, EACH = 60, 8


@pytest.fixture(scope="module")
def table() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(GROUPS), EACH)
    x = random.normal(size=len(group))
    y = x + 2.0 * random.normal(size=GROUPS)[group] + 0.1 * random.normal(size=len(group))
    return {"x": x, "y": y, "plot": np.char.add("p", group.astype(str))}


@pytest.fixture(scope="module")
def run(table: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("groups") / "run"
    small = {"networks": 1, "hidden": (4,), "epochs": 5, "progress": False}
    return shoal.fit(table, target="y", features="x", group="plot", out=str(folder), **small)


def test_scores_of_all_parts_draw_groups(run: Run) -> None:
    for part in ("train", "validation", "test"):
        assert run.metrics[part]["mae"]["method"] == "cluster bootstrap"
    for scores in run.metrics["baselines"].values():
        assert scores["mae"]["method"] == "cluster bootstrap"


def test_the_page_says_that_groups_were_drawn(run: Run) -> None:
    page = Path(run.report()).read_text()
    assert "the percentile bootstrap of whole groups, the rows with the same plot" in page


def test_labelled_rows_are_scored_by_group(run: Run, table: dict[str, np.ndarray]) -> None:
    other = {**table, "y": table["y"] + 0.01}
    together = run.evaluate(other)["mae"]
    alone = run.evaluate({name: other[name] for name in ("x", "y")})["mae"]
    assert together.method == "cluster bootstrap"
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_runs_on_groups_are_compared_by_group(run: Run, tmp_path: Path) -> None:
    kept = run.folder.scored("test")
    assert kept.groups is not None
    assert np.bincount(kept.groups).tolist() == [EACH] * (GROUPS // 5)
    copy = shutil.copytree(run.path, tmp_path / "copy")
    scores = shoal.compare(run, str(copy)).scores.values()
    assert all(of_run["mae"].method == "cluster bootstrap" for of_run in scores)
