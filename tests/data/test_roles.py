from __future__ import annotations

from pathlib import Path

import pytest

from shoal.data import Roles, roles_from_toml
from shoal.errors import DataError, SettingError


def test_one_name_may_stand_for_a_list() -> None:
    roles = Roles(target="y", y_err="s", ignored=("a", "b"))
    assert roles.target == ["y"]
    assert roles.y_err == ["s"]
    assert roles.ignored == ["a", "b"]


def test_replaced_keeps_what_is_not_given() -> None:
    roles = Roles(target=["y"], weight="w").replaced(target="z", weight=None, group="g")
    assert roles == Roles(target=["z"], weight="w", group="g")
    assert Roles().named() == {}
    assert roles.named() == {"target": ["z"], "weight": "w", "group": "g"}


@pytest.mark.parametrize(
    "text", ['target = "y"\nweight = "w"', '[roles]\ntarget = ["y"]\nweight = "w"'], ids=["top", "table"]
)
def test_toml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text, encoding="utf-8")
    assert roles_from_toml(path) == Roles(target=["y"], weight="w")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('targt = "y"', "no role 'targt'.*Did you mean 'target'"),
        ("weight = 3", "weight must be a column name"),
        ("target = [", "is not TOML"),
        ("roles = 3", "expected a table of roles, got 3"),
    ],
)
def test_toml_that_makes_no_sense(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingError, match=message):
        roles_from_toml(path)


def test_toml_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot read the roles file"):
        roles_from_toml(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (
            Roles(target="speces"),
            "no column 'speces' for the role target.*species, w.*Did you mean 'species'",
        ),
        (Roles(target="species", weight="species"), "'species' is given as target and as weight"),
        (Roles(target="species", features=["species"]), "'species' is given as target and as feature"),
        (Roles(target=["species", "a", "b"], y_err=["w", "x"]), "2 columns of target errors for 3 targets"),
    ],
)
def test_check(roles: Roles, message: str) -> None:
    with pytest.raises(DataError, match=message):
        roles.check(["species", "w", "x", "a", "b"])
