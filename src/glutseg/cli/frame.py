"""The command line application: common options, exit codes, and errors in one line."""

from __future__ import annotations

import difflib
import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from glutseg.errors import GlutsegError

NOTHING_DONE = 1
"""Exit code if nothing could be done; 0: all is done, 2: some cases need review, failed or were left out."""

SOME_DONE = 2

SIMILAR = 0.7
"""How similar an option has to be to be offered for one that does not exist, 0 to 1 (difflib)."""

STOPPED = 130
"""Exit code after Ctrl-C or SIGTERM, as in shells (128 + SIGINT)."""

ORDER = ("scan", "run", "status", "review", "collate", "report", "study", "agree", "export", "measure")
"""Commands in the order of a study; the others follow."""


class _InOrder(typer.core.TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


app = typer.Typer(
    cls=_InOrder,
    help="Gluteus maximus area on pelvic CT, from a DICOM folder to a table. Research use only.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all is well; 2 something needs a look or failed; 1 nothing could be done.",
    pretty_exceptions_enable=False,
)

InputArgument = Annotated[Path, typer.Argument(metavar="INPUT", help="A folder of DICOM files, or a zip.")]
SeriesOption = Annotated[
    list[str] | None,
    typer.Option("--series-uid", metavar="UID", help="Measure this series of its study; may be repeated."),
]
ProtocolOption = Annotated[
    str, typer.Option("--protocol", "-p", metavar="NAME|FILE.toml", help="What to measure and how.")
]


JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict/--lenient",
        help="Exit code 2 also where nothing failed and something needs a look; --lenient: then 0.",
    ),
]


def main() -> None:
    """Entry point; user errors and wrong options print one line and give exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may know fewer letters than patients' ids have
            stream.reconfigure(errors="replace")
    try:
        code = app(prog_name="glutseg", standalone_mode=False)
    except typer.TyperException as error:
        if message := usage_error(error):
            typer.echo(message, err=True)
        code = NOTHING_DONE
    except typer.Abort:
        code = NOTHING_DONE
    sys.exit(code if isinstance(code, int) else 0)


def usage_error(error: Any) -> str:
    """One line for an option or argument that is wrong: the command, what is wrong, what it may be."""
    from glutseg.output.text import plain

    context = getattr(error, "ctx", None)
    command = context.command_path if context else "glutseg"
    message = getattr(error, "message", "")
    options = getattr(error, "possibilities", None) or ()
    if near := difflib.get_close_matches(str(getattr(error, "option_name", "")), options, cutoff=SIMILAR):
        message = f"{message}; did you mean {' or '.join(near)}?"
    elif not options:
        message = error.format_message()
    message = plain(message.replace("Value error, ", "")).rstrip(".")  # pydantic's words
    gap = "" if message.endswith("?") else ";"
    return f"{command}: {message}{gap} `{command} -h` shows what there is" if message else ""


@contextmanager
def user_errors() -> Iterator[None]:
    """Print a `GlutsegError` as one line on stderr instead of a traceback."""
    from glutseg.terminal import print_error

    # warnings of libraries may quote unescaped header text
    warnings.simplefilter("ignore")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    try:
        yield
    except GlutsegError as error:
        print_error(error)
        raise typer.Exit(NOTHING_DONE) from error
    except KeyboardInterrupt as stop:
        typer.echo("glutseg: stopped; finished cases are kept, `glutseg run ... --resume` goes on", err=True)
        raise typer.Exit(STOPPED) from stop


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout, in ASCII: every control character is escaped."""
    typer.echo(json.dumps(content, indent=1, allow_nan=False))


def print_record(file: Path) -> None:
    """Print a JSON file that was just written, and its folder."""
    print_json({"folder": str(file.parent), **json.loads(file.read_text(encoding="utf-8"))})


def _print_version(wanted: bool) -> None:
    if wanted:
        from glutseg.version import __version__

        typer.echo(f"glutseg {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
