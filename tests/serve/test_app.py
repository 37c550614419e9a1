from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shoal
from shoal.run import Run

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

Client = Any

IRIS = {"sepal length (cm)": 5.1, "sepal width (cm)": 3.5, "petal length (cm)": 1.4, "petal width (cm)": 0.2}
PREDICT = "/runs/iris/predict"
ARROW = "application/vnd.apache.arrow.stream"


def said(run: Run, data: Any) -> pl.DataFrame:
    """What `shoal predict` adds to a table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", shoal.ShoalWarning)
        return run.predict(data).frame()


def test_a_row_gets_what_predict_says(iris_client: Client, iris_run: Run) -> None:
    reply = iris_client.post(PREDICT, IRIS)
    assert reply.status == 200
    assert reply.json == {"rows": said(iris_run, IRIS).to_dicts()}


def test_rows_columns_csv_and_arrow_get_the_same(iris_client: Client, iris_run: Run) -> None:
    table = pl.DataFrame([IRIS, {**IRIS, "petal length (cm)": 5.0}, {**IRIS, "petal width (cm)": None}])
    expected = said(iris_run, table)
    arrow = io.BytesIO()
    table.write_ipc_stream(arrow)
    assert iris_client.post(PREDICT, table.to_dicts()).json["rows"] == expected.to_dicts()
    assert iris_client.post(PREDICT, table.to_dict(as_series=False)).json["columns"] == expected.to_dict(
        as_series=False
    )
    for body, kind in ((table.write_csv().encode(), "text/csv"), (arrow.getvalue(), ARROW)):
        assert iris_client.post(PREDICT, body, content_type=kind).json["rows"] == expected.to_dicts()
        as_csv = iris_client.post(PREDICT, body, content_type=kind, accept="text/csv")
        assert as_csv.headers["content-type"].startswith("text/csv")
        assert as_csv.body.decode() == expected.write_csv()
        back = iris_client.post(PREDICT, body, content_type=kind, accept=ARROW).body
        assert pl.read_ipc_stream(back).equals(expected)
    from_json = iris_client.post(PREDICT, table.to_dicts(), accept="application/vnd.apache.arrow.file").body
    assert pl.read_ipc(from_json).equals(expected)


def test_a_compressed_body_is_unpacked(iris_client: Client, iris_run: Run) -> None:
    body = gzip.compress(json.dumps(IRIS).encode())
    assert iris_client.post(PREDICT, body, content_encoding="gzip").json["rows"] == said(iris_run, IRIS).to_dicts()


def test_every_kind_of_column(client_of: Any, mixed_run: Run, mixed_table: pl.DataFrame) -> None:
    client = client_of(mixed=mixed_run)
    rows = mixed_table.drop("y").head(20)
    reply = client.post("/runs/mixed/predict", rows.to_dicts())
    assert reply.json == {"rows": said(mixed_run, rows).to_dicts()}
    assert {"prediction", "std", "low", "high", "spread", "total", "input_spread"} <= reply.json["rows"][0].keys()
    few = rows.drop("dm", "dy")
    answer = client.post("/runs/mixed/predict", few.to_dicts()).json
    assert answer["rows"] == said(mixed_run, few).to_dicts()
    assert "'dm'" in answer["notes"][0]
    csv = client.post("/runs/mixed/predict", rows.write_csv().encode(), content_type="text/csv").json
    assert csv["rows"] == said(mixed_run, rows).to_dicts()


def test_categories_are_known_by_text_and_by_number(client_of: Any, mixed_run: Run, mixed_table: pl.DataFrame) -> None:
    client = client_of(mixed=mixed_run)
    row = mixed_table.drop("y").row(0, named=True)
    answers = [client.post("/runs/mixed/predict", {**row, "level": level}).json["rows"] for level in (1, 1.0)]
    assert answers[0] == answers[1] == said(mixed_run, {**row, "level": 1.0}).to_dicts()
    unknown = client.post("/runs/mixed/predict", {**row, "colour": "ultraviolet"}).json
    assert "'colour': 1 value not seen in training" in " ".join(unknown["notes"])


def test_the_columns_are_described(client_of: Any, mixed_run: Run) -> None:
    client = client_of(mixed=mixed_run)
    about = client.get("/runs/mixed").json
    columns = {column["name"]: column for column in about["columns"]}
    assert columns["mass [kg]"]["unit"] == "kg"
    assert "training rows: " in columns["mass [kg]"]["description"]
    assert columns["colour"]["levels"] == ["blue", "green", "red"]
    assert not columns["dy"]["required"]
    assert about["answers"][:2] == ["prediction", "std"]
    schema = client.get("/openapi.json").json
    row = schema["paths"]["/runs/mixed/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"][
        "oneOf"
    ][0]
    assert {'odd "näme"/&?', "colour", "hot", "when", "mass [kg]"} <= set(row["required"])
    assert row["properties"]["colour"]["examples"] == ["blue", "green", "red"]


WRONG: list[tuple[Any, int, str]] = [
    (b"", 400, "no JSON"),
    (b"{", 400, "no JSON"),
    (b"\xff\xfe", 400, "no JSON"),
    (b"[" * 100_000, 400, "no JSON"),
    ([], 422, "empty list"),
    ({}, 422, "'sepal length (cm)' is missing"),
    (None, 422, "expected a row"),
    (3, 422, "expected a row"),
    ("text", 422, "expected a row"),
    ([1], 422, "row 1: expected a row"),
    ([IRIS, []], 422, "row 2"),
    ({**IRIS, "petal width (cm)": "x"}, 422, "column 'petal width (cm)': expected a finite number"),
    ({**IRIS, "petal width (cm)": True}, 422, "expected a finite number"),
    ({**IRIS, "petal width (cm)": {}}, 422, "expected a finite number"),
    (b'{"sepal length (cm)": NaN}', 422, "got NaN"),
    (b'{"sepal length (cm)": 1e999}', 422, "finite number"),
    (b'{"sepal length (cm)": 1' + b"0" * 400 + b"}", 422, "finite number"),
    ({name: value for name, value in IRIS.items() if name[0] == "s"}, 422, "is missing"),
    ({**IRIS, "petal widht (cm)": 1}, 422, "Did you mean 'petal width (cm)'?"),
    ([IRIS, {**IRIS, "more": 1}], 422, "row 2: the run takes no column 'more'"),
    ({name: [] for name in IRIS}, 422, "one value or more"),
    ({name: [1] * i for i, name in enumerate(IRIS, 1)}, 422, "one length"),
    ({**{name: [1.0] for name in IRIS}, "petal width (cm)": 1}, 422, "petal width (cm)"),
    ({name: [[1]] for name in IRIS}, 422, "finite number"),
    ({"rows": [IRIS]}, 422, "missing"),
]


@pytest.mark.parametrize(("body", "status", "text"), WRONG)
def test_wrong_bodies_are_refused_with_a_sentence(iris_client: Client, body: Any, status: int, text: str) -> None:
    reply = iris_client.post(PREDICT, body)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
    assert text in reply.json["detail"]


def test_unknown_columns_are_left_out_where_that_is_asked_for(iris_client: Client, iris_run: Run) -> None:
    more = {**IRIS, "comment": "first"}
    for body in (more, [more], {name: [value] for name, value in more.items()}):
        reply = iris_client.post(f"{PREDICT}?unknown=ignore", body)
        assert next(iter(reply.json.values())) in (
            said(iris_run, IRIS).to_dicts(), said(iris_run, IRIS).to_dict(as_series=False),
        )  # fmt: skip
    csv = pl.DataFrame([more]).write_csv().encode()
    assert iris_client.post(PREDICT, csv, content_type="text/csv").status == 422
    assert iris_client.post(f"{PREDICT}?unknown=ignore", csv, content_type="text/csv").status == 200
    assert iris_client.post(f"{PREDICT}?unknown=what", IRIS).status == 422


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"a=1", {"content_type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"accept": "image/png"}, 406),
        (b"", {"content_type": "text/csv"}, 400),
        (b"a,b\n1,2\n", {"content_type": "text/csv"}, 422),
        (b"\x00\x01\x02", {"content_type": "text/csv"}, 400),
        (b"ARROW1 but not really", {"content_type": ARROW}, 400),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f" + b"x" * 100, {"content_type": ARROW}, 400),
        (b"no gzip", {"content_encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0)[:-3], {"content_encoding": "gzip"}, 400),
        (gzip.compress(b" " * 100_000_000, mtime=0), {"content_encoding": "gzip"}, 413),
        (b"{}", {"content_encoding": "br"}, 415),
    ],
)
def test_wrong_formats_are_refused(iris_client: Client, body: bytes, headers: dict[str, str], status: int) -> None:
    reply = iris_client.post(PREDICT, body, **headers)
    assert reply.status == status, reply.body[:300]
    assert "/tmp" not in reply.json["detail"]


def test_too_many_rows_are_refused(iris_client: Client) -> None:
    columns = {name: [value] * 100_001 for name, value in IRIS.items()}
    assert iris_client.post(PREDICT, columns).status == 413


def test_many_rows_get_what_predict_says(iris_client: Client, iris_run: Run) -> None:
    columns = {name: (np.linspace(0.5, 1.5, 40_000) * value).tolist() for name, value in IRIS.items()}
    reply = iris_client.post(PREDICT, columns)  # a body of 3 MB
    assert reply.json["columns"] == said(iris_run, columns).to_dict(as_series=False)


def test_what_is_not_there(iris_client: Client) -> None:
    assert iris_client.get("/nothing").status == 404
    reply = iris_client.post("/runs/irsi/predict", IRIS)
    assert reply.status == 404
    assert "Did you mean 'iris'?" in reply.json["detail"]
    assert iris_client.get(PREDICT).status == 405


@settings(max_examples=300)
@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/csv", ARROW]), st.sampled_from(["", "gzip"]))
def test_no_bytes_make_a_fault(iris_client: Client, body: bytes, kind: str, packed: str) -> None:
    packed_body = gzip.compress(body) if packed else body
    reply = iris_client.post(PREDICT, packed_body, content_type=kind, content_encoding=packed)
    assert 400 <= reply.status < 500, (reply.status, reply.body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*IRIS, "x"]), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=400)
@given(JSON_VALUES, st.sampled_from([PREDICT, "/invocations", "/v2/models/iris/infer"]))
def test_no_json_makes_a_fault(iris_client: Client, body: Any, path: str) -> None:
    for each in (body, {"inputs": body}, {"dataframe_split": body}, {"instances": body}):
        assert iris_client.post(path, json.dumps(each).encode()).status < 500


@settings(max_examples=200)
@given(st.data())
def test_no_broken_arrow_makes_a_fault(iris_client: Client, data: st.DataObject) -> None:
    out = io.BytesIO()
    pl.DataFrame([IRIS] * 3).write_ipc_stream(out, compression=data.draw(st.sampled_from(["uncompressed", "zstd"])))
    body = bytearray(out.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=6)):
        body[place] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(1, len(body)))]
    assert iris_client.post(PREDICT, bytes(body), content_type=ARROW).status < 500


def test_requests_that_wait_are_answered_together_and_each_as_alone(iris_client: Client, iris_run: Run) -> None:
    import asyncio

    bodies = [{**IRIS, "petal length (cm)": 0.1 * i} for i in range(1, 60)]
    bodies[7] = {**IRIS, "petal length (cm)": "x"}  # type: ignore[dict-item]

    async def all_at_once() -> Any:
        headers = {"content_type": "application/json"}
        return await asyncio.gather(
            *(iris_client.ask("POST", PREDICT, json.dumps(body).encode(), headers) for body in bodies)
        )

    replies = asyncio.run(all_at_once())
    for place, (body, reply) in enumerate(zip(bodies, replies, strict=True)):
        if place == 7:
            assert reply.status == 422
            continue
        for name, value in said(iris_run, body).row(0, named=True).items():
            got = reply.json["rows"][0][name]
            assert got == (pytest.approx(value, rel=1e-5, abs=1e-7) if isinstance(value, float) else value)


def test_open_inference(iris_client: Client, iris_run: Run) -> None:
    expected = said(iris_run, pl.DataFrame([IRIS, IRIS]))
    each = [{"name": name, "shape": [2], "datatype": "FP64", "data": [value] * 2} for name, value in IRIS.items()]
    matrix = [{"name": "input", "shape": [2, 4], "datatype": "FP32", "data": [list(IRIS.values())] * 2}]
    for inputs in (each, matrix):
        reply = iris_client.post("/v2/models/iris/infer", {"id": "7", "inputs": inputs}).json
        assert (reply["id"], reply["model_name"]) == ("7", "iris")
        assert {tensor["name"]: tensor["data"] for tensor in reply["outputs"]} == expected.to_dict(as_series=False)
        kinds = {tensor["name"]: tensor["datatype"] for tensor in reply["outputs"]}
        assert (kinds["prediction"], kinds["outside"], kinds["disagreement"]) == ("BYTES", "BOOL", "FP64")
    some = iris_client.post("/v2/models/iris/infer", {"inputs": each, "outputs": [{"name": "prediction"}]}).json
    assert [tensor["name"] for tensor in some["outputs"]] == ["prediction"]
    about = iris_client.get("/v2/models/iris/versions/1").json
    assert [tensor["name"] for tensor in about["inputs"]] == list(IRIS)
    assert iris_client.get("/v2/models/iris/ready").json == {"name": "iris", "ready": True}
    assert iris_client.get("/v2/health/ready").status == iris_client.get("/v2/health/live").status == 200
    assert iris_client.get("/v2/models/iris/versions/2").status == 404
    assert iris_client.get("/v2/models/other").status == 404


@pytest.mark.parametrize(
    "tensor",
    [
        {"name": "input", "shape": [2, 4], "datatype": "FP64", "data": [1]},
        {"name": "input", "shape": [2**40, 2**40], "datatype": "FP64", "data": [1]},
        {"name": "input", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]},
        {"name": "input", "shape": [], "datatype": "FP64", "data": []},
        {"name": "input", "shape": [1, 4], "datatype": "FP7", "data": [1, 2, 3, 4]},
        {"name": "input", "shape": [1, 4], "datatype": "FP64"},
        {"shape": [1, 4], "datatype": "FP64", "data": [1, 2, 3, 4]},
        "tensor",
    ],
)
def test_wrong_tensors_are_refused(iris_client: Client, tensor: Any) -> None:
    assert iris_client.post("/v2/models/iris/infer", {"inputs": [tensor]}).status == 422


def test_mlflow(iris_client: Client, iris_run: Run) -> None:
    expected = said(iris_run, pl.DataFrame([IRIS, IRIS])).to_dicts()
    rows = [list(IRIS.values())] * 2
    bodies: list[Any] = [
        {"dataframe_split": {"columns": list(IRIS), "data": rows}},
        {"dataframe_records": [IRIS, IRIS]},
        {"instances": rows},
        {"instances": [IRIS, IRIS], "params": {}},
        {"inputs": {name: [value] * 2 for name, value in IRIS.items()}},
    ]
    for body in bodies:
        assert iris_client.post("/invocations", body).json == {"predictions": expected}
    csv = pl.DataFrame([IRIS, IRIS]).write_csv().encode()
    assert iris_client.post("/invocations", csv, content_type="text/csv").json == {"predictions": expected}
    assert iris_client.get("/ping").status == 200
    assert shoal.__version__ in iris_client.get("/version").body.decode()
    for wrong in (
        {},
        [],
        {"instances": rows, "inputs": rows},
        {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}},
    ):
        assert iris_client.post("/invocations", wrong).status == 422


def test_counters_tell_of_runs_rows_and_refusals(client_for: Any, iris_run: Run) -> None:
    from shoal.serve.guard import new_token
    from shoal.serve.server import Service, guarded_app

    token = new_token()
    client = client_for(guarded_app(Service({"iris": str(iris_run.path)}, token)))
    client.post(PREDICT, [IRIS] * 3, authorization=f"Bearer {token}")
    client.post(PREDICT, [1], authorization=f"Bearer {token}")
    assert client.post(PREDICT, IRIS).status == 401
    assert client.get("/health").json == {"status": "ok"}
    text = client.get("/metrics", authorization=f"Bearer {token}").body.decode()
    assert 'shoal_requests_total{run="iris",status="200"} 1' in text
    assert 'shoal_requests_total{run="",status="401"} 1' in text
    assert 'shoal_rows_total{run="iris"} 3' in text


def test_a_page_tells_a_browser_what_is_served(iris_client: Client) -> None:
    page = iris_client.get("/", accept="text/html").body.decode()
    assert "/runs/iris/predict" in page
    assert "petal width (cm)" in page
    assert "http" not in page  # nothing from elsewhere


@pytest.fixture
def link(iris_run: Run, tmp_path: Path) -> Callable[[Path], None]:
    def turn(target: Path) -> None:
        new = tmp_path / "new"
        new.symlink_to(target)
        os.replace(new, tmp_path / "live")

    turn(iris_run.path)
    return turn


def test_a_turned_link_serves_another_run_and_a_broken_one_leaves_the_first(
    client_for: Any, iris_run: Run, mixed_run: Run, link: Callable[[Path], None], tmp_path: Path
) -> None:
    from shoal.serve.app import build_app

    app = build_app({"live": tmp_path / "live"}, renew_every=0)
    client, renew = client_for(app), app.state.asking.renew
    assert renew() == []
    link(tmp_path / "nowhere")
    assert "the one before stays" in renew()[0]
    assert renew() == []  # said once
    assert client.post("/runs/live/predict", IRIS).status == 200
    assert client.get("/runs/live").json["problem"]
    damaged = tmp_path / "damaged"
    shutil.copytree(iris_run.path, damaged)
    for file in (damaged / "model").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    link(damaged)
    assert "the one before stays" in renew()[0]
    link(mixed_run.path)
    assert "now serving" in renew()[0]
    assert client.post("/runs/live/predict", IRIS).status == 422
    about = client.get("/runs/live").json
    assert (about["run"], about["problem"]) == ("mixed", None)
    assert "colour" in json.dumps(client.get("/openapi.json").json)


def test_images_and_series(client_of: Any, image_run: Run, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    images = random.integers(0, 255, (40, 8, 8), np.uint8)
    series = random.normal(size=(40, 6, 2)).round(3)
    pictures, settings = image_run, {"networks": 1, "epochs": 1, "batch_size": 16}
    waves = shoal.fit((series, np.arange(40) % 2), out=str(tmp_path / "waves"), **settings)  # type: ignore[arg-type]
    client = client_of(pictures=pictures, waves=waves)
    reply = client.post("/runs/pictures/predict", {"images": images[:3].tolist()})
    assert reply.json["rows"] == said(pictures, images[:3]).to_dicts()
    reply = client.post("/runs/waves/predict", {"series": series[:3].tolist()})
    assert reply.json["rows"] == said(waves, series[:3]).to_dicts()
    mixed = [[[True, *row[1:]] for row in images[0].tolist()]]
    wrong = ([], [[1, 2], [3]], [["a"]], images[0].tolist(), mixed, images[:1].astype(str).tolist())
    for body in (IRIS, *({"images": each} for each in wrong)):
        assert client.post("/runs/pictures/predict", body).status == 422
    refusal = client.post("/runs/pictures/predict", b"a\n1\n", content_type="text/csv")
    assert refusal.status == 415
    assert '"images"' in refusal.json["detail"]
    tensor = {"name": "images", "shape": [1, 8, 8], "datatype": "UINT8", "data": images[0].ravel().tolist()}
    assert client.post("/v2/models/pictures/infer", {"inputs": [tensor]}).status == 200
    assert client.post("/invocations?run=waves", {"instances": series[:1].tolist()}).status == 200
    assert client.post("/invocations", {"instances": series[:1].tolist()}).status == 422  # which of both?
    assert client.get("/openapi.json").status == 200


def test_windows_targets_cuts_and_reconstructions(client_of: Any, quick: dict[str, Any], tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    a, b = random.normal(size=(2, 80))
    table = pl.DataFrame({"a": a, "b": b, "up": a > 0, "side": np.where(b > 0, "left", "right")})
    both = shoal.fit(table, target=["up", "side"], out=str(tmp_path / "both"), **quick)
    cut = shoal.fit(
        table.select("a", "b", y=pl.col("a") * 2), target="y", derive=["s = a + b"], where=["b > -1"],
        out=str(tmp_path / "cut"), **quick,
    )  # fmt: skip
    coder = shoal.fit(table.select("a", "b"), reconstruct=True, bottleneck=1, out=str(tmp_path / "coder"), **quick)
    wave = pl.DataFrame({"z": np.sin(np.arange(120) / 5)})
    windows = shoal.fit(
        wave, target="z", window=6, layers="lstm:2", networks=1, epochs=1, page=False, out=str(tmp_path / "windows")
    )
    client = client_of(both=both, cut=cut, coder=coder, windows=windows)
    rows = table.select("a", "b").head(5)
    assert client.post("/runs/both/predict", rows.to_dicts()).json["rows"] == said(both, rows).to_dicts()
    few = rows.with_columns(b=pl.Series([0.0, -2.0, 0.5, 0.1, -3.0]))
    answers = client.post("/runs/cut/predict", few.to_dicts()).json["rows"]
    assert [row["passed"] for row in answers] == [True, False, True, True, False]
    assert [row["prediction"] is None for row in answers] == [False, True, False, False, True]
    assert [row["prediction"] for row in answers if row["passed"]] == said(cut, few)["prediction"].to_list()
    answer = client.post("/runs/coder/predict", rows.to_dicts()).json["rows"]
    assert answer == coder.reconstruct_table(rows)[1].to_dicts()
    answer = client.post("/runs/windows/predict", wave.head(9).to_dicts()).json["rows"]
    assert [row["prediction"] for row in answer] == said(windows, wave.head(9))["prediction"].to_list()
    assert client.post("/runs/windows/predict", wave.head(3).to_dicts()).status == 422
    assert client.get("/openapi.json").status == 200
