from __future__ import annotations

from pathlib import Path

import pytest

from shoal.data import load_dataset
from shoal.errors import DataError


def test_a_file_without_suffix_does_not_win_over_a_built_in_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("damped_oscillation").write_text("x,y\n", encoding="utf-8")
    assert load_dataset("damped_oscillation").source == "built in"


@pytest.mark.parametrize(("name", "hint"), [("irs", "Did you mean 'iris'"), ("qqq", "built in are: iris, wine")])
def test_a_name_that_is_nothing(name: str, hint: str) -> None:
    with pytest.raises(DataError, match=f"no file and no built-in data set '{name}'.*{hint}"):
        load_dataset(name)
