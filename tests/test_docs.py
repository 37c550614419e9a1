"""Every page of the documentation can be reached from its first page, and what pages link to is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import shoal

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Folders that are made when the site is built, and what they are made from.
MADE_FROM = {DOCS / "learn": DOCS / "course", DOCS / "examples": ROOT / "examples"}
PAGES = sorted(path for path in DOCS.rglob("*.md") if not {"learn", "examples"} & set(path.relative_to(DOCS).parts))
SCRIPTS = sorted(path for folder in MADE_FROM.values() for path in folder.glob("*.py"))
README = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")]


def source_of(page: Path) -> Path | None:
    """Return the file that a page, without its ending, is made from."""
    for made, origin in MADE_FROM.items():
        if page.is_relative_to(made):
            page = origin / page.relative_to(made)
    endings = (".md", ".py", ".rst")
    header = page.parent / "GALLERY_HEADER.rst"
    if page.name == "index" and header.exists():
        return header
    return next((file for ending in endings if (file := page.parent / (page.name + ending)).exists()), None)


def entries(file: Path) -> Iterator[Path]:
    """Give the pages in the tables of contents of a page."""
    text = file.read_text(encoding="utf-8")
    made = next((made for made, origin in MADE_FROM.items() if file.parent == origin), file.parent)
    if file.name == "GALLERY_HEADER.rst":
        yield from (made / script.stem for script in file.parent.glob("*.py"))
    for block in re.findall(r"```\{toctree\}\n(.*?)```|\.\. toctree::\n(.*?)(?:\n\S|\Z)", text, re.DOTALL):
        lines = (line.strip() for line in "".join(block).splitlines())
        yield from (made / line for line in lines if line and not line.startswith(":"))


def test_every_page_is_reached_from_the_first() -> None:
    waiting, reached = [DOCS / "index"], set()
    while waiting:
        file = source_of(waiting.pop())
        assert file is not None
        if file not in reached:
            reached.add(file)
            waiting += entries(file)
    assert {*PAGES, *SCRIPTS} - reached == set()


def anchors(file: Path) -> set[str]:
    """Return the anchors of the headings of a Markdown page, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *README], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        file = target if target.exists() else source_of(target)
        assert file is not None, link
        assert not anchor or anchor in anchors(file), link


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_refers_to_pages_that_are_there(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    made = next(made for made, origin in MADE_FROM.items() if origin == script.parent)
    for target in re.findall(r":doc:`(?:[^`<]*<)?([^`>]+)>?`", text):
        page = DOCS / target[1:] if target.startswith("/") else made / target
        assert source_of(page) is not None, target
    title, line = ast.get_docstring(ast.parse(text), clean=True).splitlines()[:2]  # type: ignore[union-attr]
    assert line == "=" * len(title)


def test_the_words_that_the_course_explains_stand_in_the_glossary() -> None:
    glossary = (DOCS / "glossary.md").read_text(encoding="utf-8").splitlines()
    words = {line.lower() for line in glossary if line and not line.startswith((" ", "#", ":"))}
    for script in (DOCS / "course").iterdir():
        text = " ".join(re.sub(r"^# ?", "", line) for line in script.read_text(encoding="utf-8").splitlines())
        for shown, target in re.findall(r":term:`([^`<]+?)(?:\s*<([^`>]+)>)?`", text):
            assert (target or shown).lower() in words, f"{script.name}: {target or shown}"


def test_messages_and_docstrings_name_pages_that_are_there() -> None:
    files = [*ROOT.glob("src/**/*.py"), *ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("*.md"), ROOT / "scripts/torture"]
    named = {name for file in files for name in re.findall(r"(?<!/)docs/[\w/]+\.\w+", file.read_text(encoding="utf-8"))}
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_keras_words_name_settings_and_layers_that_exist() -> None:
    text = (DOCS / "reference" / "keras.md").read_text(encoding="utf-8")
    for name in re.findall(r"shoal\.(\w+)", text):
        assert name in shoal.__all__, name
