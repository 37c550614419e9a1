from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from shoal.errors import RunError
from shoal.runs import checkpoint
from shoal.runs.checkpoint import has_checkpoint, load_checkpoint, remove_checkpoint, save_checkpoint
from shoal.runs.documents import sealed


def test_the_last_checkpoint_comes_back_and_is_alone(tmp_path: Path) -> None:
    assert not has_checkpoint(tmp_path)
    for epoch in (1, 2):
        save_checkpoint(tmp_path, {"epoch": epoch, "seen": [1, 2]}, {"w": np.full(3, epoch, np.float32)})
    assert has_checkpoint(tmp_path)
    meta, arrays = load_checkpoint(tmp_path)
    assert meta == {"epoch": 2, "seen": [1, 2]}
    np.testing.assert_array_equal(arrays["w"], np.full(3, 2, np.float32))
    assert len(list((tmp_path / "checkpoint").iterdir())) == 2


def test_an_interruption_between_the_two_files_leaves_the_previous_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, {"epoch": 1}, {"w": np.ones(3)})
    write = checkpoint.write_atomically

    def stop_at_the_state(path: Path, content: bytes | str) -> Path:
        if path.name == "state.json":
            raise KeyboardInterrupt("stop")
        return write(path, content)

    monkeypatch.setattr(checkpoint, "write_atomically", stop_at_the_state)
    with pytest.raises(KeyboardInterrupt, match="stop"):
        save_checkpoint(tmp_path, {"epoch": 2}, {"w": np.zeros(3)})
    monkeypatch.undo()
    meta, arrays = load_checkpoint(tmp_path)
    assert (meta["epoch"], arrays["w"].sum()) == (1, 3.0)
    save_checkpoint(tmp_path, {"epoch": 3}, {"w": np.full(3, 2.0)})
    assert len(list((tmp_path / "checkpoint").iterdir())) == 2


def test_damage_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"state\.json' is missing.*Start it again"):
        load_checkpoint(tmp_path)
    save_checkpoint(tmp_path, {}, {"w": np.ones(3)})
    (arrays,) = (tmp_path / "checkpoint").glob("*.safetensors")
    data = arrays.read_bytes()
    arrays.write_bytes(data[:-1])
    with pytest.raises(RunError, match=rf"{arrays.name}.*damaged.*delete its checkpoint folder"):
        load_checkpoint(tmp_path)
    arrays.unlink()
    with pytest.raises(RunError, match=rf"{arrays.name}' is missing"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["../outside.safetensors", "/outside.safetensors", 3, None])
def test_the_state_cannot_name_files_elsewhere(tmp_path: Path, name: object) -> None:
    save_checkpoint(tmp_path, {}, {"w": np.ones(3)})
    path = tmp_path / "checkpoint" / "state.json"
    path.write_text(json.dumps(sealed({**json.loads(path.read_text()), "arrays": name})))
    with pytest.raises(RunError, match=r"state\.json' is damaged: it names no arrays"):
        load_checkpoint(tmp_path)


def test_what_an_older_shoal_left_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, {}, {"w": np.ones(3)})
    path = tmp_path / "checkpoint" / "state.json"
    path.write_text(json.dumps(sealed({**json.loads(path.read_text()), "format": 1})))
    with pytest.raises(RunError, match=r"state\.json' was left by an older shoal.*delete its checkpoint folder"):
        load_checkpoint(tmp_path)


def test_removing_leaves_the_users_files(tmp_path: Path) -> None:
    remove_checkpoint(tmp_path)
    save_checkpoint(tmp_path, {}, {"w": np.ones(3)})
    (tmp_path / "checkpoint" / "mine.txt").write_text("mine")
    remove_checkpoint(tmp_path)
    assert [p.name for p in (tmp_path / "checkpoint").iterdir()] == ["mine.txt"]
    (tmp_path / "checkpoint" / "mine.txt").unlink()
    remove_checkpoint(tmp_path)
    assert not (tmp_path / "checkpoint").exists()
