"""What every figure owes and gets: caption, alternative text, CSV, light and dark on the page, `shoal figures`."""

from __future__ import annotations

import importlib
import io
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal.report.figures
from shoal.errors import RunError
from shoal.evaluation.record import Record
from shoal.report import write_report
from shoal.report.figures import FIGURES, FigureNumbers
from shoal.report.figures.codes_plane import PALETTE, RISING
from shoal.report.figures.export import PAGE_COLOURS, csv_text, drawing, inline_svg, svg_text
from shoal.report.figures.kept import NAME, decode, encode, keep, kept
from shoal.report.figures.tabular import frame, of, pixels, side_by_side

Shown = dict[tuple[str, str], FigureNumbers]
AN_ADDITION = """
from dataclasses import dataclass
import numpy as np
from shoal.codec import stored
from shoal.report.figures.style import BLUE, add_axes, new_figure

@stored("test.heights")
@dataclass(frozen=True)
class Heights:
    values: np.ndarray
    alt: str = "Three bars."
    caption: str = "Bars of no <b>meaning</b>."

    def table(self):
        return {"height [m]": self.values}

PLACE = 1000

def numbers(record):
    return Heights(np.array([1.0, 2.5, 1 / 3]))

def draw(shown):
    figure = new_figure(1.0)
    add_axes(figure, 0.5, 0.4, 0.1, 0.1).bar(range(3), shown.values, color=BLUE)
    return figure
"""


def test_every_module_that_draws_numbers_is_listed_or_belongs_to_a_later_command() -> None:
    package = shoal.report.figures
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    listed = set(FIGURES.values())
    for module in modules:
        if hasattr(module, "numbers") and hasattr(module, "draw") and module not in listed:
            assert "Record" not in vars(module), f"{module.__name__} draws a record, but FIGURES does not have it"


def test_captions_and_alternative_texts_are_sentences(every_figure: Shown) -> None:
    for place, figure in every_figure.items():
        for text in (figure.numbers.caption, figure.numbers.alt):
            assert re.fullmatch(r"[A-Z0-9<$ {].*[.:]", text, re.S), (place, text)
            assert "nan" not in text.lower().split(), (place, text)


@pytest.mark.slow
def test_every_figure_has_its_numbers_as_csv_that_reads_back(every_figure: Shown) -> None:
    for place, figure in every_figure.items():
        columns = figure.numbers.table()
        table = frame(columns)
        assert table.height, place
        assert table.width, place
        assert list(columns) == table.columns
        assert all(name == name.strip() and name for name in table.columns), place
        text = csv_text(columns)
        read = pl.read_csv(io.StringIO(text), schema=dict(table.schema))
        for name in table.columns:
            one, other = table[name], read[name]
            if one.dtype == pl.String:
                assert one.fill_null("").to_list() == other.fill_null("").to_list(), (place, name)
            else:
                numbers = (series.cast(pl.Float64).to_numpy() for series in (one, other))
                np.testing.assert_array_equal(*numbers, err_msg=f"{place}, {name}")


def test_columns_of_csv_have_units(cases: dict[str, Record]) -> None:
    from shoal.report.figures import figure_numbers

    figures = figure_numbers(cases["regression"])
    names = list(figures["predicted_true"].numbers.table())
    assert names[:4] == [f"density_{part} [kg/m³]" for part in ("true", "predicted", "low", "high")]
    assert "magnetisation_residual [A/m]" in figures["residuals"].numbers.table()
    assert "density_density" in figures["pulls"].numbers.table()  # pulls have no unit
    one = figure_numbers(cases["sizes"])["baselines"].numbers.table()
    assert "RMSE" in one["metric"]


@pytest.mark.slow
def test_kept_numbers_draw_the_same_figure_in_colours_that_the_page_changes(
    every_figure: Shown, tmp_path: Path
) -> None:
    once = {name: place for place in every_figure for name in [place[1]]}
    for case in sorted({case for case, _ in once.values()}):
        figures = {name: every_figure[place] for name, place in once.items() if place[0] == case}
        keep(figures, tmp_path / case)
        again = kept(tmp_path / case)
        assert list(again) == list(figures)
        with drawing(width=3.4):
            for name, figure in figures.items():
                one, other = (svg_text(each.draw()) for each in (figure, again[name]))
                assert one == other, (case, name)
                assert again[name].numbers.caption == figure.numbers.caption
                assert csv_text(again[name].numbers.table()) == csv_text(figure.numbers.table())
                if name != "best_network" and case != "image_autoencoder":  # weights and values have shades
                    assert colours(inline_svg(one, "one", "")) <= {*PALETTE, *RISING} - set(PAGE_COLOURS), (case, name)
        first = (tmp_path / case / NAME).read_bytes()
        keep(figures, tmp_path / case)
        assert (tmp_path / case / NAME).read_bytes() == first


def colours(element: str) -> set[str]:
    """Return the colours in an element that no style sheet changes."""
    return set(re.findall(r"#[0-9a-f]{6}\b", " ".join(re.findall(r'style="([^"]*)"', element))))


@pytest.mark.slow
def test_a_figure_in_one_file_gets_all_that_figures_get(
    record_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_up.py").write_text(AN_ADDITION, encoding="utf-8")
    monkeypatch.setattr(shoal.report.figures, "__path__", [*shoal.report.figures.__path__, str(tmp_path)])
    monkeypatch.setattr(shoal.report.figures, "FIGURES", shoal.report.figures.with_places())
    page = write_report(record_of(networks=2, kept=1, epochs=3), tmp_path).read_text(encoding="utf-8")
    assert 'id="figure-made_up"' in page
    assert 'aria-label="Three bars."' in page
    assert "Bars of no &lt;b&gt;meaning&lt;/b&gt;." in page
    assert "var(--blue)" in page[page.index('id="figure-made_up"') :]
    assert (tmp_path / "figures" / "made_up.csv").read_text() == "height [m]\n1.0\n2.5\n0.3333333333333333\n"
    assert (tmp_path / "figures" / "made_up.pdf").is_file()
    np.testing.assert_array_equal(kept(tmp_path / "figures")["made_up"].numbers.values, [1.0, 2.5, 1 / 3])
    del sys.modules["shoal.report.figures.made_up"]


def test_figures_of_later_commands_are_kept_beside_those_of_the_fit(every_figure: Shown, tmp_path: Path) -> None:
    one, other = list(every_figure.values())[:2]
    keep({"one": one}, tmp_path)
    keep({"other": other}, tmp_path)
    assert list(kept(tmp_path)) == ["other", "one"]  # those of now first, as if there had been no others


def test_equal_arrays_are_kept_once() -> None:
    arrays: dict[str, np.ndarray] = {}
    encode([np.arange(3), np.arange(3), np.arange(3.0)], arrays)
    assert len(arrays) == 2
    value = {"a": (1, None, True, "x", float("inf")), "b": [np.array(["u", "v"])], "c": np.float32(0.5)}
    back = decode(encode(value, arrays), arrays)
    assert back["a"] == value["a"]
    assert back["b"][0].tolist() == ["u", "v"]
    assert back["c"] == 0.5
    with pytest.raises(TypeError, match="got object"):
        encode(object(), {})


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ({"class": "os:environ", "fields": {}}, "there is no record 'os:environ'"),
        ({"record": "shoal.report.page:write_page", "fields": {}}, "there is no record"),
        ({"class": "shoal.report.figures.forecast:Forecast", "fields": {}}, "missing"),
        ({"record": "figure.forecast", "fields": {}}, "missing"),
        ({"record": "interval", "fields": {"value": 1.0, "low": 1.0, "high": 1.0}}, "there is no figure 'x'"),
        (None, "there is no figure 'x'"),
        ({"array": "gone"}, "gone"),
        ({"set": []}, "there is no 'set'"),
    ],
)
def test_a_file_cannot_name_what_is_no_figure(numbers: Any, what: str, tmp_path: Path) -> None:
    import json

    from safetensors.numpy import save

    document = {"format": 1, "figures": [{"name": "x", "numbers": numbers}]}
    (tmp_path / NAME).write_bytes(save({}, {"shoal_figures": json.dumps(document)}))
    with pytest.raises(RunError, match=what):
        kept(tmp_path)


def test_tables_of_pixels_and_columns_of_one_name() -> None:
    table = pixels({"a": np.zeros((1, 2, 2)), "b": np.ones((1, 2, 2))}, ("red", "blue"))
    assert list(table) == ["row", "column", "a_red", "a_blue", "b_red", "b_blue"]
    assert list(side_by_side([{"x": 1}, {"x": 2}, {"x": 3}])) == ["x", "x_2", "x_3"]
    assert of("p / Pa", "low", "Pa") == "p_low [Pa]"


@pytest.mark.slow
def test_the_figure_of_formulas_holds_its_promises(looks: Any, tmp_path: Path) -> None:
    from shoal.report.figures import formula

    score = np.linspace(0.5, 0.1, 6)[:, None] + np.array([0.0, -0.02, 0.03])
    texts = "0.5 * exp(-x)", "R²", "validation"
    shown = formula.FormulaFront(np.arange(1, 7), np.geomspace(9, 0.8, 6), score, (0.1, 0.08, 0.12), 4, *texts, 120)
    assert not list(looks.broken_promises(FigureNumbers("formula", shown), tmp_path))
