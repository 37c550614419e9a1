from __future__ import annotations

import json
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.errors import RunError
from shoal.runs.arrays_file import arrays_to_bytes
from shoal.runs.documents import sha256
from shoal.runs.model_file import load_model, load_parts, save_model


class FakePredictor:
    """What `save_model` needs of a predictor."""

    def __init__(self, document: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.document, self.arrays = document, arrays

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return self.document, self.arrays

    @classmethod
    def from_parts(cls, document: dict[str, Any], arrays: dict[str, np.ndarray]) -> FakePredictor:
        assert isinstance(document["layers"], list)
        return cls(document, arrays)


ARRAYS = {
    "member0/0/kernel": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    "member0/0/bias": np.array([np.nan, -0.0, 1e-45], np.float32),
    "noise": np.array([0.1, 1e300]),
    "scalar": np.array(2.5),
    "none": np.zeros((0, 3), np.float32),
    "choice": np.array([1, -2], np.int32),
}
DOCUMENT = {"layers": [{"units": 3, "rate": 0.1 + 0.2}], "name": "Größe", "nan": float("nan"), "up": (1, 2)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_model(tmp_path / "model", FakePredictor(DOCUMENT, ARRAYS))


@pytest.fixture
def _fake_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("shoal.prediction.predictor")
    module.Predictor = FakePredictor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "shoal.prediction.predictor", module)


def test_everything_comes_back_bit_by_bit(folder: Path) -> None:
    document, arrays = load_parts(folder)
    assert document["layers"] == DOCUMENT["layers"]
    assert document["name"] == "Größe"
    assert np.isnan(document["nan"])
    assert sorted(arrays) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert arrays[name].tobytes() == array.tobytes()
        assert arrays[name].flags.writeable


def test_same_predictor_same_bytes(folder: Path, tmp_path: Path) -> None:
    turned = dict(reversed(ARRAYS.items()))
    other = save_model(tmp_path / "other", FakePredictor(DOCUMENT, turned))
    for name in ("model.json", "weights.safetensors"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    assert sorted(p.name for p in folder.iterdir()) == ["model.json", "weights.safetensors"]


def test_integer_keys_and_numpy_numbers_survive_their_checksum(tmp_path: Path) -> None:
    document = {"counts": {10: np.int64(1), 9: np.float32(0.5)}}
    found, _ = load_parts(save_model(tmp_path / "model", FakePredictor(document, {})))
    assert found == {"counts": {"10": 1, "9": 0.5}}


@pytest.mark.usefixtures("_fake_module")
def test_load_model_gives_the_predictor(folder: Path) -> None:
    predictor = load_model(folder)
    assert isinstance(predictor, FakePredictor)
    np.testing.assert_array_equal(predictor.arrays["choice"], [1, -2])


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "one byte", "a folder"])
def test_damage_names_the_file_and_what_to_do(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    data = path.read_bytes()
    if damage in ("missing", "a folder"):
        path.unlink()
        if damage == "a folder":
            path.mkdir()
    else:
        middle = len(data) // 2
        other = bytes([data[middle] ^ 1])
        path.write_bytes(
            {"empty": b"", "cut": data[:middle], "one byte": data[:middle] + other + data[middle + 1 :]}[damage]
        )
    with pytest.raises(RunError, match=rf"{name}.*Restore it from a copy, or train the run again"):
        load_parts(folder)


def test_newer_format_says_so(folder: Path) -> None:
    head = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**head, "format": 5}))
    with pytest.raises(RunError, match=r"model\.json.*newer shoal \(format 5.*Update shoal"):
        load_parts(folder)


class Bomb:
    """Its pickle ends the test by an error when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("code from the model file was run",))


def test_a_pickle_in_place_of_the_weights_is_not_run(folder: Path) -> None:
    bomb = pickle.dumps(Bomb())
    (folder / "weights.safetensors").write_bytes(bomb)
    with pytest.raises(RunError, match=r"weights\.safetensors.*SHA-256"):
        load_parts(folder)
    head = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**head, "weights_sha256": sha256(bomb)}))
    with pytest.raises(RunError, match=r"weights\.safetensors.*not a safetensors file"):
        load_parts(folder)


@pytest.mark.usefixtures("_fake_module")
def test_a_whole_document_of_another_shape_is_a_run_error(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", FakePredictor({"strange": 1}, ARRAYS))
    with pytest.raises(RunError, match=r"model\.json' does not describe a predictor.*KeyError: 'layers'"):
        load_model(folder)


def test_arrays_to_bytes_takes_slices(tmp_path: Path) -> None:
    whole = np.arange(12.0).reshape(3, 4)
    assert arrays_to_bytes({"a": whole[:, ::2]}) == arrays_to_bytes({"a": whole[:, ::2].copy()})


@pytest.mark.parametrize("target", ["y", "kind"])
def test_a_real_predictor_predicts_the_same_after_loading(tmp_path: Path, target: str) -> None:
    from shoal.data import Preparation, load_dataset
    from shoal.networks import Dense, Network
    from shoal.prediction.predictor import EnsembleMember, Predictor
    from shoal.streams import Stream

    x = np.linspace(-1.0, 1.0, 30)
    columns = {
        "x": np.where(x > 0.9, np.nan, x).tolist(),
        "colour": [("red", "grün", "blue")[i % 3] for i in range(30)],
        "y": (x**2).tolist(),
        "kind": [("big", "small")[i % 2] for i in range(30)],
    }
    dataset = load_dataset(columns, target=target, features=["x", "colour"])
    preparation = Preparation.fit(dataset, np.arange(20))
    last = Dense(2, activation="softmax") if target == "kind" else Dense(1)
    network = Network(
        [Dense(4, activation=("relu", "tanh", "gelu", "elu")), last],
        input_shape=(len(preparation.feature_names),),
    )
    members = tuple(
        EnsembleMember(i, {"hidden": [4], "l2": 1e-5}, network, network.initialize(Stream(0, i))) for i in range(2)
    )
    before = Predictor(preparation, members, np.array([0.1]), np.array([1.96]))
    after = load_model(save_model(tmp_path / "model", before))
    a, b = (p.predict(dataset.table.drop(target)).frame() for p in (before, after))
    assert a.equals(b)
    assert [m.candidate for m in after.members] == [m.candidate for m in members]
    assert [m.network for m in after.members] == [network, network]
