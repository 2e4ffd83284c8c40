"""Make notebooks of the examples, with what they print and draw.

``examples/*.py`` are scripts in cells (``# %%``). Beside each its notebook is written anew, done in a folder
with the sample or with a small cohort. ``--only one_patient`` does one of them. Takes a few minutes. Needs
the extras `study` and `dev`.
"""

from __future__ import annotations

import argparse
import base64
import io
import re
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from glutseg.phantom.cohort import cohort_members, write_cohort

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
CELL = re.compile(r"^# %%( \[markdown\])?\n", re.MULTILINE)
PER_GROUP = 5
"""Patients per group in the notebook of two groups; the script by itself makes more, which takes longer."""
TIMEOUT_S = 1200
COLOURS = 128
PNG = "image/png"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def notebook_of(script: Path) -> NotebookNode:
    """The notebook of a script in cells, not yet done.

    Raises
    ------
    ValueError
        When the script does not begin with a cell.
    """
    start, *parts = CELL.split(script.read_text(encoding="utf-8"))
    if start:
        msg = f"{script.name} does not begin with a cell"
        raise ValueError(msg)
    cells = []
    for n, (kind, text) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        if kind:
            words = re.sub(r"^# ?", "", text, flags=re.MULTILINE).strip()
            cell = new_markdown_cell(words)
        else:
            cell = new_code_cell(text.strip())
        cell.id = f"cell-{n}"  # the same for the same script
        cells.append(cell)
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL})


def done(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook with its outputs, done in a folder.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        For the first cell that fails.
    """
    client = NotebookClient(
        notebook, timeout=TIMEOUT_S, resources={"metadata": {"path": str(folder)}}, record_timing=False
    )
    client.execute()
    for output in (o for cell in notebook.cells for o in cell.get("outputs", ()) if PNG in o.get("data", ())):
        output.data[PNG] = small(output.data[PNG])
    notebook.metadata = {"kernelspec": KERNEL}  # without the version of Python
    return notebook


def small(picture: str) -> str:
    """A PNG as notebooks hold it, with fewer colours, of which the rare ones of outlines are kept."""
    made = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(made, "PNG", optimize=True)
    return base64.b64encode(made.getvalue()).decode("ascii")


def prepare(folder: Path, script: Path) -> None:
    """Put there what an example asks for."""
    if "sample_dicom" in script.read_text(encoding="utf-8"):
        shutil.copytree(ROOT / "sample_dicom", folder / "sample_dicom")
    else:
        write_cohort(folder / "cohort", cohort_members(per_group=PER_GROUP))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="name of an example, without .py")
    only = parser.parse_args().only
    for script in sorted(EXAMPLES.glob(f"{only}.py")):
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), script)
            notebook = done(notebook_of(script), Path(folder))
        nbformat.write(notebook, script.with_suffix(".ipynb"))


if __name__ == "__main__":
    main()
