"""A fit with metrics and weights of classes of one's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

import shoal
from shoal.run import Run
from shoal.runs.listing import list_runs

SMALL: dict[str, Any] = {"networks": 2, "hidden": (4,), "epochs": 5, "batch_size": 64, "engine": "native"}


def events(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Return two normal classes, one event in five of the signal, whose name comes first, and weights."""
    random = np.random.default_rng(seed)
    signal = random.uniform(size=rows) < 0.2
    x = random.normal(size=(rows, 2)) + np.where(signal, 1.5, 0.0)[:, None]
    return {
        "x": x[:, 0],
        "z": x[:, 1],
        "class": np.where(signal, "signal", "ttbar"),
        "w": random.uniform(0.5, 2.0, rows),
    }


def spread_error(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(np.mean(np.abs(y_pred[:, 1] - y_true)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    chosen = ["f1", spread_error, "neg_brier_score", "average_precision"]
    out = str(tmp_path_factory.mktemp("runs") / "run")
    return shoal.fit(events(300), target="class", weight="w", metrics=chosen, class_weight="balanced", out=out, **SMALL)


@pytest.mark.slow
def test_chosen_metrics_stand_first_and_equal_scikit_learn(run: Run) -> None:
    test, rows = run.metrics["test"], run.folder.scored("test")
    assert list(test)[:5] == ["f1", "spread_error", "brier_score", "average_precision", "accuracy"]
    assert list(run.metrics["baselines"]["gradient_boosting"]) == list(run.metrics["train"]) == list(test)
    signal, p, w = rows.truth == 0, rows.guess, rows.weights
    expected = {
        "f1": sk.f1_score(signal, p.argmax(axis=1) == 0, sample_weight=w),
        "brier_score": sk.brier_score_loss(signal, p[:, 0], sample_weight=w),
        "average_precision": sk.average_precision_score(signal, p[:, 0], sample_weight=w),
        "log_loss": sk.log_loss(rows.truth, p, sample_weight=w),  # without the weights of classes
        "spread_error": spread_error(rows.truth, p),
    }
    for name, value in expected.items():
        assert test[name]["value"] == pytest.approx(value, rel=1e-6), name
        assert test[name]["low"] < test[name]["value"] < test[name]["high"], name


@pytest.mark.slow
def test_the_first_metric_is_the_headline(run: Run) -> None:
    assert "in F1, and predicts" in run.metrics["verdict"]["text"]
    assert "difference in F1" in run.metrics["verdict"]["baselines_text"]
    (listed,) = list_runs(run.path.parent)
    assert (listed.score_name, listed.score) == ("f1", shoal.results.Interval.of(run.metrics["test"]["f1"]))
    assert "f1" in repr(run)
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "Of class &#39;signal&#39;, against the other: F1, average precision." in page
    assert "Without the weights of rows: spread error." in page
    assert "probabilities answer for classes as frequent as these weights make them" in page


@pytest.mark.slow
def test_no_file_holds_a_function(run: Run) -> None:
    assert run.folder.config["settings"]["metrics"] == ["f1", "python:spread_error", "brier_score", "average_precision"]
    with pytest.warns(shoal.ShoalWarning, match="spread_error left out, since no file holds functions"):
        scores = run.evaluate(events(50, seed=1))
    assert list(scores)[:4] == ["f1", "brier_score", "average_precision", "accuracy"]


@pytest.mark.slow
def test_metrics_of_numbers_say_where_they_have_no_interval_or_value(tmp_path: Path) -> None:
    def unknown(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return float("nan")

    data = {**events(120), "class": None}
    data["class"] = data["x"] * 2.0
    run = shoal.fit(data, target="class", metrics=["max_error", unknown, "mape"], out=str(tmp_path / "run"), **SMALL)
    rows, test = run.folder.scored("test"), run.metrics["test"]
    assert test["max_error"]["value"] == pytest.approx(np.abs(rows.truth - rows.guess).max())
    assert test["max_error"]["low"] is None
    assert "too few rows" not in run.metrics["verdict"]["text"]
    assert [note.split(":")[1] for note in run.metrics["metrics"]["notes"]] == [" largest error.", " unknown."]
    assert "largest" not in run.metrics["verdict"]["baselines_text"]
    assert "max_error" in run._repr_html_()


@pytest.mark.slow
def test_probabilities_answer_for_the_weights_of_classes_and_divided_by_them_for_the_data(tmp_path: Path) -> None:
    """Closure: of two normal classes the probability of each event is known."""
    train, new = events(3000), events(20000, seed=1)
    settings = SMALL | {"epochs": 40, "learning_rate": 0.01, "page": False, "ignore": "w", "networks": 1}
    runs = [
        shoal.fit(train, target="class", class_weight=given, out=str(tmp_path / str(given)), **settings)
        for given in (None, "balanced")
    ]
    p, q = (np.asarray(run.predict({"x": new["x"], "z": new["z"]}).probabilities[:, 0]) for run in runs)
    c = runs[1].metrics["calibration"]["class_weight"]
    divided = q / c["signal"] / (q / c["signal"] + (1 - q) / c["ttbar"])
    odds = 0.25 * np.exp(1.5 * (new["x"] + new["z"] - 1.5))
    truth, signal = odds / (1 + odds), new["class"] == "signal"
    assert q[signal].mean() > p[signal].mean() + 0.1
    assert np.mean(q > 0.5) == pytest.approx(np.mean(4 * odds > 1), abs=0.03)
    off = [float(np.sqrt(np.mean((each - truth) ** 2))) for each in (p, divided, q)]
    assert off[0] < 0.04
    assert off[1] < 0.04
    assert off[2] > 0.15


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "x", "class_weight": "balanced"}, "class_weight is for classes"),
        ({"target": "class", "class_weight": {"signl": 2}}, "Did you mean 'signal'?"),
        ({"target": "class", "metrics": "mse"}, "'mse' is for numbers, but this fit predicts classes"),
        ({"target": "class", "metrics": [spread_error, spread_error]}, "'spread_error' is there twice"),
        ({"target": "x", "metrics": spread_error}, "spread_error failed in line"),
    ],
)
def test_what_does_not_suit_is_refused_before_training(tmp_path: Path, settings: Any, message: str) -> None:
    with pytest.raises(shoal.SettingError) as caught:
        shoal.fit(events(60), out=str(tmp_path / "run"), **settings)
    assert message in str(caught.value)
    assert not (tmp_path / "run").exists()
