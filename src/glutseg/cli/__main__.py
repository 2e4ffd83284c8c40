"""``python -m glutseg.cli``."""

from glutseg.cli import main

main()
