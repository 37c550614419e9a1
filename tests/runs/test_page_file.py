from __future__ import annotations

from pathlib import Path

import pytest

from shoal.errors import RunError
from shoal.runs.page_file import NAME, write_openings

PAGE = '<p>Opened <span class="openings">once</span>, é</p><p><span class="openings">once</span>; once more.</p>'


def test_every_mark_is_rewritten_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(PAGE, encoding="utf-8", newline="\r\n")
    assert write_openings(tmp_path, 2)
    marked = PAGE.replace(">once<", ">2 times<")
    assert (tmp_path / NAME).read_text(encoding="utf-8") == marked
    assert write_openings(tmp_path, 1)
    assert (tmp_path / NAME).read_text(encoding="utf-8") == PAGE
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_page_without_the_mark_and_no_page_at_all(tmp_path: Path) -> None:
    assert not write_openings(tmp_path, 2)
    (tmp_path / NAME).write_text("<p>an earlier page</p>")
    assert not write_openings(tmp_path, 2)
    assert (tmp_path / NAME).read_text() == "<p>an earlier page</p>"


def test_a_page_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(RunError, match=r"cannot read .*report\.html"):
        write_openings(tmp_path, 2)
