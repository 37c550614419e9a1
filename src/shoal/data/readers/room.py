"""Whether what a file holds has room in memory, asked before anything of that size is allocated."""

from __future__ import annotations

from shoal.errors import DataError
from shoal.resources import available_memory, memory_text

HEADROOM = 0.2  # of the free memory is left for others and for what an estimate misses, as in training
TEXT_COPIES = 5
"""Bytes of memory that reading takes for each byte of text: bytes, text, body and table live side by side."""


def free_room() -> int:
    """Return the bytes that reading may take: four fifths of what is free for this process.

    Example:
        >>> free_room() > 0
        True
    """
    return int((1.0 - HEADROOM) * available_memory())


def check_room(needed: float, what: str, mend: str) -> None:
    """Refuse what does not fit into memory.

    Args:
        needed: bytes that reading it takes, at its largest.
        what: the file and what in it is large, as a sentence begins.
        mend: what to do about it, as a sentence.

    Raises:
        DataError: it needs more than `free_room`; the message tells both sizes.
    """
    room = free_room()
    if needed > room:
        raise DataError(
            f"{what}: reading it takes about {memory_text(needed)} of memory, of which {memory_text(room)} may be "
            f"taken here (four fifths of what is free). {mend}"
        )
