"""How a text file is laid out: its records, its delimiter, whether it has a header, its names."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from shoal.data.readers.tables.values import is_decimal, is_missing, is_number
from shoal.errors import SettingError

# Whitespace is rewritten to this before parsing: a character that text files are refused for.
WHITESPACE = "\x1f"
_WORDS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "\\t": "\t",
    "bar": "|",
    "pipe": "|",
    "space": WHITESPACE,
    "whitespace": WHITESPACE,
    " ": WHITESPACE,
}
_SPACES = re.compile(r'(?<![^ \t\n])"(?:[^"\n]|"")*"(?![^ \t\n])|[ \t]+')


class Lines:
    """Lines for `csv.reader` that leaves out comments and blank lines, but never inside a quoted field."""

    def __init__(self, lines: Iterable[str], start: int = 1) -> None:
        self._lines = iter(lines)
        self.read = start - 1
        self.first = start
        self.fresh = True

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        for line in self._lines:
            self.read += 1
            if self.fresh and (not line.strip() or line.startswith("#")):
                continue
            if self.fresh:
                self.first, self.fresh = self.read, False
            return line
        raise StopIteration


def records(text: str, delimiter: str, start: int = 1) -> Iterator[tuple[int, int, list[str]]]:
    r"""Yield (first line, last line, fields) of every record, tolerant of spaces before a quote.

    Example:
        >>> list(records('# x\na,"b\nc"\n', ","))
        [(2, 3, ['a', 'b\nc'])]
    """
    lines = Lines(_lines(text), start)
    # Spaces before a quote are skipped, but a delimiter that is a space would swallow empty fields.
    for fields in csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != WHITESPACE):
        yield lines.first, lines.read, [field.strip() for field in fields]
        lines.fresh = True


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, one at a time: the start of a large file is looked at often."""
    at = 0
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        yield text[at:end]
        at = end


def squeeze(text: str) -> str:
    r"""Return text whose runs of spaces and tabs outside quotes are one `WHITESPACE`; lines stay.

    Example:
        >>> squeeze(" 1   2\n").split(WHITESPACE)
        ['1', '2\n']
    """
    if '"' in text:
        text = _SPACES.sub(lambda m: m[0] if m[0][0] == '"' else WHITESPACE, text)
    else:
        text = text.replace("\t", " ")
        while "  " in text:
            text = text.replace("  ", " ")
        text = text.replace(" ", WHITESPACE)
    text = text.replace("\n" + WHITESPACE, "\n").replace(WHITESPACE + "\n", "\n")
    return text.strip(WHITESPACE)


def named_delimiter(given: str) -> str:
    """Return the character that the option means; SettingError where there is none."""
    delimiter = _WORDS.get(given.lower(), given)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '\n\r"#' or delimiter.isalnum():
        raise SettingError(
            "delimiter must be one character (not a letter, digit, quote or #), or one of comma, semicolon, "
            f"tab, bar, whitespace; got {given!r}."
        )
    return delimiter


def sniff_delimiter(sample: str) -> str:
    r"""Return the delimiter that gives the same number (two or more) of fields in nearly all records.

    Tab, semicolon and bar win over comma, which may be a decimal comma; between comma and whitespace the
    one that yields more numbers wins. Without any agreement the delimiter of the first line is taken, so
    that a ragged file is reported as one.

    Example:
        >>> sniff_delimiter("a;b\n1,5;2,5\n")
        ';'
    """
    trials = {d: _trial(sample, d) for d in ("\t", ";", "|", ",", WHITESPACE)}
    for delimiter in ("\t", ";", "|", *sorted((",", WHITESPACE), key=lambda d: -trials[d][1])):
        if trials[delimiter][0] >= 0.8:
            return delimiter
    ragged = [d for d in ("\t", ";", "|", ",") if trials[d][0] > 0]
    if ragged:
        return max(ragged, key=lambda d: trials[d][0])
    if trials[WHITESPACE][0] > 0 and trials[WHITESPACE][1] > 0.5:
        return WHITESPACE
    first = next((line for line in sample.split("\n") if line.strip() and line[0] != "#"), "")
    return next((d for d in ("\t", ";", "|", ",") if d in first), ",")


def _trial(sample: str, delimiter: str) -> tuple[float, float]:
    """Share of records with the usual number of fields (0 if that is 1), share of number fields there."""
    text = squeeze(sample) if delimiter == WHITESPACE else sample
    try:
        rows = [fields for _, _, fields in records(text, delimiter)]
    except csv.Error:
        return 0.0, 0.0
    if not rows:
        return 0.0, 0.0
    counts = Counter(map(len, rows))
    usual = max(counts, key=lambda n: (counts[n], n))
    if usual < 2:
        return 0.0, 0.0
    share = counts[usual] / len(rows)
    # A header of another length speaks against this delimiter, unless all else agrees.
    if len(rows[0]) != usual and len(rows[0]) == 1:
        share *= 0.7
    body = [field for fields in rows[1:] or rows for field in fields]
    comma = delimiter != ","
    numbers = sum(is_number(f.replace(",", ".", 1) if comma else f) or is_missing(f) for f in body)
    return share, numbers / len(body)


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first of these rows holds names: text above numbers, or nothing but text.

    Numbers 0, 1, 2, ... (or from 1) as the names of three or more columns also count, since data frames
    write them when nobody has named the columns.

    Example:
        >>> has_header([["mass", "label"], ["1.5", "a"]]), has_header([["1", "a"], ["2", "b"]])
        (True, False)
    """
    first, rest = rows[0], rows[1:]
    if len(first) > 2 and list(first) in ([str(i + k) for i in range(len(first))] for k in (0, 1)):
        return True
    names = sum(not is_number(f) and not is_missing(f) for f in first)
    if not rest:
        return names > 0 and names == sum(not is_missing(f) for f in first)
    evidence = 0
    for index, field in enumerate(first):
        below = [r[index] for r in rest if index < len(r) and not is_missing(r[index])]
        if not below or is_missing(field):
            continue
        if sum(map(is_decimal, below)) > 0.5 * len(below):
            evidence += -1 if is_decimal(field) else 1
        elif is_decimal(field):
            evidence -= 1
    return evidence > 0 or (evidence == 0 and names > 0)


def commented_names(comments: Sequence[str], delimiter: str, columns: int) -> list[str] | None:
    """Return the names in the last comment line above the data, if there is one for every column.

    Example:
        >>> commented_names(["# made today", "# x y"], ",", 2)
        ['x', 'y']
    """
    for comment in reversed(comments):
        line = comment.lstrip("#").strip()
        if not line.strip("-=+~* \t|"):
            continue
        # Whitespace last, since names may be written with commas above columns that are not.
        first = [] if delimiter == WHITESPACE else [delimiter]
        for trial in dict.fromkeys([*first, ",", "\t", ";", "|", WHITESPACE]):
            fields = next((f for _, _, f in _safe(line, trial)), [])
            if len(fields) == columns and all(fields) and len(set(fields)) == columns:
                return None if all(map(is_number, fields)) else fields
        return None
    return None


def _safe(line: str, delimiter: str) -> list[tuple[int, int, list[str]]]:
    try:
        return list(records(squeeze(line) if delimiter == WHITESPACE else line, delimiter))
    except csv.Error:
        return []
