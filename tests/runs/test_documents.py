from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.errors import RunError
from shoal.results import Status, Task
from shoal.runs.documents import json_text, plain, read_json

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(documents)
def test_json_text_reads_back_as_the_same(document: object) -> None:
    assert json.loads(json_text(document)) == document


def test_plain_makes_json_data_of_numpy_and_enums() -> None:
    given = {
        "a": np.array([[1.5, np.inf]]),
        "b": np.float32(0.5),
        "c": Task.REGRESSION,
        "d": Status.DIVERGED,
        "e": (True, np.bool_(False)),
        "f": {"z", "y"},
        5: -float("inf"),
    }
    assert plain(given) == {
        "a": [[1.5, None]],
        "b": 0.5,
        "c": "regression",
        "d": 3,
        "e": [True, False],
        "f": ["y", "z"],
        "5": None,
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a whole JSON document"),
        (b'{"format": 1, "a": [1, 2', "not a whole JSON document"),
        (b"\xff\xfe\x00", "not a whole JSON document"),
        (b"[" * 100_000, "not a whole JSON document"),
        (b"[1]", "not a JSON object"),
        (b"{}", "no format number"),
        (b'{"format": "1"}', "no format number"),
        (b'{"format": true}', "no format number"),
        (b'{"format": 0}', "no format number"),
        (b'{"format": 3}', r"newer shoal \(format 3; this one reads up to 2\). Update shoal"),
    ],
)
def test_damaged_documents_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match=rf"state\.json.*{message}"):
        read_json(path, 2, "Do this.")


def test_missing_and_unreadable_documents_are_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"gone\.json' is missing\. Do this\."):
        read_json(tmp_path / "gone.json", 1, "Do this.")
    with pytest.raises(RunError, match=r"cannot read .*Do this\."):
        read_json(tmp_path, 1, "Do this.")
