"""Answers are computed beside the event loop, kept, and given only for the newest question of a page."""

from __future__ import annotations

import asyncio
import json
import threading

import numpy as np
import polars as pl
import pytest

from shoal.data import Dataset, load_dataset
from shoal.errors import DataError, SettingError
from shoal.workbench.learn.answers import Answers, Superseded


def nothing(_: str) -> Dataset:
    raise DataError("no data are chosen yet")


class Slow:
    """Own data that come when they are let."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Event(), threading.Event()
        self.calls = 0

    def __call__(self, query: str) -> Dataset:
        self.calls += 1
        self.begun.set()
        assert self.let.wait(20.0)
        random = np.random.default_rng(0)
        rows = {"a": random.normal(size=40), "b": random.normal(size=40), "y": [query or "p", "q"] * 20}
        return load_dataset(pl.DataFrame(rows), target="y")


def test_the_loop_goes_on_while_a_figure_is_computed_and_the_latest_control_wins() -> None:
    slow = Slow()
    answers = Answers(slow)

    async def ask() -> list[object]:
        first = asyncio.create_task(answers.ask("neuron", {"data": "own", "w1": "1"}, "page"))
        while not slow.begun.is_set():  # the loop turns although the worker waits
            await asyncio.sleep(0.001)
        second = asyncio.create_task(answers.ask("neuron", {"data": "own", "w1": "2"}, "page"))
        third = asyncio.create_task(answers.ask("neuron", {"data": "own", "w1": "3"}, "page"))
        other = asyncio.create_task(answers.ask("neuron", {"data": "own", "w1": "0"}, "another page"))
        await asyncio.sleep(0.01)
        slow.let.set()
        return await asyncio.gather(first, second, third, other, return_exceptions=True)

    first, second, third, other = asyncio.run(ask())
    assert isinstance(second, Superseded)
    assert [json.loads(str(each))["state"]["w1"] for each in (first, third, other)] == ["1", "3", "0"]
    assert slow.calls == 3


def test_answers_are_kept() -> None:
    answers = Answers(nothing)
    first = asyncio.run(answers.ask("losses", {"residual": "1"}))
    assert asyncio.run(answers.ask("losses", {"residual": "1"})) is first
    assert asyncio.run(answers.ask("losses", {"residual": "2"})) != first


@pytest.mark.parametrize(
    ("name", "texts", "words"),
    [
        ("nothing", {}, "no figure 'nothing'"),
        ("losses", {"residual": "9"}, "residual: expected a number from -4 to 4, got '9'"),
        ("neuron", {"data": "../../etc"}, "data: expected one of"),
        ("neuron", {"data": "iris", "first": "x"}, "first: expected one of sepal length"),
        ("neuron", {"w1": "1" * 5000}, "at most 4000 characters"),
    ],
)
def test_wrong_questions_are_told(name: str, texts: dict[str, str], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        asyncio.run(Answers(nothing).ask(name, texts))


def test_missing_own_data_are_told() -> None:
    with pytest.raises(DataError, match="no data are chosen yet"):
        asyncio.run(Answers(nothing).ask("neuron", {"data": "own"}))
