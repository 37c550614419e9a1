"""Figures of a finished run, drawn again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from shoal.errors import RunError, SettingError
from shoal.evaluation.record import Record
from shoal.report import keep_figures, write_figures
from shoal.report.figures import pgf
from shoal.report.figures.pgf import pgf_files, pgf_style, tex_text
from shoal.report.redraw import redraw, width_in_inches
from shoal.runs.folder import RunFolder

Maker = Callable[..., Record]


@pytest.fixture
def run(record_of: Maker, tmp_path: Path) -> RunFolder:
    """A finished run of which only the numbers of the figures are there."""
    folder = RunFolder.create(tmp_path / "iris-1", "iris")
    record = record_of(networks=3, kept=1, epochs=4)
    folder.write_config({})
    folder.write_metrics(record)
    (folder.path / "model").mkdir()
    (folder.path / "model" / "model.json").write_text("{}")
    keep_figures(record, folder.path)
    return folder


@pytest.mark.slow
def test_all_figures_are_drawn_with_their_numbers_and_captions(run: RunFolder, tmp_path: Path) -> None:
    paths = redraw(run.path, formats=("pdf", "png"), width="single", out=tmp_path / "paper")
    names = ["learning_curves", "validation_metric", "networks_tried", "confusion_matrix", "calibration", "baselines"]
    assert [path.name for path in paths] == [f"{n}.{end}" for n in [*names, "best_network"] for end in ("pdf", "png")]
    assert {p.suffix for p in (tmp_path / "paper").iterdir()} == {".pdf", ".png", ".csv", ".txt"}
    assert pl.read_csv(tmp_path / "paper" / "confusion_matrix.csv").height == 9
    captions = (tmp_path / "paper" / "captions.txt").read_text(encoding="utf-8")
    assert "confusion_matrix\nTest rows by true and predicted class." in captions
    assert "Alternative text: Confusion matrix of 3 classes" in captions
    with Image.open(tmp_path / "paper" / "calibration.png") as image:
        assert abs(image.width - 86 / 25.4 * 300) <= 1
    pdf = (tmp_path / "paper" / "calibration.pdf").read_bytes()
    assert b"/Type0" in pdf or b"/TrueType" in pdf
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf


@pytest.mark.slow
def test_the_same_call_writes_the_same_bytes(run: RunFolder, tmp_path: Path) -> None:
    for name in ("a", "b"):
        redraw(
            run.path, formats=("pdf", "svg", "png"), only=["baselines"], font="serif", title=True, out=tmp_path / name
        )
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.slow
def test_without_a_width_a_figure_is_that_of_the_run(run: RunFolder, record_of: Maker, tmp_path: Path) -> None:
    write_figures(record_of(networks=3, kept=1, epochs=4), tmp_path / "fit")
    (path,) = redraw(run.path, formats=("svg",), only=["calibration"])
    assert path == run.figures / "calibration.svg"
    assert path.read_text() == (tmp_path / "fit" / "figures" / "calibration.svg").read_text()


def test_a_title_makes_room_for_itself(run: RunFolder, tmp_path: Path) -> None:
    for name, title in (("with", True), ("without", False)):
        redraw(run.path, formats=("svg", "png"), only=["calibration"], title=title, out=tmp_path / name)
    assert "iris-1: calibration" in (tmp_path / "with" / "calibration.svg").read_text()
    heights = []
    for name in ("with", "without"):
        with Image.open(tmp_path / name / "calibration.png") as image:
            heights.append(image.height)
    assert heights[0] - heights[1] == pytest.approx(0.26 * 300, abs=1.5)


@pytest.mark.slow
def test_in_the_run_files_are_replaced_and_elsewhere_only_when_asked(run: RunFolder, tmp_path: Path) -> None:
    redraw(run.path, only=["calibration"], width="single")
    first = (run.figures / "calibration.pdf").read_bytes()
    redraw(run.path, only=["calibration"], width="double")
    assert (run.figures / "calibration.pdf").read_bytes() != first
    captions = (run.figures / "captions.txt").read_text(encoding="utf-8")
    assert "learning_curves" in captions  # of all figures, since the others are there too
    out = tmp_path / "paper"
    redraw(run.path, only=["calibration", "baselines"], out=out)
    redraw(run.path, only=["calibration"], out=out)  # the same again does no harm
    with pytest.raises(RunError, match=r"calibration.pdf' exists with other content; replace it with force"):
        redraw(run.path, only=["calibration"], out=out, width="double")
    with pytest.raises(RunError, match="and 1 more exist"):
        redraw(run.path, only=["calibration", "baselines"], out=out, width="double")
    redraw(run.path, only=["calibration"], out=out, width="double", force=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"only": ["calibratoin"]},
            r"no figure 'calibratoin'; there are: learning_curves, .*Did you mean 'calibration'",
        ),
        ({"formats": ["jpg"]}, "format must be one of pdf, svg, png, pgf, got 'jpg'"),
        ({"formats": []}, "format must be one of pdf"),
        ({"width": "duoble"}, r"width must be single \(86 mm\) or double \(178 mm\) or .*Did you mean 'double'"),
        ({"width": 30}, "a number of mm from 80 to 400, got 30"),
        ({"width": "nan"}, "got 'nan'"),
        ({"font": "comic"}, "font must be one of sans, serif"),
    ],
)
def test_what_makes_no_sense_is_refused(run: RunFolder, options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        redraw(run.path, **options)  # type: ignore[arg-type]


def test_runs_that_keep_no_figures_say_how_to_get_them(run: RunFolder) -> None:
    (run.figures / "numbers.safetensors").write_bytes(b"short")
    with pytest.raises(RunError, match=r"numbers.safetensors' is damaged"):
        redraw(run.path)
    (run.figures / "numbers.safetensors").unlink()
    with pytest.raises(RunError, match=r"an earlier shoal made it\. Repeat it: shoal fit --config"):
        redraw(run.path)
    shutil.rmtree(run.path / "model")
    with pytest.raises(RunError, match="is not finished, so that it has no figures yet; fit it again"):
        redraw(run.path)
    run.save_checkpoint({}, {})
    with pytest.raises(RunError, match="--resume"):
        redraw(run.path)


def test_widths_are_words_or_mm() -> None:
    assert width_in_inches("86mm") == width_in_inches("single") == width_in_inches(86)


def test_names_never_become_latex() -> None:
    assert tex_text(r"\write18{rm} 5_% & #~") == r"\textbackslash{}write18\{rm\} 5\_% \& \#\textasciitilde{}"


def test_pgf_without_latex_says_what_to_do(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pgf.shutil, "which", lambda _: None)
    with pytest.raises(SettingError, match=r"pgf needs LaTeX, .* no xelatex or lualatex; install it .*, or take pdf"):
        redraw(run.path, formats=("pgf",))


@pytest.mark.skipif(not any(map(shutil.which, pgf.ENGINES)), reason="there is no LaTeX")
def test_pgf_prints_names_as_they_are(cases: dict[str, Record]) -> None:
    from shoal.report.figures import figure_numbers
    from shoal.report.figures.export import drawing

    figure = figure_numbers(cases["hostile"])["confusion_matrix"]
    with drawing(pgf_style(), 3.4):
        files = pgf_files(figure.draw(), "confusion")
    assert list(files) == ["confusion.pgf"]
    assert rb"\$x^2\$" in files["confusion.pgf"]
