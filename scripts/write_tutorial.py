"""Do what docs/tutorial/first-study.md says, and write what was printed into it.

Nothing is replaced: 24 phantoms are made, measured and compared, in three to five minutes. ``--check``
changes nothing and ends with exit code 1 where the page tells otherwise. Needs the extra `study`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pages
from PIL import Image

PAGE = pages.ROOT / "docs" / "tutorial" / "first-study.md"
PICTURES = pages.ROOT / "docs" / "images" / "tutorial"
CASE = "COHORT-0002-*"
MARK = "run by scripts/write_tutorial.py"
FIRST_LINES, LAST_LINES = 7, 4
"""Of a long print, the rest is left out."""
WIDTH = 92
"""Of sentences, as the page shows them."""


def printed_by(block: pages.Block, folder: Path) -> str:
    """What a block prints when it is carried out in the folder."""
    if block.language == "python":
        commands = [[sys.executable, "-c", block.text]]
    else:
        commands = [[sys.executable, "-m", "glutseg.cli", *words[1:]] for words in block.commands()]
    printed = ""
    for command in commands:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 2):  # 2: something asks for a look
            msg = f"{block.place}: exit code {done.returncode}"
            raise RuntimeError(msg)
        printed += done.stdout
    return printed


def shortened(text: str) -> str:
    """The first and last lines of a long print."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    if len(lines) > FIRST_LINES + LAST_LINES + 1:
        lines[FIRST_LINES:-LAST_LINES] = ["…"]
    is_table = "│" in text
    return "\n".join(lines if is_table else [textwrap.fill(line, WIDTH) for line in lines]) + "\n"


def take_pictures(out: Path) -> None:
    """The picture of a case that asks for a look, and the figure of the result."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    (overlay,) = out.glob(f"cases/{CASE}/overlay.png")
    with Image.open(overlay) as picture:
        picture.convert("RGB").save(PICTURES / "case.jpg", quality=85)
    (PICTURES / "groups.svg").write_bytes((out / "study" / "figures" / "groups.svg").read_bytes())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    only_check = parser.parse_args().check
    text, differing = PAGE.read_text(encoding="utf-8"), []
    with tempfile.TemporaryDirectory() as folder:
        printed = ""
        for block in pages.blocks(PAGE):
            if block.mark == MARK:
                printed = printed_by(block, Path(folder))
            elif block.is_output and not pages.same_output(block.text, printed):
                differing.append(f"{block.place} tells otherwise than:\n{printed}")
                text = text.replace(f"```text\n{block.text}```", f"```text\n{shortened(printed)}```", 1)
        if not only_check:
            take_pictures(Path(folder) / "OUT")
            PAGE.write_text(text, encoding="utf-8")
    if only_check and differing:
        sys.stderr.write("\n".join([*differing, "run: python scripts/write_tutorial.py\n"]))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
