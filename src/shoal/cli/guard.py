"""From exceptions to exit codes: what goes wrong becomes one or two lines on stderr, never a traceback."""

from __future__ import annotations

import functools
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shoal.errors import ShoalError, ShoalWarning

UNEXPECTED = 1
INTERRUPTED = 130
BROKEN_PIPE = 1  # as rich and typer have it


def guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command whose errors are told and become exit codes.

    `SHOAL_DEBUG=1` lets errors that nobody foresaw pass, with their traceback.
    """

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            with _warnings_in_words():
                command(*arguments, **options)
                sys.stdout.flush()
        except ShoalError as error:
            tell("error", str(error))
            raise SystemExit(error.exit_code) from None
        except KeyboardInterrupt:
            tell("error", "interrupted")
            raise SystemExit(INTERRUPTED) from None
        except BrokenPipeError:
            _forget_stdout()
            raise SystemExit(BROKEN_PIPE) from None
        except Exception as error:
            if debugging() or _belongs_to_typer(error):
                raise
            text = " ".join(str(error).split()) or "no message"
            tell("error", f"unexpected {type(error).__name__}: {text}")
            tell("hint", "this is a fault of shoal; set SHOAL_DEBUG=1 to see where it happened.")
            raise SystemExit(UNEXPECTED) from None

    return run


def tell(kind: str, text: str) -> None:
    """Print `kind: text` on stderr, with the kind in colour on a terminal."""
    from rich.markup import escape

    from shoal.cli.output import console

    colour = {"error": "bold red", "warning": "yellow"}.get(kind, "dim")
    console(stderr=True).print(f"[{colour}]{kind}:[/] {escape(text)}", soft_wrap=True, highlight=False)


@contextmanager
def _warnings_in_words() -> Iterator[None]:
    """Show each ShoalWarning as one line; other warnings look as ever."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", ShoalWarning)
        usual = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, ShoalWarning):
                tell("warning", str(message))
            else:
                usual(message, category, *where, **more)

        warnings.showwarning = show
        yield


def debugging() -> bool:
    """Return whether `SHOAL_DEBUG` asks for tracebacks and for the warnings of libraries."""
    return os.environ.get("SHOAL_DEBUG", "").lower() not in ("", "0", "false", "no")


def _belongs_to_typer(error: Exception) -> bool:
    """Return whether typer itself turns this into an exit code (usage errors, Exit, Abort)."""
    import typer

    usage = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
    return isinstance(error, (typer.Exit, typer.Abort, usage))


def _forget_stdout() -> None:
    """Point stdout to nowhere, so that Python does not complain about the closed pipe at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
