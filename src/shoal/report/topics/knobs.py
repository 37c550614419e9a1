"""The hyperparameters of which the user named alternatives or limits: what each did to the score."""

from __future__ import annotations

import math
from collections.abc import Iterator

from shoal.evaluation.record import Record
from shoal.evaluation.topics.knobs import Knobs, TriedKnob
from shoal.report.blocks import Figure, Paragraph, Section
from shoal.report.words import count, joined, label, number, setting


def sections(record: Record) -> Iterator[Section]:
    """Give the section on the hyperparameters that were named."""
    knobs = record.get(Knobs)
    if knobs is not None:
        texts = [base_sentence(knobs), *(knob_sentence(knob, knobs.networks_each) for knob in knobs.knobs)]
        blocks = (*(Paragraph(text) for text in texts if text), Figure("knobs"))
        yield Section("knobs", 32, blocks, "Named values", "What the named values did")


def base_sentence(knobs: Knobs) -> str:
    """Return where the others stood while one moved, or nothing where several moved together."""
    moved = [knob for knob in knobs.knobs if knob.alone]
    if len(moved) < 2:
        return ""
    base = joined(f"{label(knob.name)} {setting(knob.tried[0].value)}" for knob in moved)
    return f"Each moved alone, from the base {base}; from another base the values may compare otherwise."


def knob_sentence(knob: TriedKnob, each: int) -> str:
    """Return what may be said of the values of a hyperparameter."""
    name = label(knob.name)
    known = [tried for tried in knob.tried if math.isfinite(tried.score)]
    if all(isinstance(tried.value, int | float) for tried in known):
        known.sort(key=lambda tried: tried.value)
    if not known:
        return f"With every {name} a network diverged."
    best = min(known, key=lambda tried: tried.score)
    value = f"{name} {setting(best.value)}"
    if not knob.alone:
        return (
            f"Of {count(len(knob.tried), 'candidate')}, the best had {value}. Other hyperparameters changed with it, "
            "so that this alone does not say which value is better; --search one-at-a-time does."
        )
    lost = joined(setting(tried.value) for tried in knob.tried if tried not in known)
    diverged = f" With {lost} a network diverged." if lost else ""
    first = f"Best score: {value}, {number(best.score)} ± {number(best.error, 2)}."
    if each == 1:
        return (
            f"{first} One network was trained for each value, so how much seeds scatter is not known, and no value can "
            f"be called better than another; --repeats 5 tells.{diverged}"
        )
    worse = joined(setting(tried.value) for tried in known if tried.worse)
    equal = joined(setting(tried.value) for tried in known if not tried.worse and tried is not best)
    told = f" Worse by more than chance (95 %, all values together): {worse}." if worse else ""
    told += f" Not told apart from it: {equal}." if equal else ""
    return f"{first}{told}{diverged}"
