"""Several targets of classes and several labels a row, from the data to a run of each."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

import shoal
from shoal.cli import main
from shoal.data import split_rows
from shoal.data.dataset import joint_strata
from shoal.data.loading import load_dataset
from shoal.errors import DataError, SettingError, ShoalError, ShoalWarning
from shoal.results import Task
from shoal.run import Run
from shoal.training.heads import ClassesHead

ROWS = 300
SMALL: dict[str, Any] = {"networks": 2, "keep": 2, "hidden": (6,), "epochs": 6, "batch_size": 32, "learning_rate": 0.02}


def drawn(logits: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return classes and their true probabilities."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1), p


def made(rows: int = ROWS, seed: int = 0) -> tuple[pl.DataFrame, dict[str, np.ndarray]]:
    """Return a table with targets `kind` (text), `size` (whole numbers) and `hot`, and their true probabilities."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 3))
    kind, p_kind = drawn(np.stack([2 * x[:, 0], x[:, 1], 0 * x[:, 0]], axis=1), rng)
    hot, p_hot = drawn(np.stack([0 * x[:, 2], 2 * x[:, 2]], axis=1), rng)
    table = pl.DataFrame({f"x{i}": x[:, i] for i in range(3)}).with_columns(
        kind=pl.Series(np.array(["a", "b", "c"])[kind]), hot=pl.Series(hot == 1), size=pl.Series(kind + 3)
    )
    return table, {"kind": p_kind, "hot": p_hot, "size": p_kind}


TABLE, _ = made()
LABELS = (np.random.default_rng(1).random((ROWS, 3)) < 0.4).astype(int)
X = TABLE.select("x0", "x1", "x2").to_numpy()


# the data


def test_text_and_truth_values_are_targets_of_classes() -> None:
    dataset = load_dataset(TABLE, target=["kind", "hot", "size"])
    assert (dataset.task, dataset.task_name) == (Task.CLASSIFICATION, "classification, 3 targets")
    assert dataset.classes_by_target == {"kind": ("a", "b", "c"), "hot": ("false", "true"), "size": ("3", "4", "5")}
    assert dataset.y().shape == (ROWS, 3)
    kind = dataset.of_target("kind")
    np.testing.assert_array_equal(kind.y(), dataset.y()[:, 0])
    assert (kind.targets, kind.beside, kind.classes) == (("kind",), ("hot", "size"), ("a", "b", "c"))
    assert [column.name for column in kind.features] == ["x0", "x1", "x2"]


def test_labels_are_found_by_what_they_hold() -> None:
    dataset = load_dataset((X, LABELS))
    assert dataset.is_multilabel
    yes = pl.DataFrame({"x": X[:, 0], "a": np.where(LABELS[:, 0], "yes", "no"), "b": LABELS[:, 1] == 1})
    assert load_dataset(yes, target=["a", "b"], task="multilabel").task_name == "multilabel classification, 2 labels"


def test_one_hot_columns_are_labels_if_the_task_says_so() -> None:
    one_hot = np.eye(3, dtype=int)[np.arange(ROWS) % 3]
    assert load_dataset((X, one_hot)).task_name == "3-class classification"
    assert load_dataset((X, one_hot), task="multilabel").task_name == "multilabel classification, 3 labels"


@pytest.mark.parametrize(
    ("target", "settings", "message"),
    [
        (
            ["kind", "x0"],
            {},
            "'kind' holds text, such as .*, and 'x0' holds numbers; networks predict classes or numbers",
        ),
        (["kind", "hot"], {"task": "multilabel"}, "but 'kind' holds 'a', 'b', 'c'"),
        (["hot"], {"task": "multilabel"}, "got 'hot' alone"),
        (["kind", "hot"], {"task": "classification", "y_err": ["x0"]}, "classes have no measured errors"),
        (["kind", "one"], {}, "the target 'one' is 'z' in every row"),
        (["kind", "rare"], {}, "the class 'r' of the target 'rare' has one row only"),
    ],
)
def test_what_is_no_class_is_refused(target: list[str], settings: dict[str, Any], message: str) -> None:
    rare = pl.Series(["r", *["s", "t"] * (ROWS // 2)][:ROWS])
    with pytest.raises(DataError, match=message):
        load_dataset(TABLE.with_columns(one=pl.lit("z"), rare=rare), target=target, **settings)


def test_a_row_without_one_of_its_targets_is_left_out_and_said() -> None:
    table = TABLE.with_columns(kind=pl.Series([None, *TABLE["kind"].to_list()[1:]]))
    dataset = load_dataset(table, target=["kind", "hot"])
    assert dataset.rows == ROWS - 1
    assert "1 row without a target left out." in dataset.notes


def test_the_split_keeps_combinations_in_proportion() -> None:
    dataset = load_dataset(TABLE, target=["kind", "hot"])
    split, strata = split_rows(dataset), joint_strata(dataset.y())
    whole = np.bincount(strata) / ROWS
    for rows in (split.train, split.validation, split.test):
        np.testing.assert_allclose(np.bincount(strata[rows], minlength=len(whole)) / len(rows), whole, atol=0.03)


def test_combinations_of_few_rows_do_not_all_train() -> None:
    y = (np.random.default_rng(4).random((400, 12)) < 0.5).astype(int)  # nearly every row is the only one of its kind
    dataset = load_dataset((np.random.default_rng(0).random((400, 2)), y))
    _, combination, counts = np.unique(y, axis=0, return_inverse=True, return_counts=True)
    single = (counts == 1)[combination.reshape(-1)]
    split = split_rows(dataset)
    for part in (split.train, split.test):
        assert single[part].mean() == pytest.approx(single.mean(), abs=0.1)
        np.testing.assert_allclose(y[part].mean(axis=0), y.mean(axis=0), atol=0.15)


# a run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("several")
    TABLE.write_parquet(out / "table.parquet")
    return shoal.fit(str(out / "table.parquet"), target=("kind", "hot", "size"), out=str(out / "run"), **SMALL)


@pytest.mark.slow
def test_each_target_has_a_run_of_its_own(run: Run) -> None:
    assert list(run.targets) == ["kind", "hot", "size"]  # type: ignore[attr-defined]
    predicted = []
    for name, target in run.targets.items():  # type: ignore[attr-defined]
        rows = target.folder.scored("test")
        log_loss = sk.log_loss(rows.truth, rows.guess, labels=range(rows.guess.shape[1]))
        assert target.metrics["test"]["log_loss"]["value"] == pytest.approx(log_loss)
        assert target.metrics["test"] == {k: v for k, v in run.metrics["targets"][name]["test"].items() if k != "f1"}
        assert "confusion_matrix" in target.metrics
        assert {"coverage", "calibration"} <= target.metrics.keys()
        assert target.metrics["test_openings"] == 1
        assert (target.path / "report.html").is_file()
        predicted.append(rows.guess.argmax(axis=1) == rows.truth)
    right = np.stack(predicted, axis=1)
    assert run.metrics["test"]["subset_accuracy"]["value"] == pytest.approx(right.all(axis=1).mean())
    assert run.metrics["test"]["hamming_loss"]["value"] == pytest.approx(1.0 - right.mean())
    assert run.metrics["test_openings"] == 1
    assert run.folder.predictor().head == ClassesHead((3, 2, 3))  # the network of all, as it was trained


@pytest.mark.slow
def test_predictions_have_columns_of_each_target_and_labels_as_they_came(run: Run) -> None:
    prediction: Any = run.predict(TABLE)
    assert prediction["kind"].labels.tolist()[0] in {"a", "b", "c"}
    assert prediction["hot"].labels.dtype == bool
    assert set(prediction["size"].labels.tolist()) <= {3, 4, 5}
    frame = prediction.frame()
    assert frame.columns[:6] == [
        "prediction_kind",
        *(f"probability_kind_{c}" for c in "abc"),
        "disagreement_kind",
        "set_kind",
    ]
    assert frame.columns[-1] == "outside"
    for name, target in run.targets.items():  # type: ignore[attr-defined]
        np.testing.assert_array_equal(prediction[name].probabilities, target.predict(TABLE).probabilities)
    with pytest.raises(KeyError, match="Did you mean 'kind'"):
        prediction["knd"]


@pytest.mark.slow
def test_other_rows_are_scored_together_and_by_target(run: Run) -> None:
    other, _ = made(seed=9)
    scores, prediction = run.evaluate(other), run.predict(other)
    kind = sk.accuracy_score(other["kind"], prediction["kind"].labels)  # type: ignore[index]
    assert scores["accuracy of kind"].value == pytest.approx(kind)
    right = [other[name].to_numpy() == prediction[name].labels for name in ("kind", "hot", "size")]  # type: ignore[index]
    assert scores["subset_accuracy"].value == pytest.approx(np.all(right, axis=0).mean())


@pytest.mark.slow
def test_the_baselines_are_those_of_scikit_learn_for_several_outputs(run: Run) -> None:
    split, targets = split_rows(load_dataset(TABLE, target=["kind", "hot", "size"])), run.targets  # type: ignore[attr-defined]
    x = targets["kind"].predictor.preparation.transform(TABLE)
    y = load_dataset(TABLE, target=["kind", "hot", "size"]).y()
    seen = np.concatenate([split.train, split.validation])
    logistic = MultiOutputClassifier(LogisticRegression(max_iter=1000)).fit(x[seen], y[seen])
    for number, probabilities in enumerate(logistic.predict_proba(x[split.test])):
        of_target = list(targets.values())[number]
        np.testing.assert_array_equal(of_target.folder.scored("test").rows, split.test)
        ours = of_target.metrics["baselines"]["logistic_regression"]["log_loss"]["value"]
        assert ours == pytest.approx(sk.log_loss(y[split.test, number], probabilities), rel=1e-3)


@pytest.mark.slow
def test_the_page_leads_to_those_of_the_targets(run: Run) -> None:
    page = run.report().read_text()
    for name in ("kind", "hot", "size"):
        assert f'href="targets/{name}/report.html"' in page
        assert (run.path / "targets" / name / "report.html").is_file()
    assert "subset accuracy" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [["explain"], ["select", "--signal-yield", "1", "--background-yield", "1"], ["formula"], ["compare", "-"]]
)
def test_what_is_asked_of_one_target_is_refused_with_its_place(
    run: Run, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command, *more = words
    more = [str(run.path) if word == "-" else word for word in more]
    assert main([command, str(run.path), *more]) == 2
    assert str(run.path / "targets" / "kind") in capsys.readouterr().err


@pytest.mark.slow
def test_commands_answer_for_a_target(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    hot = str(run.path / "targets" / "hot")
    assert main(["explain", hot, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShoalWarning)
        assert main(["select", hot, "--signal-yield", "10", "--background-yield", "10"]) == 0
    assert main(["runs", str(run.path.parent)]) == 0
    assert "subset accuracy" in capsys.readouterr().out


@pytest.mark.slow
def test_weights_groups_and_folds_go_with_several_targets(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    table = TABLE.with_columns(w=pl.Series(rng.uniform(0.5, 2.0, ROWS)), g=pl.Series(np.arange(ROWS) // 5))
    settings = SMALL | {"weight": "w", "group": "g", "cv": 3, "page": False, "out": str(tmp_path / "run")}
    run: Any = shoal.fit(table, target=["kind", "hot"], **settings)
    for name in ("kind", "hot"):
        rows = run.targets[name].folder.scored("test")
        value = run.targets[name].metrics["test"]["accuracy"]["value"]
        assert value == pytest.approx(sk.accuracy_score(rows.truth, rows.guess.argmax(1), sample_weight=rows.weights))


@pytest.mark.slow
def test_images_and_labels(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((60, 6, 6, 1)).astype(np.float32)
    labels = np.stack([images[:, :3].mean(axis=(1, 2, 3)) > 0.5, images[:, 3:].mean(axis=(1, 2, 3)) > 0.5], axis=1)
    settings = SMALL | {"epochs": 1, "layers": "flatten", "page": False, "out": str(tmp_path / "run")}
    run: Any = shoal.fit((images, labels.astype(int)), **settings)
    assert run.predict(images)["target 0"].probabilities.shape == (60, 2)
    assert {"f1_macro", "f1_micro"} <= run.metrics["test"].keys()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "mse"}, "sum of their cross-entropies, not by mse"),
        ({"signal": "a"}, "but here the classes of 2 targets are predicted"),
        ({"replicas": 2}, "replicas redraw measured numbers"),
    ],
)
def test_settings_for_one_target_are_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=message):
        shoal.fit(TABLE, target=["kind", "hot"], out=str(tmp_path / "run"), **SMALL, **settings)


# closure


@pytest.mark.slow
def test_calibrated_probabilities_and_sets_hold_for_each_target(tmp_path: Path) -> None:
    table, truth = made(3000, seed=7)
    settings = SMALL | {"epochs": 30, "page": False, "out": str(tmp_path / "run"), "coverage": 0.9}
    run: Any = shoal.fit(table.drop("size"), target=["kind", "hot"], **settings)
    for name, target in run.targets.items():
        rows = target.folder.scored("test")
        p = truth[name][rows.rows]
        assert np.abs(rows.guess - p).mean() < 0.05  # the true probabilities are found
        away = np.eye(p.shape[1])[rows.truth] - rows.guess
        z = away.sum(axis=0) / np.sqrt((rows.guess * (1.0 - rows.guess)).sum(axis=0))
        assert np.abs(z).max() < 4.0
        coverage = target.metrics["coverage"]
        assert abs(coverage["value"] - 0.9) < 4.0 * np.sqrt(0.09 / len(rows.rows)) + 0.02  # validation rows vary, too


def test_every_error_is_shoals(tmp_path: Path) -> None:
    with pytest.raises(ShoalError):
        shoal.fit((X, LABELS), task="multilabel", cv=200, out=str(tmp_path / "run"), **SMALL)
