"""What the help says of settings that are not given is what a fit does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import shoal
from shoal.cli.from_settings import parameter
from shoal.results import Task
from shoal.search.defaults import unless_fixed
from shoal.settings import FitSettings, check_settings, default_in_words
from shoal.steps.folding import FEWEST_CANDIDATES
from shoal.steps.proposing import (
    NETWORKS,
    NETWORKS_IN_A_BUDGET,
    NETWORKS_ON_SIGNALS,
    SIGNALS_IN_A_BUDGET,
    choose_space,
    count_candidates,
)
from shoal.training.hyperparameters import Hyperparameters

SHAPES: dict[str, Any] = {
    "tables": (5,), "series": (40, 2), "images": (16, 16, 1), "forecasts": (40, 2), "reconstructions": (5,)
}  # fmt: skip
ROWS = (60, 450, 3_000, 8_000, 60_000)
NAMES = list(Hyperparameters.model_fields)


def drawn(kind: str, name: str, rows: int, **given: Any) -> set[str]:
    """Return the values that candidates of a fit have, as the help writes them."""
    one = {"reconstructions": [Task.RECONSTRUCTION], "forecasts": [Task.REGRESSION]}
    tasks = one.get(kind, [Task.CLASSIFICATION, Task.REGRESSION])
    settings = check_settings({**given, "reconstruct": True} if kind == "reconstructions" else given)
    spaces = [choose_space(rows, task, settings, SHAPES[kind], forecast=kind == "forecasts") for task in tasks]
    candidates = [space.candidate(3, number) for space in spaces for number in range(settings.networks or 40)]
    return {written(getattr(candidate, name)) for candidate in candidates}


def written(value: Any) -> str:
    if value in (None, False, ""):
        return "0" if value == 0 and type(value) is float else "none"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def said_of(name: str, kind: str) -> str:
    """Return the part of the help that is for a kind of data where networks are searched."""
    parts = [part for part in unless_fixed(name).split("; ") if not part.startswith("with --networks 1")]
    of_kind = [part for part in parts if " for " not in part or kind in part.split(" for ")[1].split(", ")]
    return (of_kind[0].split(" for ")[0].removeprefix("default: ") if of_kind else "") or "none"


@pytest.mark.parametrize("name", NAMES)
def test_the_help_says_which_hyperparameters_are_searched_and_what_the_others_are(name: str) -> None:
    for kind in SHAPES:
        said = said_of(name, kind)
        values = [drawn(kind, name, rows) for rows in ROWS]
        if said == "searched":
            assert len(set.union(*values)) > 1, kind
        elif said == "chosen by the number of rows":
            assert len(set.union(*values)) > 1, kind
            assert all(len(drawn(kind, name, rows, seed=1)) <= 2 for rows in ROWS)  # one for each task
        else:
            assert set.union(*values) == {said}, kind


@pytest.mark.parametrize("name", NAMES)
def test_the_help_says_what_a_single_network_has(name: str) -> None:
    alone = unless_fixed(name).rpartition("with --networks 1: ")[2].removeprefix("default: ") or "none"
    values = drawn("tables", name, 450, networks=1)
    if name == "patience":
        assert alone == "as many as epochs"
        values, alone = drawn("tables", name, 450, networks=1, epochs=17), "17"
    if name == "layers":
        assert alone == "none for tables, else one of those searched"
        assert drawn("series", name, 450, networks=1) <= drawn("series", name, 450)
        assert drawn("images", name, 450, networks=1) <= drawn("images", name, 450)
        alone = "none"
    assert values == {alone}


@pytest.mark.parametrize("name", sorted(set(FitSettings.model_fields) - set(NAMES)))
def test_other_settings_have_the_default_that_the_help_says(name: str) -> None:
    default = FitSettings.model_fields[name].default
    said = default_in_words(name).removeprefix("default: ")
    if (default in (None, False, ()) and default != 0.0) or default is False:
        assert said == ""
    else:
        assert said == ("on" if default is True else f"{default:g}" if isinstance(default, float) else str(default))
    if name != "penalties":
        shown = parameter(name).annotation.__metadata__[0].help
        assert f"(default: {said})" in shown if said else "(default" not in shown


def test_the_help_says_how_many_candidates_are_tried() -> None:
    said = [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", FitSettings.model_fields["networks"].description)]
    assert said == [NETWORKS, NETWORKS_ON_SIGNALS, FEWEST_CANDIDATES, NETWORKS_IN_A_BUDGET, SIGNALS_IN_A_BUDGET]
    found = [count_candidates(check_settings({}), kind) for kind in ("table", "images", "series")]
    assert found == [NETWORKS, NETWORKS_ON_SIGNALS, NETWORKS_ON_SIGNALS]
    found = [count_candidates(check_settings({"minutes": 30.0}), kind) for kind in ("table", "images")]
    assert found == [NETWORKS_IN_A_BUDGET, SIGNALS_IN_A_BUDGET]


def test_the_docstring_of_fit_says_the_same_of_every_setting() -> None:
    lines = [line.strip() for line in (shoal.fit.__doc__ or "").splitlines()]
    for name in FitSettings.model_fields:
        (line,) = [line for line in lines if line.startswith(f"{name}: ")]
        said = default_in_words(name).replace("--networks 1", "networks=1")
        assert line.endswith(f"({said})") if said else "(default" not in line


@pytest.mark.slow
def test_a_fit_of_one_network_is_what_the_help_says(tmp_path: Path) -> None:
    run = shoal.fit("iris", networks=1, engine="native", page=False, out=str(tmp_path / "run"))
    used = json.loads(run.networks["candidate"][0])
    for name in NAMES:
        said = unless_fixed(name).rpartition("with --networks 1: ")[2].removeprefix("default: ")
        value = used[name]
        if name not in ("layers", "patience"):
            assert written(tuple(value) if isinstance(value, list) else value) == (said or "none"), name
    assert used["patience"] == used["epochs"]
    given = run.folder.config["settings"]
    assert given == {"networks": 1, "engine": "native", "page": False, "out": str(tmp_path / "run")}
