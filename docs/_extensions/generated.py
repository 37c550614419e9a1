"""Parts of pages that shoal says itself when the site is built, in the place of `<!-- generated: settings -->`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sphinx.application import Sphinx
from typer.main import get_command

import shoal
from shoal.cli.app import app as command_line
from shoal.errors import ShoalError, ShoalWarning
from shoal.evaluation import log_tables
from shoal.networks import ACTIVATIONS, LAYERS, Layer
from shoal.setting_panels import PANELS, WITH_FLAGS, flag, panel
from shoal.settings import FitSettings, choices_of, default_in_words
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import LOSSES
from shoal.training.optimizers import OPTIMIZERS

BOUNDS = {"ge": "≥ ", "gt": "> ", "le": "≤ ", "lt": "< "}


def settings() -> str:
    """Return a table for each panel of the help, with a row for each setting of `fit`."""
    panels: dict[str, list[tuple[str, ...]]] = {title: [] for title in PANELS}
    for name, field in FitSettings.model_fields.items():
        described = field.description or _hyperparameter(name).description or ""
        default = default_in_words(name).removeprefix("default: ")
        panels[panel(name)].append((f"`{name}`", _text(described), _range(name), _text(default)))
    head = ("setting", "what it is", "values", "if not given")
    return "\n".join(f"## {title}\n\n{_table(head, rows)}" for title, rows in panels.items())


def commands() -> str:
    """Return a section for each command: what it does, its arguments and options, examples."""
    group: Any = get_command(command_line)
    context = group.make_context("shoal", [], resilient_parsing=True)
    return "\n".join(_command(name, group.resolve_command(context, [name])[1]) for name in group.commands)


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    # The settings of `fit` have a page.
    listed = set(map(flag, WITH_FLAGS)) if name == "fit" else set()
    options = [p for p in command.params if p.param_type_name == "option" and not listed & set(p.opts)]
    rows = [(f"`{p.metavar or p.name}`", _text(p.help or "")) for p in arguments]
    rows += [(" ".join(f"`{word}`" for word in (*p.opts, *p.secondary_opts)), _text(p.help or "")) for p in options]
    if name == "fit":
        rows.append(("all others", "[the settings of a fit](settings.md)"))
    examples = (command.epilog or "").removeprefix("Examples:").strip()
    table = _table(("argument or option", "what it is"), rows)
    return f"## `shoal {name}`\n\n{_text(command.help)}\n\n{table}\n```text\n{examples}\n```\n"


def names() -> str:
    """Return the public names of `shoal` from their docstrings, functions first."""
    titles = {"Functions": [], "Classes": [], "Layers and activations": [], "Errors and warnings": [], "Data": []}
    for name in shoal.__all__:
        value = getattr(shoal, name)
        if not inspect.isclass(value):
            titles["Functions" if callable(value) else "Data"].append(name)
        elif issubclass(value, (ShoalError, ShoalWarning)):
            titles["Errors and warnings"].append(name)
        else:
            titles["Layers and activations" if issubclass(value, Layer) else "Classes"].append(name)
    lines = []
    for title, members in titles.items():
        documented = [name for name in members if title != "Data" and title != "Layers and activations"]
        lines += [f"## {title}\n"] * bool(documented)
        lines += [_documented(f"shoal.{name}", getattr(shoal, name)) for name in documented]
    return "\n".join(lines)


def layers() -> str:
    """Return every layer from its docstring."""
    return "\n".join(_documented(f"shoal.networks.{name}", layer, members=False) for name, layer in LAYERS.items())


def _documented(path: str, value: Any, *, members: bool = True) -> str:
    kind = "class" if inspect.isclass(value) else "function"
    options = "   :members:\n" if kind == "class" and members else ""
    # what scikit-learn adds for the routing of metadata refers to its own documentation
    routing = [name for name in dir(value) if name.startswith("set_") and name.endswith("_request")]
    options += f"   :exclude-members: {', '.join(routing)}\n" if options and routing else ""
    return f"```{{eval-rst}}\n.. auto{kind}:: {path}\n{options}```\n"


def activations() -> str:
    """Return a table of the activations."""
    return _of_docstrings({name: each.function for name, each in ACTIVATIONS.items()})


def losses() -> str:
    """Return a table of the losses."""
    return _of_docstrings({name: each.values for name, each in LOSSES.items()})


def optimizers() -> str:
    """Return a table of the optimizers."""
    return _of_docstrings(OPTIMIZERS)


def _of_docstrings(functions: Mapping[str, Any]) -> str:
    rows = []
    for name, function in functions.items():
        summary = (inspect.getdoc(function) or "").split("\n\n")[0].removeprefix("Return ")
        rows.append((f"`{name}`", _text(" ".join(summary.split()))))
    return _table(("name", "what it is"), rows)


def log() -> str:
    """Return a table of the columns of each table of `log.sqlite`."""
    tables = {"candidates": log_tables.CANDIDATE_COLUMNS, "networks": log_tables.NETWORK_COLUMNS}
    tables |= {"curves": log_tables.CURVE_COLUMNS, "replicas": log_tables.REPLICA_COLUMNS}
    rows = [(f"`{name}`", ", ".join(f"`{column}`" for column, *_ in columns)) for name, columns in tables.items()]
    return _table(("table", "columns"), rows)


def keras() -> str:
    """Return the names under which users of other libraries look for a setting."""
    from shoal.setting_names import _OTHER_NAMES

    rows = [(", ".join(f"`{other}`" for other in others), f"`{name}`") for name, others in _OTHER_NAMES.items()]
    return _table(("elsewhere", "here"), rows)


def _hyperparameter(name: str) -> Any:
    return Hyperparameters.model_fields.get(name) or FitSettings.model_fields[name]


def _range(name: str) -> str:
    """Return the words or the range that a setting may have."""
    if choices_of(name):
        return ", ".join(f"`{choice}`" for choice in choices_of(name))
    metadata = [*FitSettings.model_fields[name].metadata, *_hyperparameter(name).metadata]
    nested = [inner for item in metadata for inner in getattr(item, "metadata", [item])]
    bounds = {f"{sign}{getattr(item, key):g}" for item in nested for key, sign in BOUNDS.items() if hasattr(item, key)}
    return ", ".join(sorted(bounds, reverse=True))


def _text(text: str) -> str:
    """Return plain words as Markdown that shows them as they are, but for code."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.replace(r"\[", "[").split()))
    return "".join(p if i % 2 else re.sub(r"([<*$\[\]])", r"\\\1", p) for i, p in enumerate(parts))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


PARTS = {
    part.__name__: part for part in (settings, commands, names, layers, activations, losses, optimizers, log, keras)
}


def _fill(app: Sphinx, docname: str, source: list[str]) -> None:  # noqa: ARG001 - the signature of the event
    source[0] = re.sub(r"<!-- generated: (\w+) -->", lambda found: PARTS[found[1]](), source[0])


def _mend(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Make a docstring reStructuredText: stars and bars stand for themselves; the settings of `fit` have a page."""
    if name == "shoal.fit" and "Settings:" in lines:
        lines[lines.index("Settings:") :] = ["Every setting stands on the page :doc:`/reference/settings`.", ""]
    example = False
    for i, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            parts = re.split(r"(`[^`]*`)", line)
            lines[i] = "".join(p if n % 2 else re.sub(r"([*|])", r"\\\1", p) for n, p in enumerate(parts))


def setup(app: Sphinx) -> dict[str, bool]:
    """Fill the marked places of pages."""
    app.connect("source-read", _fill)
    app.connect("autodoc-process-docstring", _mend, priority=400)  # before napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}
