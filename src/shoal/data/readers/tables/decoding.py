"""From bytes to text, and the refusal of what is no text."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np

from shoal.data.readers.files import advice_on, content_format
from shoal.errors import DataError, SettingError

# Tab, newline, vertical tab, form feed and carriage return are the control characters that text may hold.
_CONTROL = bytes(i for i in range(32) if i not in (9, 10, 11, 12, 13)) + b"\x7f"
_AT_ONCE = 1 << 16  # bytes that stay in the cache
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode_text(data: bytes, path: Path, encoding: str | None = None) -> str:
    r"""Return the text with `\n` line ends; DataError for binary content or an encoding that does not fit.

    UTF-8 with or without a byte order mark comes first, then Latin-1 (as Windows-1252, which contains
    its printable characters). Latin-1 decodes any bytes, so control characters decide what is no text.

    Args:
        data: The decompressed bytes.
        path: For messages.
        encoding: A name that Python knows; None tries UTF-8, then Latin-1.

    Returns:
        The text, without byte order mark.

    Raises:
        DataError: The bytes are no text, or not in this encoding.
        SettingError: No such encoding.

    Example:
        >>> decode_text(b"a\r\nb", Path("x.csv"))
        'a\nb'
    """
    if encoding:
        text = _decode_as(data, path, encoding)
        _refuse_control(text.rstrip("\x1a").encode("utf-8", "surrogatepass"), path)
    else:
        text = _guess(data, path)
    # A DOS end-of-file mark is the one control character that old instruments leave behind.
    text = text.removeprefix("\ufeff").rstrip("\x1a")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _decode_as(data: bytes, path: Path, encoding: str) -> str:
    try:
        # UnicodeError covers codecs such as utf-16 and idna; LookupError also codecs that are not text.
        return data.decode(encoding)
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        raise DataError(
            f"{path}, line {_line(data, start)}: not {encoding} text. Give the encoding it was written in."
        ) from error
    except (LookupError, ValueError) as error:
        raise SettingError(
            f"encoding must be a text encoding that Python knows, such as 'utf-8', 'latin-1' or 'utf-16', "
            f"got {encoding!r}."
        ) from error


def _guess(data: bytes, path: Path) -> str:
    if data.startswith(_UTF16):
        raise DataError(
            f"{path} is UTF-16 text; expected UTF-8 or Latin-1. Save it as UTF-8, or set encoding='utf-16'."
        )
    declared = content_format(data)
    if declared:
        raise DataError(f"{path} should hold text, but its content is {declared[0]}. {advice_on(declared[1])}")
    _refuse_control(data.rstrip(b"\x1a"), path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = _line(data, error.start)
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}, line {line}: neither UTF-8 nor Latin-1 text (byte 0x{data[error.start]:02x}). "
            "Save it as UTF-8, or set the encoding."
        ) from error


def _refuse_control(data: bytes, path: Path) -> None:
    if not any(_holds_control(data, start) for start in range(0, len(data), _AT_ONCE)):
        return
    at = min(i for i in (data.find(c) for c in _CONTROL) if i >= 0)
    many_zeros = data.count(b"\0") > len(data) // 5
    advice = (
        "It may be UTF-16: save it as UTF-8, or set encoding='utf-16-le'."
        if many_zeros
        else "Save the table as CSV in UTF-8."
    )
    raise DataError(
        f"{path}, line {_line(data, at)}: expected text, found binary content "
        f"(control character 0x{data[at]:02x}). {advice}"
    )


def _holds_control(data: bytes, start: int) -> bool:
    some = np.frombuffer(data, np.uint8, min(_AT_ONCE, len(data) - start), start)
    return bool(((some < 9) | ((some > 13) & (some < 32)) | (some == 127)).any())


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1
