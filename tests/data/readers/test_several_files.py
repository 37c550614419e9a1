"""Lists of files, patterns and folders of Parquet as one table."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import shoal
from shoal.cli import main
from shoal.data.loading import load_dataset
from shoal.data.readers import Content, ReadOptions, read_files
from shoal.errors import DataError, ShoalWarning

QUICK = ["--networks", "2", "--hidden", "4", "--epochs", "2", "--batch-size", "16", "--no-page", "-q"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of a run each; the second has its columns in another order, the third whole numbers."""
    (tmp_path / "runs").mkdir()
    for number, (head, rows) in enumerate(
        [("x [m],y", ["0.5,a", "1.5,b"]), ("y,x [m]", ["a,2.5", ",3.5"]), ("x [m],y", ["4,b"])], 1
    ):
        (tmp_path / "runs" / f"run{number}.csv").write_text("\n".join([head, *rows]) + "\n")
    return tmp_path / "runs"


def read(data: str | Path | list[str | Path], **options: str) -> Content:
    return read_files(data, ReadOptions(**options))  # type: ignore[arg-type]


def test_a_pattern_is_one_table(folder: Path) -> None:
    content = read(f"{folder}/*.csv")
    assert content.table.rows() == [(0.5, "a"), (1.5, "b"), (2.5, "a"), (3.5, None), (4.0, "b")]
    assert content.notes == ("3 files, run1.csv, run2.csv, run3.csv, are one table.",)
    with_files = read(f"{folder}/run?.csv", file_column="file").table
    assert with_files["file"].to_list() == ["run1.csv", "run1.csv", "run2.csv", "run2.csv", "run3.csv"]
    assert read(folder / "run1.csv", file_column="file").table["file"].to_list() == ["run1.csv"] * 2
    assert read([folder / "run3.csv", folder / "run1.csv"]).table["x [m]"].to_list() == [4.0, 0.5, 1.5]


def test_a_file_that_differs_is_named(folder: Path) -> None:
    (folder / "run4.csv").write_text("x [m],z,w\n1,2,3\n")
    with pytest.raises(
        DataError, match=r"run4.csv lacks 'y' and has 'z', 'w' more than .*run1.csv; files that are one"
    ):
        read(f"{folder}/*.csv")
    (folder / "run4.csv").write_text("x [m],y\n1,2\nred,2\n" + "blue,2\n" * 9)
    with pytest.raises(DataError, match=r"column 'x \[m\]' holds float64 in .*run1.csv and string in .*run4.csv"):
        read(f"{folder}/*.csv")
    with pytest.raises(DataError, match=r"missing\*.csv fits no file with a table"):
        read(f"{folder}/missing*.csv")
    with pytest.raises(DataError, match=r"run1.csv is named twice"):
        read([folder / "run1.csv", folder / "run1.csv"])
    with pytest.raises(DataError, match="the file has a column 'y' already"):
        read(folder / "run1.csv", file_column="y")
    with pytest.raises(DataError, match="2 files are a table, not images"):
        read([folder / "run1.csv", folder / "run2.csv"], kind="images")


def test_units_must_agree(tmp_path: Path) -> None:
    tables, units = pytest.importorskip("astropy.table"), pytest.importorskip("astropy.units")
    for name, unit in (("a", units.km), ("b", units.m)):
        tables.Table({"d": [1.0, 2.0] * unit}).write(tmp_path / f"{name}.ecsv")
    with pytest.raises(DataError, match=r"column 'd' is in m in .*b.ecsv and in km in .*a.ecsv; convert one of them"):
        read(f"{tmp_path}/*.ecsv")


def test_a_folder_of_parquet(tmp_path: Path) -> None:
    for year in (2023, 2024):
        part = tmp_path / "data" / f"year={year}"
        part.mkdir(parents=True)
        pl.DataFrame({"x": [year + 0.5]}).write_parquet(part / "part-0.parquet")
    (tmp_path / "data" / "_SUCCESS").write_text("")
    assert read(tmp_path / "data").table.rows() == [(2023.5, 2023), (2024.5, 2024)]
    assert read(tmp_path / "data", file_column="file").table["file"].to_list() == [
        "year=2023/part-0.parquet",
        "year=2024/part-0.parquet",
    ]
    (tmp_path / "data" / "more.csv").write_text("x\n1\n")
    with pytest.raises(DataError, match=r"is a folder without images; .* It has: more.csv"):
        read(tmp_path / "data")


def test_formats_of_the_first_file_hold_for_all(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n;y\n1.000;1\n2.000.000;2\n")
    (tmp_path / "b.csv").write_text("n;y\n3.000;3\n4.000;4\n")
    assert read(f"{tmp_path}/*.csv").table["n"].to_list() == [1000, 2000000, 3000, 4000]


def test_lists_from_python_and_patterns_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = sorted(folder.iterdir())
    for path in paths:
        path.write_text("x [m],y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(6)))
    assert load_dataset([str(path) for path in paths], target="y").rows == 18
    assert load_dataset(f"{folder}/*.csv", target="y").name == "runs"
    assert main(["describe", f"{folder}/*.csv", "--file-column", "run", "--target", "y"]) == 0
    out = capsys.readouterr().out
    assert "runs: 18 rows, 3 columns" in out
    assert "run3.csv" in out
    assert main(["describe", f"{folder}/*.tsv"]) == 2
    assert "fits no file with a table" in capsys.readouterr().err


@pytest.mark.slow
def test_a_fit_of_several_files_is_repeated_from_its_folder(tmp_path: Path) -> None:
    for part in range(3):
        rows = [f"{x},{2 * x + part},{x % 5}" for x in range(part * 20, part * 20 + 20)]
        (tmp_path / f"part{part}.csv").write_text("\n".join(["x,y,z", *rows]))
    run, pattern = str(tmp_path / "run"), f"{tmp_path}/part*.csv"
    assert (
        main(["fit", pattern, "--target", "y", "--file-column", "file", "--group", "file", "--out", run, *QUICK]) == 0
    )
    with pytest.warns(ShoalWarning, match="3 files, part0.csv, part1.csv, part2.csv, are one table"):
        assert shoal.load(run).predict(pattern, ReadOptions(file_column="file")).mean.shape == (60, 1)
    assert main(["evaluate", run, pattern, "--file-column", "file"]) == 0
    assert main(["predict", run, pattern, "-o", str(tmp_path / "out.csv"), "-q"]) == 0
    assert pl.read_csv(tmp_path / "out.csv").height == 60
