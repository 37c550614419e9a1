"""The papers of what a run used: every method that names one has an entry, and the entries are BibTeX."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import shoal
from shoal.after.citing import PAPERS, cite, methods_of, references
from shoal.cli.app import app
from shoal.networks import ACTIVATIONS, INITIALIZERS, LAYERS
from shoal.search import strategies
from shoal.training.heads import HEADS
from shoal.training.losses import LOSSES
from shoal.training.optimizers import OPTIMIZERS
from shoal.training.schedules import SCHEDULES

ROOT = Path(__file__).parents[2]
YEAR = re.compile(r"\b(18|19|20)\d\d\b")


def plain(name: str) -> str:
    return re.sub(r"[123]D", "", name)


KNOWN: dict[str, dict[str, Any]] = {
    "optimizer": dict(OPTIMIZERS),
    "activation": {name: activation.function for name, activation in ACTIVATIONS.items()},
    "initializer": dict(INITIALIZERS),
    "layer": {plain(name): layer for name, layer in LAYERS.items()},
    "loss": {name: loss.values for name, loss in LOSSES.items()},
    "outputs": dict(HEADS),
}


def parsed(text: str) -> dict[str, dict[str, str]]:
    """Return the entries of a BibTeX document: key to fields; a reader of its own, which is strict."""
    entries: dict[str, dict[str, str]] = {}
    place = 0
    text = re.sub(r"^%.*$", "", text, flags=re.MULTILINE)
    while (start := text.find("@", place)) >= 0:
        assert not text[place:start].strip()
        head = re.compile(r"@([a-z]+)\{([a-z]+\d*),\s*").match(text, start)
        assert head, text[start : start + 40]
        place, fields = head.end(), {}
        while text[place] != "}":
            field = re.compile(r"([a-z]+) = \{").match(text, place)
            assert field, text[place : place + 40]
            place, depth = field.end(), 1
            begin = place
            while depth:
                depth += {"{": 1, "}": -1}.get(text[place], 0)
                place += 1
            assert field[1] not in fields
            fields[field[1]] = text[begin : place - 1]
            rest = re.compile(r"\s*,?\s*").match(text, place)
            assert rest
            place = rest.end()
        place += 1
        assert head[2] not in entries
        entries[head[2]] = {"type": head[1], **fields}
    assert not text[place:].strip()
    return entries


@pytest.mark.parametrize("kind", KNOWN)
def test_every_method_with_a_paper_in_its_docstring_has_an_entry(kind: str) -> None:
    named = {name for name, method in KNOWN[kind].items() if YEAR.search(inspect.getdoc(method) or "")}
    named = {name for name in named if kind != "layer" or plain(name) == name}
    assert named <= PAPERS[kind].keys()
    assert PAPERS[kind].keys() <= KNOWN[kind].keys()  # and nothing is there that shoal does not have


def test_every_strategy_has_an_entry() -> None:
    names = {path.stem for path in Path(str(strategies.__file__)).parent.glob("*.py")} - {"__init__"}
    assert names <= PAPERS["search"].keys()
    assert PAPERS["schedule"].keys() <= set(SCHEDULES)


def test_every_entry_is_bibtex_and_used() -> None:
    entries = parsed("\n\n".join(references().values()))
    assert entries.keys() == {key for papers in PAPERS.values() for keys in papers.values() for key in keys}
    for key, entry in entries.items():
        assert {"author", "title", "year"} <= entry.keys()
        assert re.sub(r"\D", "", key) == entry["year"]
        needs = {"article": "journal", "inproceedings": "booktitle", "incollection": "booktitle", "book": "publisher"}
        assert needs.get(entry["type"], "title") in entry
        assert all(value.isascii() for value in entry.values())


@pytest.mark.slow
def test_a_run_cites_what_it_used_and_nothing_else(iris_run: shoal.Run, tmp_path: Path) -> None:
    text = cite(iris_run)
    entries, used = parsed(text), set(methods_of(iris_run))
    assert {("optimizer", "adam"), ("activation", "tanh"), ("baseline", "gradient_boosting")} <= used
    assert {"shoal", "kingma2015", "glorot2010", "friedman2001", "papadopoulos2002", "sadinle2019"} <= entries.keys()
    assert not {"srivastava2014", "loshchilov2017", "nair2010", "hochreiter1997", "huber1964"} & entries.keys()
    result = CliRunner().invoke(app, ["cite", str(iris_run.path)])
    assert result.stdout == text
    assert CliRunner().invoke(app, ["cite", str(iris_run.path), "-o", str(tmp_path / "a.bib")]).exit_code == 0
    assert (tmp_path / "a.bib").read_text(encoding="utf-8") == text
    assert "BibTeX is written as .bib" in CliRunner().invoke(app, ["cite", "x", "-o", "a.txt"]).stderr


@pytest.mark.slow
def test_shoal_cites_itself_as_its_citation_file_does(iris_run: shoal.Run) -> None:
    itself = parsed(cite(iris_run))["shoal"]
    file = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"title: {itself['title']}\n" in file
    assert f"- name: {itself['author'].strip('{}')}\n" in file
    assert f"version: {itself['version']}\n" in file
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "**/*.bib" in project["tool"]["setuptools"]["package-data"]["shoal"]
