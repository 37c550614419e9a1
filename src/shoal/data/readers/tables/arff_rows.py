"""The lines of ARFF: attributes of the header, dense and sparse rows, quoted names and texts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from shoal.errors import DataError, counted, listing

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+(?P<name>{_QUOTED}|\S+)\s+(?P<kind>\{{.*|\S+)", re.IGNORECASE)
_FIELD = re.compile(rf"\s*(?P<value>{_QUOTED}|[^,]*?)\s*(?:,|$)")
_SPARSE = re.compile(rf"\s*(?P<place>\d+)\s+(?P<value>{_QUOTED}|[^,]*?)\s*(?:,|$)")
_NUMBERS = ("numeric", "real", "integer")
_TEXTS = ("string", "date")


class Attribute(NamedTuple):
    """A column: its name, and the values it may have; None for numbers, an empty tuple for any text."""

    name: str
    values: tuple[str, ...] | None

    @property
    def default(self) -> str | None:
        """What a sparse row means that does not name it."""
        return "0" if self.values is None else self.values[0] if self.values else None


def read_header(lines: list[str], path: Path) -> tuple[list[Attribute], int]:
    """Return the attributes, and the number of the first line of data.

    Raises:
        DataError: there is no data, or a line of the header cannot be read.

    Example:
        >>> read_header(["@attribute x real", "@data", "1"], Path("a.arff"))
        ([Attribute(name='x', values=None)], 2)
    """
    attributes: list[Attribute] = []
    for number, line in enumerate(lines):
        text = line.strip()
        if text.lower().startswith("@data"):
            if not attributes:
                raise DataError(f"{path} has no line @attribute; expected one for each column before @data.")
            return attributes, number + 1
        if text.lower().startswith("@attribute"):
            match = _ATTRIBUTE.match(text)
            attribute = match and _attribute(match)
            if not attribute:
                where = f"{path}, line {number + 1}"
                kinds = ", ".join((*_NUMBERS, *_TEXTS))
                raise DataError(f"{where}: expected @attribute NAME TYPE with {kinds} or {{A, B}}, got {text[:80]!r}.")
            attributes.append(attribute)
    raise DataError(f"{path} has no line @data; expected the rows below it.")


def _attribute(match: re.Match[str]) -> Attribute | None:
    name, kind = _plain(match["name"]), match["kind"].strip()
    if kind.startswith("{"):
        end = kind.rfind("}")
        return Attribute(name, tuple(_fields(kind[1:end], _FIELD))) if end > 0 else None
    if kind.lower() in _NUMBERS:
        return Attribute(name, None)
    return Attribute(name, ()) if kind.lower() in _TEXTS else None


def read_row(line: str, attributes: list[Attribute], where: str) -> list[str | None]:
    """Return the values of a line of data as texts, missing ones as None.

    Args:
        line: without spaces around it.
        attributes: of the header.
        where: the line, for messages.

    Raises:
        DataError: it has too few or too many values, or one that its attribute does not have.

    Example:
        >>> read_row("{0 3}", [Attribute("x", None), Attribute("kind", ("low", "high"))], "line 1")
        ['3', 'low']
    """
    if line.startswith("{") and line.endswith("}"):
        row = [attribute.default for attribute in attributes]
        for match in _matches(line[1:-1], _SPARSE, where):
            if int(match["place"]) >= len(row):
                raise DataError(
                    f"{where}: there is no attribute {match['place']}; they are counted from 0 to {len(row) - 1}."
                )
            row[int(match["place"])] = _value(match["value"])
    elif "'" in line or '"' in line:
        row = [_value(match["value"]) for match in _matches(line, _FIELD, where)]
    else:
        row = [_value(field.strip()) for field in line.split(",")]
    if len(row) != len(attributes):
        raise DataError(f"{where}: expected {counted(len(attributes), 'value')}, found {len(row)}. Correct the line.")
    for value, attribute in zip(row, attributes, strict=True):
        if value is not None and attribute.values and value not in attribute.values:
            known = listing(attribute.values[:10])
            raise DataError(f"{where}: attribute {attribute.name!r} has the values {known}; found {value!r}.")
    return row


def _matches(text: str, pattern: re.Pattern[str], where: str) -> list[re.Match[str]]:
    """Return the fields of a text, which they must fill."""
    found, at = [], 0
    while at < len(text) or (at and text[at - 1] == ","):
        match = pattern.match(text, at)
        if match is None or match.end() == at:
            raise DataError(
                f"{where}: cannot be read from {text[at : at + 40]!r}. Quote texts that hold commas or quotes."
            )
        found.append(match)
        at = match.end()
    return found


def _fields(text: str, pattern: re.Pattern[str]) -> list[str]:
    return [_plain(match["value"]) for match in pattern.finditer(text) if match["value"]]


def _value(text: str) -> str | None:
    return None if text in ("?", "") else _plain(text)


def _plain(text: str) -> str:
    """Return a text without its quotes."""
    quoted = len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text
