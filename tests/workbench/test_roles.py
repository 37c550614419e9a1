from __future__ import annotations

import numpy as np
import pytest

from shoal.data.columns import Column, Kind
from shoal.errors import SettingError
from shoal.workbench.roles import CHOICES, with_role
from shoal.workbench.state import State

COLUMNS = [
    Column("a", Kind.NUMBER, "feature"),
    Column("b", Kind.NUMBER, "feature"),
    Column("w", Kind.NUMBER, "weight"),
    Column("n", Kind.IDENTIFIER, "dropped"),
    Column("y", Kind.NUMBER, "target"),
]


def changed(state: State, name: str, role: str) -> State:
    return state.changed(**with_role(state, COLUMNS, name, role))


def test_every_role_can_be_given_and_taken_back() -> None:
    for role in CHOICES:
        state = changed(State("x.csv").changed(target=("y",)), "a", role)
        assert changed(state, "a", "feature").settings.get("target", ("y",)) == ("y",) or role == "target"
        back = changed(state, "a", "ignored")
        assert back.settings["ignore"] == ("a",)
        assert "a" not in back.settings.get("target", ())


def test_two_targets() -> None:
    assert changed(State("x.csv"), "a", "also target").settings == {"target": ("y", "a")}


def test_what_was_left_out_by_itself_becomes_a_feature() -> None:
    assert changed(State("x.csv"), "n", "feature").settings == {"features": ("a", "b", "n")}


def test_the_only_target_stays() -> None:
    with pytest.raises(SettingError, match="another column the target"):
        with_role(State("x.csv"), COLUMNS, "y", "feature")


def test_names_are_never_read_as_markup() -> None:
    from shoal.workbench.drawings import matrix

    assert "<script>" not in matrix(["<script>", "b"], np.eye(2))
