from __future__ import annotations

import datetime
import tomllib
from pathlib import Path

import numpy as np
import pytest

from shoal.errors import RunError
from shoal.runs.config_file import read_config, write_config


def test_what_was_written_is_read(tmp_path: Path) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=datetime.UTC)
    path = write_config(
        tmp_path,
        {"target": ("a b", 'q"uote'), "learning_rate": np.float64(1e-5), "l2": None, "roles": {"id": None}},
        data={"name": "Größe", "source": "C:\\x", "sha256": "ab"},
        versions={"numpy": "2.0"},
        command="shoal fit 'a b.csv'",
        created=moment,
    )
    config = read_config(tmp_path)
    assert config == tomllib.loads(path.read_text(encoding="utf-8"))
    assert config["format"] == 1
    assert config["created"] == moment.replace(microsecond=0)
    assert config["settings"] == {"target": ["a b", 'q"uote'], "learning_rate": 1e-5, "roles": {}}
    assert config["data"] == {"name": "Größe", "source": "C:\\x", "sha256": "ab"}
    assert config["command"] == "shoal fit 'a b.csv'"
    assert config["versions"] == {"numpy": "2.0"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"format = ", "not a TOML document"),
        (b"\xff", "not a TOML document"),
        (b"", "no format number"),
        (b"format = 2", r"newer shoal \(format 2"),
        (b"format = 1\nsettings = 3", r"\[settings\] is not a table"),
    ],
)
def test_damage_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(RunError, match=rf"config\.toml.*{message}"):
        read_config(tmp_path)
