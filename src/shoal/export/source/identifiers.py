"""Names of columns and categories as identifiers of C and Fortran, and as texts of comments that nothing can end."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 31
"""Letters of an identifier: what C99 promises to tell apart, and within Fortran's 63 with a prefix."""


def identifier(text: str, otherwise: str = "name") -> str:
    """Return letters, digits and underscores that stand for a text, not yet told apart from others.

    Example:
        >>> identifier("sepal length (cm)"), identifier("größe"), identifier("*/ 1"), identifier("λ")
        ('sepal_length_cm', 'grosse', '_1', 'name')
    """
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    word = re.sub(r"[^0-9A-Za-z]+", "_", plain)
    word = word.rstrip("_")[:LONGEST].rstrip("_")
    return word if word.strip("_") else otherwise


def identifiers(texts: Iterable[str], otherwise: str = "name") -> list[str]:
    """Return an identifier for each text, all different even where case does not count, as in Fortran.

    Example:
        >>> identifiers(["a b", "A_b", "a-b"])
        ['a_b', 'A_b_2', 'a_b_3']
    """
    taken: set[str] = set()
    words = []
    for text in texts:
        word = base = identifier(text, otherwise)
        count = 1
        while word.lower() in taken:
            count += 1
            word = f"{base[: LONGEST - len(str(count)) - 1]}_{count}"
        taken.add(word.lower())
        words.append(word)
    return words


def remark(text: str, longest: int = 60) -> str:
    r"""Return a text that stays within a comment of one line, whatever it holds: printable ASCII, no `*/`, `?` or `\`.

    Example:
        >>> remark("a*/ b\n??/"), remark("λ")
        ('a*_ b___/', '_')
    """
    safe = "".join(c if " " <= c <= "~" and c not in "\\?&" else "_" for c in text).replace("*/", "*_")
    safe = safe.replace("/*", "_*")
    return safe if len(safe) <= longest else safe[: longest - 3] + "..."
