from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from shoal.errors import RunError
from shoal.evaluation.compare import Contender, compare_contenders, corrected_t
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.results import Task

RNG = np.random.default_rng(2)
TRUTH = np.arange(300) % 2


def contender(name: str, sharpness: float, noise: np.ndarray, **changes: object) -> Contender:
    p = 1 / (1 + np.exp(-sharpness * (2 * TRUTH - 1) - noise))
    test = PredictedRows(np.arange(300), TRUTH, np.column_stack([1 - p, p]))
    made = Contender(name, Task.CLASSIFICATION, "abc", ("y",), ("b", "s"), test)
    return dataclasses.replace(made, **changes)


NOISE = RNG.normal(size=300)


def test_a_small_difference_on_the_same_rows_is_seen() -> None:
    found = compare_contenders([contender("a", 1.0, NOISE), contender("b", 1.2, NOISE)])
    a, b = (found.scores[name]["log_loss"] for name in "ab")
    (pair,) = found.pairs
    difference = pair.differences["log_loss"]
    assert difference.value == pytest.approx(b.value - a.value)
    assert difference.high < 0
    assert a.low < b.high  # the intervals themselves overlap
    assert found.sentences == ("b is better than a by its log-loss, by more than chance.",)
    assert found.as_dict()["differences"][0]["run"] == "b"


def test_a_run_does_not_differ_from_itself() -> None:
    found = compare_contenders([contender("a", 1.0, NOISE), contender("b", 1.0, NOISE)])
    assert all(d.low == d.value == d.high == 0 for d in found.pairs[0].differences.values())
    assert "cannot be told apart" in found.sentences[0]


@pytest.mark.slow
def test_runs_that_are_equally_good_are_rarely_told_apart() -> None:
    told = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = compare_contenders(
            [contender("a", 1.0, rng.normal(size=300)), contender("b", 1.0, rng.normal(size=300))]
        )
        told.append("cannot" not in found.sentences[0])
    assert np.mean(told) < 0.2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": ("z",)}, "one predicts y .*the other z"),
        ({"data": "def"}, "different data"),
    ],
)
def test_runs_that_answer_different_questions_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(RunError, match=message):
        compare_contenders([contender("a", 1.0, NOISE), contender("b", 1.0, NOISE, **changes)])


def test_different_test_rows_are_refused_with_what_to_do() -> None:
    a, b = contender("a", 1.0, NOISE), contender("b", 1.0, NOISE)
    moved = dataclasses.replace(b, test=dataclasses.replace(b.test, rows=b.test.rows + 100))
    with pytest.raises(RunError, match=r"their test rows differ \(300 and 300 rows, 200 of them in both\).*--seed"):
        compare_contenders([a, moved])
    weighted = dataclasses.replace(b, test=dataclasses.replace(b.test, weights=np.ones(300)))
    with pytest.raises(RunError, match="different weights"):
        compare_contenders([a, weighted])
    with pytest.raises(RunError, match="at least two"):
        compare_contenders([a])


def test_the_corrected_t_is_that_of_nadeau_and_bengio() -> None:
    d = np.array([0.1, 0.3, -0.1, 0.2, 0.25, 0.05, 0.4, 0.0, 0.1, 0.2])
    found = corrected_t(d, 5, 2)
    t = d.mean() / np.sqrt((1 / 10 + 1 / 4) * d.var(ddof=1))
    assert found.t == pytest.approx(t)
    assert found.p == pytest.approx(2 * stats.t.sf(t, 9))
    assert found.difference.low < 0.15 < found.difference.high


@pytest.mark.slow
def test_folds_are_compared_only_where_they_are_the_same() -> None:
    folds = {(0, fold): 0.5 + 0.01 * fold for fold in range(5)}
    better = {place: score - 0.1 - 0.001 * place[1] for place, score in folds.items()}
    a = contender("a", 1.0, NOISE, folds=folds, dealt={"cv": 5})
    b = contender("b", 1.0, NOISE, folds=better, dealt={"cv": 5})
    test = compare_contenders([a, b]).pairs[0].folds
    assert test is not None
    assert test.difference.high < 0
    assert test.p < 1e-3
    assert compare_contenders([a, dataclasses.replace(b, dealt={"cv": 4})]).pairs[0].folds is None
