from __future__ import annotations

import contextlib
import dataclasses
import json
import resource
import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.errors import RunError
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.curves import Curves
from shoal.evaluation.topics.replicas import ReplicaRow, Replicas
from shoal.results import Status
from shoal.runs.log import read_candidates, read_curves, read_meta, read_networks, read_replicas, write_log


def test_networks_come_back(tmp_path: Path, make_record: Any) -> None:
    frame = read_networks(write_log(tmp_path / "log.sqlite", make_record()))
    assert frame["id"].to_list() == [0, 1, 2, 3, 4, 5]
    assert frame["kept"].to_list() == [True, False, True, False, False, False]
    assert frame["kept"].dtype == pl.Boolean
    assert frame["train_loss"].to_list() == [0.5, None, 0.5, 0.5, 0.5, 0.5]
    assert frame["status"][1] == "diverged"
    assert json.loads(frame["candidate"][2]) == {
        "hidden": [8, 3],
        "activation": "relu",
        "learning_rate": 0.5,
        "dropout": 0.0,
    }


def test_candidates_have_their_mean_score_with_its_error(tmp_path: Path, make_record: Any) -> None:
    plain = make_record()
    networks = tuple(
        dataclasses.replace(n, candidate_id=n.id // 3, fold=n.id % 3, kept=n.id < 3, score=float(n.id))
        for n in plain[Candidates].networks
    )
    path = write_log(tmp_path / "log.sqlite", plain.having(Candidates(networks, 3)))
    candidates, members = read_candidates(path), read_networks(path)
    assert candidates.drop("candidate").to_dict(as_series=False) == {
        "id": [0, 1],
        "networks": [3, 3],
        "parameters": [30, 33],
        "score": [1.0, 4.0],
        "score_error": [pytest.approx(1 / np.sqrt(3))] * 2,
        "kept": [True, False],
    }
    assert members["fold"].to_list() == [0, 1, 2, 0, 1, 2]
    assert members["candidate_id"].to_list() == [0, 0, 0, 1, 1, 1]
    assert members["repeat"].to_list() == [0] * 6
    assert members["candidate"].to_list()[3:] == [candidates["candidate"][1]] * 3


def test_logs_of_format_1_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript("""
        PRAGMA user_version = 1;
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE candidates (id INTEGER PRIMARY KEY, status TEXT NOT NULL, parameters INTEGER, epochs INTEGER,
            best_epoch INTEGER, train_loss REAL, validation_loss REAL, validation_metric REAL, score REAL,
            kept INTEGER NOT NULL, candidate TEXT NOT NULL);
        CREATE TABLE curves (network INTEGER NOT NULL, epoch INTEGER NOT NULL, train_loss REAL, validation_loss REAL,
            metric REAL, PRIMARY KEY (network, epoch)) WITHOUT ROWID;
        INSERT INTO meta VALUES ('format', '1');
        INSERT INTO candidates VALUES (0, 'diverged', 9, 1, 1, NULL, 2.0, 0.5, 9e999, 0, '{"hidden": [2]}');
        INSERT INTO candidates VALUES (1, 'stopped early', 9, 1, 1, 1.0, 2.0, 0.5, 0.25, 1, '{"hidden": [3]}');
        INSERT INTO curves VALUES (1, 1, 1.0, 2.0, 0.5);
    """)
    connection.close()
    networks, candidates = read_networks(path), read_candidates(path)
    assert networks["candidate_id"].to_list() == [0, 1]
    assert networks["fold"].to_list() == [None, None]
    assert networks["status"].to_list() == ["diverged", "stopped early"]
    assert candidates["networks"].to_list() == [1, 1]
    assert candidates["score"].to_list() == [float("inf"), 0.25]
    assert candidates["score_error"].to_list() == [None, None]
    assert json.loads(candidates["candidate"][1]) == json.loads(networks["candidate"][1]) == {"hidden": [3]}
    assert read_curves(path).height == 1
    assert read_replicas(path).is_empty()
    assert read_meta(path) == {"format": "1"}


def test_replicas_come_back_draw_after_draw(tmp_path: Path, make_record: Any) -> None:
    rows = (
        ReplicaRow(2 << 20, 0, 1, Status.DIVERGED, 3, 0, float("nan"), float("nan"), False),
        ReplicaRow(1 << 20, 0, 0, Status.STOPPED_EARLY, 9, 4, 0.25, 0.5, True),
    )
    path = write_log(tmp_path / "log.sqlite", make_record().having(Replicas(rows)))
    assert read_replicas(path).to_dict(as_series=False) == {
        "id": [1 << 20, 2 << 20],
        "network": [0, 0],
        "draw": [0, 1],
        "status": ["stopped_early", "diverged"],
        "epochs": [9, 3],
        "best_epoch": [4, 0],
        "train_loss": [0.25, None],
        "validation_loss": [0.5, None],
        "kept": [True, False],
    }
    assert read_networks(path).height == 6


def test_format_2_had_no_replicas(tmp_path: Path, make_record: Any) -> None:
    path = write_log(tmp_path / "log.sqlite", make_record())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE replicas; PRAGMA user_version = 2;")
    of_today = write_log(tmp_path / "today.sqlite", make_record())
    assert read_replicas(path).schema == read_replicas(of_today).schema
    assert read_replicas(path).is_empty()
    for read in (read_networks, read_candidates, read_curves):
        assert read(path).equals(read(of_today))


def test_sentences_of_format_3_are_read_as_codes(tmp_path: Path, make_record: Any) -> None:
    path = write_log(tmp_path / "log.sqlite", make_record())
    of_today = read_networks(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            UPDATE networks SET status = 'stopped: the validation loss no longer improved'
                WHERE status = 'stopped_early';
            UPDATE networks SET status = 'diverged: the loss was no longer a finite number' WHERE status = 'diverged';
            PRAGMA user_version = 3;
        """)
    assert set(of_today["status"]) == {"stopped_early", "diverged"}
    assert read_networks(path).equals(of_today)


def test_curves_come_back_up_to_the_epoch_at_which_a_network_stopped(tmp_path: Path, make_record: Any) -> None:
    record = make_record()
    frame = read_curves(write_log(tmp_path / "log.sqlite", record))
    assert frame.columns == ["network", "epoch", "train_loss", "validation_loss", "metric"]
    assert frame.group_by("network", maintain_order=True).len()["len"].to_list() == [5, 5, 2, 5, 5, 5]
    third = frame.filter(pl.col("network") == 3)
    assert third["epoch"].to_list() == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(third["validation_loss"].to_numpy(), record[Curves].validation_loss[3])
    np.testing.assert_array_equal(third["metric"].to_numpy(), record[Curves].validation_metric[3])


def test_curves_follow_their_network_when_ids_are_out_of_order(tmp_path: Path, make_record: Any) -> None:
    record = make_record()
    curves = record[Curves]
    turned = record.having(
        Candidates(record[Candidates].networks[::-1]),
        dataclasses.replace(
            curves,
            train_loss=curves.train_loss[::-1],
            validation_loss=curves.validation_loss[::-1],
            validation_metric=curves.validation_metric[::-1],
        ),
    )
    write_log(tmp_path / "a.sqlite", record)
    write_log(tmp_path / "b.sqlite", turned)
    assert (tmp_path / "a.sqlite").read_bytes() == (tmp_path / "b.sqlite").read_bytes()


def test_empty_runs_have_empty_frames_of_the_same_types(tmp_path: Path, make_record: Any) -> None:
    empty = write_log(tmp_path / "empty.sqlite", make_record(networks=0, epochs=0))
    full = write_log(tmp_path / "full.sqlite", make_record())
    assert read_candidates(empty).schema == read_candidates(full).schema
    assert read_networks(empty).schema == read_networks(full).schema
    assert read_curves(empty).schema == read_curves(full).schema
    assert read_curves(empty).height == 0


def test_same_run_same_bytes(tmp_path: Path, make_record: Any) -> None:
    a, b = (write_log(tmp_path / name, make_record()).read_bytes() for name in ("a.sqlite", "b.sqlite"))
    assert a == b
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["a.sqlite", "b.sqlite"]


def test_any_sqlite_tool_reads_it(tmp_path: Path, make_record: Any) -> None:
    path = write_log(tmp_path / "log.sqlite", make_record())
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone() == ("4",)
    connection.close()
    assert read_meta(path) == {"format": "4", "metric": "accuracy", "seed": "3", "task": "classification"}


@pytest.mark.slow
def test_a_thousand_networks_are_written_in_two_seconds(tmp_path: Path, make_record: Any) -> None:
    record = make_record(networks=1000, epochs=300)
    start = time.process_time()
    path = write_log(tmp_path / "log.sqlite", record)
    assert time.process_time() - start < 2.0
    assert read_curves(path).height == 1000 * 300 - 298


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "table", "value"])
def test_damage_is_named(tmp_path: Path, make_record: Any, damage: str) -> None:
    path = write_log(tmp_path / "log.sqlite", make_record(networks=300, epochs=20))
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage in ("table", "value"):
        connection = sqlite3.connect(path)
        statement = "DROP TABLE curves" if damage == "table" else "UPDATE curves SET epoch = 'x' WHERE epoch = 3"
        connection.execute(statement)
        connection.commit()
        connection.close()
    else:
        path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "text": b"not a database" * 100}[damage])
    with pytest.raises(RunError, match=r"log\.sqlite' is (missing|damaged).*train the run again"):
        read_curves(path)
    assert path.exists() == (damage != "missing")


def test_newer_format_says_so(tmp_path: Path, make_record: Any) -> None:
    path = write_log(tmp_path / "log.sqlite", make_record())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 5")
    connection.close()
    with pytest.raises(RunError, match=r"newer shoal \(format 5; this one reads up to 4\)"):
        read_candidates(path)


def test_paths_with_odd_letters_are_read(tmp_path: Path, make_record: Any) -> None:
    path = write_log(tmp_path / "50% ö?#&" / "log.sqlite", make_record())
    assert read_candidates(path).height == 6


def test_a_disk_without_room_is_a_run_error(tmp_path: Path, make_record: Any) -> None:
    record = make_record(networks=500, epochs=300)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(RunError, match=r"cannot write '.*log\.sqlite'"):
            write_log(tmp_path / "log.sqlite", record)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
