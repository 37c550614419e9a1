from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from shoal.errors import DataError, SettingError
from shoal.run import Run
from shoal.settings import FitSettings
from shoal.workbench.forms import in_panel
from shoal.workbench.state import ELSEWHERE, State, is_choice

CHOSEN = State("uploads/my file.csv", run="iris-1").changed(
    target=("y, too", "z"), where=("a > 1, b", "c < 2"), networks=8, learning_rate="0.001..0.01", hidden="8; 32,32",
    activation="relu; tanh", seal_test=True, network=None,
)  # fmt: skip


def test_a_link_holds_all_that_is_chosen() -> None:
    assert State.of(parse_qsl(CHOSEN.link(), keep_blank_values=True)) == CHOSEN


def test_what_is_no_setting_is_left_out_of_a_link() -> None:
    state = State.of(
        [("data", "iris"), ("nonsense", "1"), ("out", "/etc"), ("force", "true"), ("dask", "tcp://evil:1")]
    )
    assert state == State("iris")


def test_the_command_says_the_same() -> None:
    words = shlex.split(CHOSEN.changed(target=("y",)).command())
    assert words[:3] == ["shoal", "fit", "uploads/my file.csv"]
    assert words[words.index("--learning-rate") + 1] == "0.001..0.01"
    assert words[words.index("--hidden") + 1] == "8; 32,32"
    assert [words[i + 1] for i, word in enumerate(words) if word == "--where"] == ["a > 1, b", "c < 2"]


def test_the_script_is_python_that_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import shoal

    got: dict[str, object] = {}
    monkeypatch.setattr(shoal, "fit", lambda data, **settings: got.update(settings, data=data))
    exec(CHOSEN.script(), {})
    assert got.pop("data") == CHOSEN.data
    assert State(CHOSEN.data, {}).changed(**got).checked() == CHOSEN.checked()


def test_a_run_gives_its_state_back(iris_run: Run, tiny: dict[str, object]) -> None:
    state = State.of_run(iris_run.folder)
    assert state.data == "iris"
    assert state.checked().model_dump(exclude={"out"}) == FitSettings(**tiny).model_dump(exclude={"out"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "words"), [("", "no data"), ("none.csv", "no file"), ("s3://bucket/x.csv", "another machine")]
)
def test_data_that_are_not_there(data: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        State(data).source(tmp_path)


def test_nonsense_is_told_in_words() -> None:
    with pytest.raises(SettingError, match="networks"):
        State("iris").changed(networks="many").checked()


def test_each_setting_has_its_place_in_a_form() -> None:
    from shoal.setting_panels import PANELS

    placed = [name for panel in PANELS for name in in_panel(panel)]
    assert sorted(placed) == sorted(name for name in FitSettings.model_fields if name not in ELSEWHERE)
    assert all(is_choice(name) for name in placed)
