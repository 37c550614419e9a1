"""Fitted numbers as plain data for JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Self


class PlainFields:
    """A dataclass whose fields are numbers, texts, None, and tuples of these.

    `KEY` names the class attribute that tells this class from its siblings, if it has any; it is written first.
    """

    KEY = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data for JSON; numbers survive exactly."""
        values: Any = self
        plain = {f.name: getattr(self, f.name) for f in fields(values)}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}
        return {self.KEY: getattr(self, self.KEY), **plain} if self.KEY else plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Return what `to_dict` described."""
        given = {name: tuple(v) if isinstance(v, list) else v for name, v in plain.items() if name != cls.KEY}
        return cls(**given)
