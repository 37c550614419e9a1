"""`docs/explanation/closure.md`: what the closure tests found, in tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.closure import figure, weights
from benchmarks.closure.laws import CASES
from benchmarks.closure.repetition import REPLICAS
from benchmarks.closure.summary import (
    WANTED,
    Line,
    Lines,
    Mean,
    by_part,
    difference,
    error_of_law,
    expected,
    held,
    mean,
    tables_of,
    verdict,
)
from shoal.statistics.weighted import effective_number

LEVELS = ("0.8", "0.9", "0.95")


def write_page(lines: list[Line], folder: Path) -> Path:
    """Write the page and its figure into a folder, from the results so far."""
    parts = by_part(lines)
    figure.draw(parts, folder / "closure.svg")
    sections = [opening(), of_laws(parts), of_pulls(parts), of_bias(parts), of_classes(parts)]
    sections += [of_weights(parts), of_negative(parts), of_tables(parts), of_folds(parts), of_defaults(parts)]
    sections += [of_groups(parts)]
    sections += [of_calibration(parts)]
    path = folder / "closure.md"
    path.write_text("\n\n".join(section for section in sections if section) + "\n", encoding="utf-8")
    return path


def table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def named(parts: Lines) -> dict[str, str]:
    """Return the titles of the laws that have results, by name."""
    return {name: title for name, title in figure.TITLES.items() if name in parts}


def opening() -> str:
    return f"""# Closure tests

Where law and errors are known, every error bar can be compared with the error that was made. `python -m
benchmarks.closure` does so by hand, `tests/test_closure.py` a little of it with every test run. In each repetition rows
are measured anew, split, learned and predicted by `shoal.fit`, with {REPLICAS} replicas. Errors are one standard error
over the repetitions, which each section counts.

![Coverage of intervals for known laws and real tables, with two standard errors](closure.svg)"""


def scatter_is_learned(name: str) -> bool:
    """Return whether networks learn the scatter of a law, and with it what is noise of the features."""
    return name in CASES and "scatter" in CASES[name].settings


def splits_of(several: Iterable[list[Line]]) -> str:
    """Return how many splits of tables there are, the fewest and the most."""
    counts = [len(own) for own in several]
    return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def of_laws(parts: Lines) -> str:
    rows = []
    for name, title in named(parts).items():
        own, right = parts[name], name not in CASES or CASES[name].right
        for kind, words in (("new", "new measurement"), ("true", "true value"), ("law", "law")):
            cells = []
            for level in WANTED:
                found = held(own, kind, level)
                asked = kind == "new" or (right and not (kind == "law" and scatter_is_learned(name)))
                cells += [found.percent(), verdict(found, level) if asked else "–"]
            rows.append([*((title, len(own)) if kind == "new" else ("", "")), words, *cells])
    head = ["law", "repeated", "interval of", "68 %: held", "66–70 %", "95 %: held", "93–97 %"]
    return f"""## Intervals

{table(head, rows)}

A *new measurement* is held by `low … high` (conformal, `--coverage`), a *true value* by ± z `total`, z = 0.994 or
1.960; the *law* by the same without the scatter. With noise in x, told by `--x-err`, the law is that at the true x,
which the prediction does not know. Where networks learn the scatter (`--scatter function`), it holds noise of the
features, too, so that nothing is asked of the law. Errors that are halved must be noticed, not mended: no coverage of
true values is asked. Networks that were searched are the best of many for the rows at hand; their replicas are not
chosen anew and so scatter more than ensembles of other measurements would: intervals err on the wide side."""


def of_pulls(parts: Lines) -> str:
    rows = []
    for name, title in named(parts).items():
        own = parts[name]
        chi2 = mean(own, lambda line: line["pulls"]["chi2"] / line["pulls"]["ndf"])
        scatter = mean(own, lambda line: line["scatter"]["value"])
        seen = np.mean([line["scatter"]["low"] > 0.0 for line in own])
        pulls = [mean(own, lambda line, at=at: line["pulls"][at]) for at in ("mean", "width", "expected")]
        wrong = np.mean([line["wrong"] for line in own])
        rows.append([title, chi2, pulls[0], pulls[1], f"{pulls[2].value:.3f}", scatter, f"{seen:.0%}", f"{wrong:.0%}"])
    head = ["law", "χ²/ndf", "pulls: mean", "width", "expected", "scatter", "seen", "errors called wrong"]
    return f"""## Pulls and scatter

{table(head, rows)}

Pulls are those of the test rows, as the page of a run shows them; where x has errors, in units of σ together with what
these move the answer. Their expected width is 1, a little widened by the error of the fit. *Seen* is scatter whose 95 %
interval does not begin at zero. Where errors are right and called wrong, networks missed structure, as they do of the
oscillation now and then, or there is intrinsic scatter; the page says that this may be why. Beside five magnitudes,
whose errors move the answer ten times as far as σ is large, propagation is not exact enough to judge σ."""


def of_bias(parts: Lines) -> str:
    rows = []
    for name, title in named(parts).items():
        if name in CASES and (not CASES[name].right or "x_err" in CASES[name].settings):
            continue
        found = error_of_law(parts[name])
        told = [f"{found.told[key]:.4f}" for key in ("data_spread", "spread")]
        cells = [f"{found.whole:.4f}", f"{found.deviation:.4f}", f"{found.bias:.4f}", f"{found.share:.0%}"]
        rows.append([title, *cells, *told])
    head = ["law", "error of the fit", "deviation", "bias", "share of the bias", "`data_spread`", "`spread`"]
    return f"""## What the error of a fit is made of

{table(head, rows)}

The *deviation* is how far fits of other measurements lie apart, the *bias* how far their mean lies from the law: a
network that is stopped where validation rows like it best is smoother than the law. `data_spread` holds the deviation
and what refitting the fit itself shows of the bias. That is less than all of it, for the fit has already lost what
networks smooth away; where the bias is a large share, intervals of the law hold a few per cent too little."""


def of_classes(parts: Lines) -> str:
    own = parts.get("classes")
    if not own:
        return ""
    rows = []
    for level in WANTED:
        found = held(own, "new", level)
        size = mean(own, lambda line, at=level: line[f"size {at}"])
        rows.append([f"{float(level):.0%}", found.percent(), verdict(found, level), f"{size.value:.2f}"])
    names = ("pull", "expected pull", "width", "expected")
    pull, its, width, expected_width = (mean(own, lambda line, at=at: line["counts"][at]) for at in names)
    off, told = (mean(own, lambda line, at=at: line["law"][at]).value for at in ("off", "error"))
    return f"""## Classes with known probabilities

Three classes overlap; the largest probability is 0.53 on average. {len(own)} repetitions of 1,000 rows.

{table(["sets of", "held", "as wanted", "classes in a set"], rows)}

The pulls (y − p) / √(p (1 − p)) of new rows, with the calibrated p, have mean {pull} and width {width}; by the
true probabilities it would be {its.value:.3f} and {expected_width.value:.3f}. The probabilities are {off:.3f} off
the true ones (root mean square); `probability_std`, {told:.3f}, tells how far members disagree and is not the error of
a probability, since all of them learned from the same rows."""


def of_weights(parts: Lines) -> str:
    own = parts.get("weights")
    if not own:
        return ""
    rows = []
    for name in weights.NAMES:
        both = [mean(own, lambda line, at=name, i=i: line["scores"][at][i]) for i in (0, 1)]
        apart = difference(own, "scores", name)
        rows.append([name, *both, apart, "yes" if apart.agrees(0.0) else "**no**"])
    head = ["on the same 4,000 new rows", "whole weights", "repeated rows", "difference", "agree"]
    return f"""## Weights against repeated rows

600 rows with weights of 1, 2 or 3, against each row as often as it weighs; {len(own)} repetitions. The two runs
train in other batches, so that they agree on average only; metrics, baselines, intervals and full-batch training, where
the mathematics makes both equal, are compared number by number in the tests.

{table(head, rows)}"""


def of_negative(parts: Lines) -> str:
    own = parts.get("negative")
    if not own:
        return ""
    rows = []
    for name in weights.NAMES:
        both = [mean(own, lambda line, at=name, i=i: line["runs"][at][i]) for i in (0, 1)]
        apart = difference(own, "runs", name)
        rows.append([name, *both, apart, "yes" if apart.agrees(0.0) else "**no**"])
    exact = weights.exact(np.asarray(weights.AT))
    for i, (x, truth) in enumerate(zip(weights.AT, exact, strict=True)):
        both = [mean(own, lambda line, r=r, i=i: line["at"][r][i]) for r in (0, 1)]
        apart = mean(own, lambda line, i=i: line["at"][0][i] - line["at"][1][i])
        rows.append([f"p(s) at {x:g}, exactly {truth:.3f}", *both, apart, "yes" if apart.agrees(0.0) else "**no**"])
    same = []
    for name in own[0]["rows"]:
        apart = difference(own, "rows", name)
        both = [mean(own, lambda line, at=name, i=i: line["rows"][at][i]) for i in (0, 1)]
        same.append([name, *both, apart, "yes" if apart.agrees(0.0) else "**no**"])
    p = np.asarray([line["ks"] for line in own])
    sample = weights.weighted_sample(np.random.default_rng(0), 1500)
    effective = effective_number(sample["w"][sample["y"] == "s"])
    head = ["", "negative weights", "direct sample", "difference", "agree"]
    return f"""## Negative weights against a sample of the same physics

Signal is a normal density less 0.3 of a narrower one, either by events of weight −1 or drawn from the difference
itself; background is a density beside it. {len(own)} repetitions with weights that add up to 1,500 for each class. By
the signs, this signal counts as {effective:.0f} effective events only, so that a little less is learned from it.

Runs on both samples, on the same new events:

{table(head, rows)}

One run, judged by new events of both kinds (bins of the score: shares of the signal; Asimov significance of a cut
at one half, for 50 signal and 1,000 ± 5 % background events):

{table(head, same)}

The weighted Kolmogorov-Smirnov test calls the scores of both kinds of signal different at the 5 % level in \
{np.mean(p[:, 0] < 0.05):.0%} of the repetitions, those of the background in {np.mean(p[:, 1] < 0.05):.0%}."""


def of_tables(parts: Lines) -> str:
    tables = {name: own for name, own in tables_of(parts).items() if "smoothed" not in name}
    if not tables:
        return ""
    rows, agreeing, asked = [], 0, 0
    above: dict[str, list[float]] = {level: [] for level in LEVELS}
    for name, own in tables.items():
        cells = []
        for level in LEVELS:
            if not all(level in line["coverage"] for line in own):
                cells.append("–")
                continue
            found = mean(own, lambda line, at=level: line["coverage"][at])
            nominal = expected(float(level), own[0]["calibrated_on"])
            fine = found.agrees(float(level)) or found.agrees(nominal)
            agreeing, asked = agreeing + fine, asked + 1
            above[level].append(found.value - nominal)
            cells.append(f"{found.percent()}{'' if fine else ' **!**'}")
        rows.append([name.replace("_", " "), own[0]["task"], own[0]["calibrated_on"], own[0]["tested_on"], *cells])
    head = ["table", "task", "calibrated on", "tested on", "80 %", "90 %", "95 %"]
    splits = splits_of(tables.values())
    means = [Mean.of(values) for values in above.values()]
    pooled = ", ".join(f"{100 * each.value:+.1f} ± {100 * each.error:.1f}" for each in means)
    return f"""## Coverage on real tables

{splits} random splits of each table. With n rows to calibrate on, the mean coverage of a conformal interval is
⌈(n + 1) level⌉ / (n + 1), a little above the level where rows are few. Of {asked} coverages, {agreeing} lie within two
standard errors of that or of the level; of as many right ones, {0.95 * asked:.0f} are expected to. (!) marks the
others. Splits of one table share rows, so that the standard errors are a little too small. The mean over the tables
lies {pooled} per cent from what is expected at the three levels.
A dash: too few rows to promise the level.

{table(head, rows)}

For classes this is the share of rows whose true class the quantile keeps; sets that are shown always hold the
most probable class, too, and so hold more where networks are nearly always right."""


def of_folds(parts: Lines) -> str:
    """Return the coverage of CV+."""
    rows = []
    for part, own in parts.items():
        if part.startswith("folds "):
            held_by = [mean(own, lambda line, at=level: line["folds"][at]) for level in own[0]["folds"]]
            title = part.removeprefix("folds ").replace("_", " ")
            rows.append([title, own[0]["learned_from"], own[0]["tested_on"], *[each.percent() for each in held_by]])
    if not rows:
        return ""
    splits = splits_of(own for part, own in parts.items() if part.startswith("folds "))
    return f"""## Coverage with folds

The same with `--cv 5`, {splits} splits of each table: intervals by CV+, for which all rows but the test rows serve.
Guaranteed is 2 level − 1, the level or a little more is expected.

{table(["table", "rows in folds", "tested on", "80 %", "95 %"], rows)}"""


def of_defaults(parts: Lines) -> str:
    """Return what the defaults of a fit promise and hold."""
    of_tables = {part.removeprefix("default "): own for part, own in parts.items() if part.startswith("default ")}
    if not of_tables:
        return ""
    rows = []
    for name, own in of_tables.items():
        held_by = mean(own, lambda line: line["default"]["coverage"])
        classes = own[0]["default"]["size"] is not None
        of_classes = [
            f"{mean(own, lambda line: line['default']['size']).value:.2f}" if classes else "–",
            mean(own, lambda line: line["default"]["calibration_error"]) if classes else "–",
        ]
        folds = "yes" if own[0]["folds"] else "no"
        learned, tested = own[0]["learned_from"], own[0]["tested_on"]
        rows.append([name.replace("_", " "), learned, folds, tested, held_by.percent(), *of_classes])
    numbers = [own for own in of_tables.values() if own[0]["default"]["size"] is None]
    above = Mean.of(mean(own, lambda line: line["default"]["coverage"]).value for own in numbers)
    head = ["table", "rows", "folds", "tested on", "95 % hold", "classes in a set", "calibration error"]
    return f"""## Coverage by default

{splits_of(of_tables.values())} splits of each table, by `shoal.fit` without a setting but for the target: its own
search, which halves, folds where it chooses them, half of the candidates with piecewise inputs. Intervals of numbers
hold {above.percent()} % of the test rows in the mean over {len(numbers)} tables; sets of classes hold more than they
promise where one class is nearly always enough.

{table(head, rows)}"""


def of_calibration(parts: Lines) -> str:
    tables = {name: own for name, own in tables_of(parts).items() if "log_loss" in own[0]}
    if not tables:
        return ""
    rows = []
    for name, own in tables.items():
        cells: list[Any] = []
        for key in ("calibration_error", "log_loss"):
            cells += [mean(own, lambda line, at=key, i=i: line[at][i]) for i in (0, 1)]
        apart = mean(own, lambda line: line["log_loss"][1] - line["log_loss"][0])
        worse = "no" if apart.value <= 2.0 * apart.error or apart.value <= 0.0 else "**yes**"
        changed = np.mean([line["method"] != "none" for line in own])
        rows.append([name.replace("_", " "), f"{changed:.0%}", *cells, apart if changed else "–", worse])
    head = ["table", "calibrated", "ECE before", "after", "log-loss before", "after", "change", "worse beyond noise"]
    return f"""## Calibration

On the test rows of the same splits; the expected calibration error and the log-loss are means over the splits, the
change is that within each split. Probabilities are calibrated only where that lowers the cross-fitted log-loss of the
validation rows by more than its noise: of what networks learn by themselves, seldom. With smoothed labels they are far
too unsure, and calibration mends it.

{table(head, rows)}"""


def of_groups(parts: Lines) -> str:
    rows = []
    for name, own in tables_of(parts).items():
        if "smoothed" in name:
            continue
        groups: dict[str, list[list[float]]] = {}
        for line in own:
            for group, found in line.get("groups", {}).items():
                groups.setdefault(group, []).append(found)
        for group, found in groups.items():
            if len(found) < len(own) / 2:
                continue
            shares = [Mean.of(each[i] for each in found) for i in (1, 2)]
            number = np.mean([each[0] for each in found])
            rows.append([name.replace("_", " "), group, f"{number:.0f}", *[share.percent() for share in shares]])
    if not rows:
        return ""
    head = ["table", "group", "rows tested", "own quantile", "one for all"]
    return f"""## By group

Intervals of 90 % with a quantile for each group that has rows enough, beside one quantile for all:

{table(head, rows)}

With one quantile for all, groups are held by unequal shares; their own hold what they promise, on average a little
more, since each has few rows."""
