"""What holds for every figure of Learn, found by itself: a new one is tested without an edit here."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.data import load_dataset
from shoal.data.readers import ReadOptions
from shoal.errors import DataError, SettingError
from shoal.workbench.learn import Choice, Figure, Numbers, Slider, Toggle, all_figures, get_figure
from shoal.workbench.learn.answers import answer, index, words_of
from shoal.workbench.learn.figure_data import FigureData, builtin_data, data_of
from shoal.workbench.learn.registry import PARTS

FIGURES = all_figures()
EACH = pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
LARGEST = 700_000  # characters of a drawing: a browser takes them in a few milliseconds


NEEDS: dict[tuple[str, str], dict[str, Any]] = {
    ("losses", "delta"): {"loss": "huber"},
    ("pooling", "padding"): {"size": 3},
}
"""What must be chosen besides for a control to matter."""


def other_values(figure: Figure, control: Any) -> list[Any]:
    """Return values at the ends of a control."""
    match control:
        case Slider():
            ends = [control.low, control.high]
            return [round(value) if control.whole else value for value in ends if value != control.default]
        case Choice():
            return [value for value in control.options if value != control.default]
        case Toggle():
            return [not control.default]
        case Numbers():
            return [tuple(1.0 - v if control.pixels else (v + 1.0) / 2 for v in control.default)]
    raise AssertionError(f"{figure.name}: unknown control {control}")


def test_all_figures_that_were_asked_for_are_there() -> None:
    wanted = {
        "neuron", "hidden-layer", "wide-narrow", "convolution", "pooling", "recurrence", "lstm", "learning-rate",
        "optimizers", "overfitting", "l2", "one-knob-or-random", "autoencoder", "boundaries", "losses", "activations",
        "evolution",
    }  # fmt: skip
    assert wanted <= {figure.name for figure in FIGURES}
    assert len({figure.name for figure in FIGURES}) == len(FIGURES) == len(index())


@EACH
def test_words(figure: Figure) -> None:
    assert figure.part in PARTS
    assert figure.name == figure.name.lower()
    assert " " not in figure.name
    for text in (figure.title, figure.lead, figure.question, figure.answer):
        assert len(text) > 5
        assert text == text.strip()
    assert figure.question.endswith("?")
    assert figure.lead.endswith(".")
    assert figure.answer.endswith(".")
    assert figure.formula
    labels = [control.label for control in figure.controls]
    assert all(labels)
    assert len(set(labels)) == len(labels)
    assert not {c.name for c in figure.controls} & {
        "data",
        "own",
        "asker",
        "first",
        "second",
        "target",
        "row",
        "channel",
    }


@EACH
def test_formulas_are_mathml(figure: Figure) -> None:
    pytest.importorskip("latex2mathml", reason="latex2mathml makes formulas; it comes with shoal[workbench]")
    for text in words_of(figure.name)["formula"]:
        assert text.startswith("<math")
        assert "\\" not in text


@EACH
def test_a_drawing_is_plain_data_and_always_the_same(figure: Figure) -> None:
    first, again = (json.dumps(figure.draw(), allow_nan=False) for _ in range(2))
    assert first == again
    assert len(first) < LARGEST
    made = json.loads(first)
    assert made["panels"]
    assert made["say"].endswith(".")
    assert {panel["type"] for panel in made["panels"]} <= {"axes", "grid", "diagram", "table"}
    assert all(panel["title"] for panel in made["panels"])
    assert all(isinstance(text, str) and text for fact in made["facts"] for text in fact)


@EACH
def test_each_control_changes_something_up_to_its_ends(figure: Figure) -> None:
    plain = figure.draw()
    for control in figure.controls:
        besides = NEEDS.get((figure.name, control.name), {}) | dict(getattr(control, "sets", None) or {})
        before = figure.draw(besides) if besides else plain
        drawn = [figure.draw({**besides, control.name: value}) for value in other_values(figure, control)]
        json.dumps(drawn, allow_nan=False)
        assert any(made != before for made in drawn), control.name


@EACH
def test_a_link_keeps_the_state(figure: Figure) -> None:
    for control in figure.controls:
        for value in other_values(figure, control):
            state = figure.settle(figure.defaults | {control.name: value})
            again = figure.read(figure.write(state))
            for name, kept in again.items():
                assert np.allclose(kept, state[name], rtol=1e-3) if name == "kernel" else kept == state[name], name


@EACH
def test_nonsense_in_a_link_is_told_with_the_name_of_the_control(figure: Figure) -> None:
    for control in figure.controls:
        for text in ("<b>", "", "nan", "1e99", "1,2,,3"):
            with pytest.raises(SettingError, match=f"^{control.name}: expected .* got "):
                figure.read({control.name: text})


@EACH
def test_every_built_in_source_is_drawn(figure: Figure) -> None:
    for source in figure.sources:
        assert figure.kind is not None
        json.dumps(figure.draw(data=builtin_data(figure.kind, source)), allow_nan=False)


def own(kind: str) -> Any:
    random = np.random.default_rng(3)
    if kind == "images":
        pixels = random.integers(0, 255, (40, 20, 16, 1)).astype(np.uint8)
        return load_dataset((pixels, np.arange(40) % 2), options=ReadOptions(kind="images"))
    x = random.normal(size=(80, 2)) * [10.0, 0.1]
    table = pl.DataFrame({"length in m": x[:, 0], "α <b>": x[:, 1], "y": x[:, 0] + 0.1 * random.normal(size=80)})
    if kind == "classes":
        table = table.with_columns(pl.Series("y", np.array(["a", "b", "c"])[np.arange(80) % 3]))
    return load_dataset(table, target="y")


@EACH
def test_own_data_are_drawn_where_they_are_of_the_kind(figure: Figure) -> None:
    if figure.kind is None:
        return
    made = answer(figure, {"data": "own"}, lambda _: own(figure.kind or ""))
    json.dumps(made, allow_nan=False)
    wrong = "classes" if figure.kind in ("curve", "images") else "images"
    with pytest.raises(DataError, match="this figure draws"):
        answer(figure, {"data": "own"}, lambda _: own(wrong))


def test_columns_of_own_data_can_be_chosen() -> None:
    figure, dataset = get_figure("neuron"), own("classes")
    first = data_of(dataset, "classes")
    assert first.labels == ("length in m", "α <b>")
    turned = data_of(dataset, "classes", {"first": "α <b>", "second": "length in m"})
    assert np.array_equal(turned.x[:, ::-1], first.x)
    with pytest.raises(SettingError, match="first: expected one of length in m, α <b>, got 'z'"):
        data_of(dataset, "classes", {"first": "z"})
    made = answer(figure, {"data": "own", "second": "length in m"}, lambda _: dataset)
    assert [pick["chosen"] for pick in made["picks"]] == ["length in m", "length in m"]


def test_large_images_become_small_means() -> None:
    data = data_of(own("images"), "images")
    assert data.x.shape == (40, 10, 8)
    assert data.x.min() >= 0.0
    assert data.x.max() <= 1.0


def test_unknown_names() -> None:
    with pytest.raises(SettingError, match=r"no figure 'neurn'.*neuron"):
        get_figure("neurn")
    with pytest.raises(SettingError, match=r"data: expected one of .* got 'diabetes'"):
        answer(get_figure("neuron"), {"data": "diabetes"}, own)
    with pytest.raises(SettingError, match="the figure draws curve"):
        builtin_data("curve", "ring")


def test_gaps_in_own_data_are_left_out() -> None:
    table = pl.DataFrame({"x": [None, 1.0, 2.0, 3.0, 4.0, 5.0] * 4, "y": [0.0, 1.0, None, 3.0, 4.5, 6.0] * 4})
    data = data_of(load_dataset(table, target="y"), "curve")
    assert isinstance(data, FigureData)
    assert np.isfinite(data.x).all()
    assert np.isfinite(data.y).all()
