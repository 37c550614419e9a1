"""Words that users type and read: names from elsewhere, one figure by its name, progress as text, plain sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import shoal
from shoal.cli.app import _LATE, _complete, app
from shoal.data import ReadOptions, load_dataset
from shoal.data.labels import place_of
from shoal.data.split.split import split_rows
from shoal.errors import SettingError
from shoal.prediction.prediction import NumberPrediction
from shoal.report.redraw import chosen
from shoal.results import readable
from shoal.search.space import Categorical, Widths
from shoal.setting_names import _OTHER_NAMES, nearest_setting
from shoal.settings import FitSettings, check_settings
from shoal.training.losses import get_loss
from shoal.training.progress_lines import PlainLines, listener


def command(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "200", "NO_COLOR": "1"})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--lr", "--learning-rate"),
        ("--batch", "--batch-size"),
        ("--units", "--hidden"),
        ("--wd", "--weight-decay"),
        ("--n-epochs", "--epochs"),
        ("--random-state", "--seed"),
        ("--Learning_Rate", "--learning-rate"),
    ],
)
def test_an_option_of_another_name_leads_to_the_right_one(typed: str, meant: str) -> None:
    result = command("fit", "iris", typed, "1")
    assert result.exit_code == 2
    assert f"there is no option {typed}. Did you mean {meant}?" in result.stderr
    with pytest.raises(SettingError, match=f"Did you mean '{meant[2:].replace('-', '_')}'"):
        check_settings({typed.lstrip("-").replace("-", "_"): 1})


def test_other_names_are_those_of_settings_and_of_one_each() -> None:
    assert set(_OTHER_NAMES) <= set(FitSettings.model_fields)
    others = [other for names in _OTHER_NAMES.values() for other in names]
    assert len(others) == len(set(others))
    assert not set(others) & set(FitSettings.model_fields)
    assert nearest_setting("nonsense", FitSettings.model_fields) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"optimizer": "Adam"}, ("optimizer", "adam")),
        ({"optimizer": "RMSprop"}, ("optimizer", "rmsprop")),
        ({"activation": "ReLU"}, ("activation", ("relu",))),
        ({"activation": ["LeakyReLU", "Tanh"], "hidden": (4, 4)}, ("activation", ("leaky_relu", "tanh"))),
        ({"schedule": "Cosine"}, ("schedule", "cosine")),
        ({"task": "Classification"}, ("task", "classification")),
    ],
)
def test_names_are_understood_in_any_spelling(given: dict[str, Any], kept: tuple[str, Any]) -> None:
    assert getattr(check_settings(given), kept[0]) == kept[1]


@pytest.mark.parametrize(
    ("typed", "name"),
    [("MeanSquaredError", "mse"), ("MSE", "mse"), ("CategoricalCrossentropy", "categorical_crossentropy")],
)
def test_losses_are_understood_in_the_spelling_of_keras(typed: str, name: str) -> None:
    assert get_loss(typed).name == name


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(SettingError, match="Did you mean 'nadam'"):
        check_settings({"optimizer": "Nadma"})


def test_one_figure_is_asked_for_by_its_name() -> None:
    figures: Any = {"learning_curves": 1, "pairs": 2, "front": 3}
    assert chosen(figures, "learning_curves") == {"learning_curves": 1}
    assert list(chosen(figures, "front, pairs")) == ["pairs", "front"]
    with pytest.raises(SettingError, match="no figure 'learning_curve'"):
        chosen(figures, "learning_curve")


def test_progress_is_text_a_listener_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listener(True)
    assert isinstance(lines, PlainLines)
    lines.note("predicting y (a number): by its name")
    assert capsys.readouterr().err == "predicting y (a number): by its name\n"
    assert listener(lines) is lines
    listener(False).note("nothing")
    assert capsys.readouterr() == ("", "")
    with pytest.raises(SettingError, match="got list without stage, note, warn, training"):
        listener([])  # type: ignore[arg-type]


def test_columns_that_are_left_out_are_named_in_plain_words() -> None:
    x = np.random.default_rng(0).standard_normal(40)
    texts = {f"t{i}": [f"text {i} {j}" for j in range(40)] for i in range(2)}
    empty: dict[str, Any] = {"e1": [None] * 40, "e2": [None] * 40, "nr": [f"r{i}" for i in range(40)], "id": range(40)}
    notes = "\n".join(load_dataset({**texts, **empty, "x": x, "y": 2 * x}).notes)
    assert "Left out t0, t1: they are text with 40 different values in 40 rows." in notes
    assert "Left out e1, e2: they have no values." in notes
    assert "Left out nr, id: they number or name the rows." in notes


def test_a_prediction_shows_what_it_has_and_no_arrays() -> None:
    rows = np.zeros((5, 1))
    numbers = NumberPrediction(("y",), rows, rows, rows, rows, rows, rows, rows)
    assert repr(numbers).startswith("NumberPrediction(targets=('y',), mean=<5×1>, std=<5×1>, ")
    assert "None" not in repr(numbers)
    assert "load" not in repr(shoal.datasets["iris"])


def _table(path: Path, last: list[Any]) -> str:
    rows = np.random.default_rng(1).standard_normal((len(last), 2))
    lines = ["a,b,last", *(f"{a},{b},{value}" for (a, b), value in zip(rows, last, strict=True))]
    path.write_text("\n".join(lines))
    return str(path)


def test_the_command_line_asks_for_a_target_that_does_not_stand_out(tmp_path: Path) -> None:
    path = _table(tmp_path / "numbers.csv", np.linspace(0.0, 1.5, 30).tolist())
    result = command("fit", path, "--out", str(tmp_path / "run"))
    assert result.exit_code == 2
    assert (
        "no column stands out as the target among: a, b, last. Say which is to be predicted with --target"
        in result.stderr
    )
    assert not (tmp_path / "run").exists()
    shown = command("describe", path)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("predicting nothing yet: no column stands out as the target among: a, b, last")
    assert "0.05172" in shown.stdout or "last" in shown.stdout.splitlines()[-2]


@pytest.mark.slow
def test_the_first_line_of_a_fit_says_what_is_predicted_and_why(
    tmp_path: Path, tiny: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = _table(tmp_path / "kinds.csv", ["u", "v", "w"] * 20)
    expected = "predicting last (3 classes): the last column, and the only one of text"
    words = ("--networks", "1", "--epochs", "1", "--hidden", "4", "--engine", "native", "--no-page")
    result = command("fit", path, "--out", str(tmp_path / "one"), *words)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (0, expected)
    assert command("describe", path).stdout.splitlines()[0] == expected
    settings = {**tiny, "networks": 1, "page": False}
    with pytest.warns(shoal.ShoalWarning, match=r"predicting last \(3 classes\).*target= names another"):
        shoal.fit(path, out=str(tmp_path / "two"), **settings)
    capsys.readouterr()
    shoal.fit(path, out=str(tmp_path / "three"), progress=True, **settings)
    assert capsys.readouterr().err.splitlines()[0] == expected


@pytest.mark.slow
def test_a_warning_is_printed_once(tmp_path: Path) -> None:
    words = ("--networks", "1", "--epochs", "1", "--hidden", "4", "--engine", "native", "--no-page")
    result = command("fit", "iris", "--out", str(tmp_path / "run"), *words)
    assert (result.stdout + result.stderr).count("is a copy of rows") == 1


def test_one_target_or_class_is_named_by_its_label_or_without_its_unit() -> None:
    assert place_of(3, ("1", "3"), classes=True) == place_of(3.0, ("1", "3"), classes=True) == 1
    assert place_of("E", ("p", "E [GeV]"), classes=False) == 1
    with pytest.raises(SettingError, match="expected one of the classes 1, 3, got 2"):
        place_of(2, ("1", "3"), classes=True)


def test_a_split_says_what_a_row_is() -> None:
    assert split_rows(load_dataset("chirps")).how.startswith("384 series for training, 96 for validation")
    assert split_rows(load_dataset("driven_pendulum", window=8)).how.startswith("1,275 windows for training")
    assert repr(load_dataset("chirps")) == "Dataset('chirps': 600 series, 3-class classification)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.03, "−0.03"), (0.0, "0"), (-0.0, "0"), (2.5e-7, "2.5 × 10⁻⁷"), (-1.5e9, "−1.5 × 10⁹"), (float("nan"), "–")],
)
def test_numbers_in_sentences_have_the_signs_of_the_page(value: float, text: str) -> None:
    assert readable(value) == text


def test_ranges_of_one_value_are_said_so() -> None:
    assert str(Widths((1, 1), (16, 64))) == "1 layer of 16 to 64 units"
    assert str(Widths((1, 2), (8, 8))) == "1 to 2 layers of 8 units"
    assert str(Categorical(("adam", "adam"))) == "always adam"


def test_a_value_that_an_option_cannot_have_is_refused_in_shoals_words(capsys: pytest.CaptureFixture[str]) -> None:
    looked_at = 0
    for name, stand_in in get_command(app).commands.items():
        complete = _complete(name) if name in _LATE else stand_in
        for param in (each for each in complete.params if each.opts[0].startswith("--")):
            option, kind = param.opts[0], None if param.is_flag else param.type_descriptor.annotation
            tried = [([option], " needs a value")] if kind else [([f"{option}=x"], " is a switch")]
            if kind in (int, float):
                tried.append(([option, "x"], f": expected a {'whole ' if kind is int else ''}number, got 'x'."))
            for words, expected in tried:
                with pytest.raises(SystemExit, match="2"):
                    complete.main(words, prog_name=f"shoal {name}")
                said = capsys.readouterr().err
                assert said.startswith(f"error: {option}{expected}"), (name, words, said)
                looked_at += 1
    assert looked_at > 300


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["compare"], "error: RUN RUN... is missing: folders of runs; the others are compared with the first."),
        (["select", "runs/x"], "error: --signal-yield is missing: expected signal events before the cut."),
        (["fit", "iris", "wine"], "error: 'wine' is more than `shoal fit` takes. `shoal fit --help` shows"),
        (
            ["fit", "a.csv", "b.csv"],
            "takes. Files that are one table are named by one pattern, in quotes: 'runs/*.csv'.",
        ),
        (["ft", "iris"], "error: there is no command 'ft'. Did you mean 'fit'? `shoal --help` lists them."),
        (["--verson"], "error: there is no option --verson. Did you mean --version? `shoal --help` shows"),
    ],
)
def test_other_wrong_words_are_refused_in_shoals_words(words: list[str], text: str) -> None:
    result = command(*words)
    assert result.exit_code == 2
    assert text in result.stderr


def test_a_kind_of_data_that_there_is_not_is_refused_before_reading() -> None:
    with pytest.raises(SettingError, match="kind: expected one of table, images, series, got 'pictures'"):
        ReadOptions(kind="pictures")
