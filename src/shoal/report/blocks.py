"""What a page is made of, as plain data: sections of blocks, each of which a macro of `parts.html` turns into HTML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shoal.report.words import interval_range, interval_value, sentence
from shoal.results import Interval


@dataclass(frozen=True)
class Inline:
    """Words within a text that stand in an element of their own, such as `strong` or `code`."""

    tag: str
    text: str
    style: str = ""


Text = str | tuple[str | Inline, ...]
"""A text, or pieces of one; all is escaped but `markupsafe.Markup`."""


class PageBlock:
    """A part of a section; `style` is always a class of `style.css`."""

    @property
    def kind(self) -> str:
        """By which `parts.html` knows it."""
        return type(self).__name__


@dataclass(frozen=True)
class Heading(PageBlock):
    """A heading within a section; that of the page has level 1."""

    text: str
    level: int = 3


@dataclass(frozen=True)
class Paragraph(PageBlock):
    """A paragraph; the style `note` makes it small."""

    text: Text
    style: str = ""


@dataclass(frozen=True)
class Preformatted(PageBlock):
    """Lines that keep their spaces, with a label for people who do not see them."""

    text: str
    label: str


@dataclass(frozen=True)
class Bullets(PageBlock):
    """A list."""

    items: tuple[Text, ...]
    style: str = ""


@dataclass(frozen=True)
class Facts(PageBlock):
    """Label and value pairs beside each other, by the style `lines` below each other; a third text styles the value."""

    pairs: tuple[tuple[str, ...], ...]
    style: str = "facts"


@dataclass(frozen=True)
class Headline(PageBlock):
    """Scores in large type: name, value and range of each."""

    scores: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Shares(PageBlock):
    """Name, share of a whole, drawn as a bar, and sentence of each."""

    items: tuple[tuple[str, float, str], ...]


@dataclass(frozen=True)
class Cell:
    """A score in a table: the number, its interval, and whether it is the best of its column."""

    value: str
    range: str
    best: bool = False

    @classmethod
    def of(cls, score: Interval | None, best: float | None = None) -> Cell:
        """Return the cell of a score; a dash where there is none.

        Args:
            score: with its interval.
            best: value of the best score of the column.
        """
        if score is None or math.isnan(score.value):
            return cls("–", "")
        return cls(interval_value(score), interval_range(score), best is not None and score.value == best)


@dataclass(frozen=True)
class ScoreTable(PageBlock):
    """A table of scores with intervals: of each row its name and its cells; the note tells what is not shown."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, list[Cell]], ...]
    note: str = ""


@dataclass(frozen=True)
class PlainTable(PageBlock):
    """A table of texts; `numeric` are the places of columns with numbers, the note tells what is not shown."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numeric: tuple[int, ...] = ()
    style: str = "plain"


@dataclass(frozen=True)
class Figure(PageBlock):
    """The place of a figure, by its name in `FIGURES`; nothing where it was not drawn."""

    name: str
    style: str = ""


@dataclass(frozen=True)
class Group(PageBlock):
    """Blocks that are laid out together: `figures`, or a `pair` of columns."""

    blocks: tuple[PageBlock, ...]
    style: str = ""
    role: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        anchor: its address. Sections of one anchor are joined, so that several topics can speak in one.
        place: on the page, from top to bottom.
        blocks: what is in it.
        title: a word or two for the navigation, which leaves it out without.
        heading: above it; the section without one is the head of the page.
    """

    anchor: str
    place: int
    blocks: tuple[PageBlock, ...]
    title: str = ""
    heading: str = ""


def sentences(lines: Iterable[str]) -> Bullets:
    """Return a list of sentences, each with a capital and a full stop."""
    return Bullets(tuple(map(sentence, lines)))


def figures(*shown: str | Figure, style: str = "figures") -> Group:
    """Return figures beside each other, those that are only named in their usual size."""
    return Group(tuple(Figure(figure) if isinstance(figure, str) else figure for figure in shown), style)


def names_of_figures(blocks: Iterable[PageBlock]) -> Iterator[str]:
    """Give the name of each figure that has a place in some blocks."""
    for block in blocks:
        if isinstance(block, Figure):
            yield block.name
        elif isinstance(block, Group):
            yield from names_of_figures(block.blocks)
