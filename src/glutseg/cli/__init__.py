"""The command line; each command parses its options and calls the rooms.

Slow libraries are imported inside the commands, so that ``glutseg --help`` is fast.
"""

from glutseg.cli import after as after
from glutseg.cli import exchange as exchange
from glutseg.cli import runs as runs
from glutseg.cli import study as study
from glutseg.cli import tools as tools
from glutseg.cli.frame import app, main

__all__ = ["app", "main"]
