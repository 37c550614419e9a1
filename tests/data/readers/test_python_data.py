"""Objects of awkward, xarray, DuckDB and pyarrow are taken as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import shoal
from shoal.data.loading import load_dataset
from shoal.data.raw import Raw, read_any
from shoal.data.readers import ReadOptions
from shoal.data.readers.tables.chosen_table import SeveralTables
from shoal.errors import DataError


def read(data: object, table: str | None = None) -> Raw:
    return read_any(data, ReadOptions(table=table))


def test_awkward_records() -> None:
    ak = pytest.importorskip("awkward")
    events = ak.Array(
        [
            {"pt": 1.5, "kind": "e", "jets": [1.0, 2.0], "deep": [[1]]},
            {"pt": None, "kind": "mu", "jets": [], "deep": []},
            {"pt": 3.0, "kind": "e", "jets": [1.0, 2.0, 3.0, 4.0, 5.0], "deep": [[2], [3]]},
        ]
    )
    raw = read(events)
    assert raw.table["pt"].to_list() == [1.5, None, 3.0]
    assert raw.table["kind"].to_list() == ["e", "mu", "e"]
    assert raw.table["jets_count"].to_list() == [2, 0, 5]
    assert raw.table["jets_4"].to_list() == [None, None, 4.0]
    assert raw.notes[0] == "'jets': the first 4 of a list, in jets_1 to jets_4."
    assert raw.notes[1].startswith("Left out deep (var * var * int64")
    with pytest.raises(DataError, match="the data are an awkward array without fields; expected records"):
        read(ak.Array([1.0, 2.0]))


def test_xarray_is_read_as_its_files_are() -> None:
    xr = pytest.importorskip("xarray")
    data = xr.Dataset(
        {"t": (("n", "m"), np.arange(6.0).reshape(3, 2), {"units": "K"}), "h": ("n", [1, 2, 3])},
        coords={"n": np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "M8[ns]"), "m": [10, 20]},
    )
    with pytest.raises(SeveralTables, match=r"the data holds 2 tables: n,m"):
        read(data)
    raw = read(data, "n,m")
    expected = data[["t"]].to_dataframe().reset_index()
    assert raw.table.select("n", "m", "t").rows() == list(expected[["n", "m", "t"]].itertuples(index=False, name=None))
    assert raw.units == {"t": "K"}
    assert read(data["t"]).table["t"].to_list() == expected["t"].tolist()


def test_relations_of_duckdb_and_tables_of_pyarrow() -> None:
    duckdb, pa = pytest.importorskip("duckdb"), pytest.importorskip("pyarrow")
    relation = duckdb.sql("SELECT range AS x, range % 3 AS y, DATE '2020-01-01' AS d FROM range(12)")
    assert load_dataset(relation, target="y").rows == 12
    table = pa.table({"x": [1.0, None], "s": pa.array(["a", "b"]).dictionary_encode()})
    for data in (table, table.to_batches()[0], pa.RecordBatchReader.from_batches(table.schema, table.to_batches())):
        assert read(data).table.rows() == [(1.0, "a"), (None, "b")]


@pytest.mark.slow
def test_a_fit_and_its_predictions_take_them(tmp_path: Path) -> None:
    xr, ak = pytest.importorskip("xarray"), pytest.importorskip("awkward")
    x = np.linspace(0.0, 1.0, 60)
    data = xr.Dataset({"x": ("n", x), "y": ("n", 2.0 * x)})
    options = {"networks": 2, "hidden": 4, "epochs": 2, "batch_size": 16, "page": False}
    run = shoal.fit(data, target="y", out=str(tmp_path / "run"), **options)
    expected = run.predict({"x": x}).mean
    assert run.predict(data).mean.tolist() == expected.tolist()
    assert run.predict(ak.Array({"x": x})).mean.tolist() == expected.tolist()
