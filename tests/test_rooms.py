"""Who may import whom: a room knows the rooms above it in the way of the data, and the shared types."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "glutseg"
SHARED = ["version", "installation", "errors", "geometry", "image", "settings", "protocol", "result"]
WAY = ["dicom", "anatomy", "segmentation", "measurement", "quality", "output"]
AFTER = [
    *("case", "review", "exchange", "pacs", "batch", "study", "agreement", "report"),
    *("api", "listing", "terminal", "viewer", "cli"),
]
ALLOWED = {
    **{room: SHARED[:i] for i, room in enumerate(SHARED)},
    **{room: SHARED + WAY[:i] for i, room in enumerate(WAY)},
    "phantom": SHARED,
    **{room: SHARED + WAY + AFTER[:i] for i, room in enumerate(AFTER)},
    "viewer": SHARED + WAY + AFTER[: AFTER.index("viewer")] + ["phantom"],
    "cli": SHARED + WAY + AFTER[:-1] + ["phantom"],
    "__init__": [*SHARED, "case", "api"],
}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                pytest.fail("relative imports hide which room is meant")
            names |= {
                f"{node.module}.{a.name}" if node.module == "glutseg" else str(node.module)
                for a in node.names
            }
    return {name.split(".")[1] for name in names if name.startswith("glutseg.")}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_from_above(path):
    room = room_of(path)
    assert room in ALLOWED, (
        f"{room} is no room of the house; give it a place here and in docs/explanation/architecture.md"
    )
    strangers = imported_rooms(ast.parse(path.read_text(encoding="utf-8"))) - {room} - set(ALLOWED[room])
    assert not strangers, f"{room} must not know {sorted(strangers)}"


def test_the_check_sees_every_form_of_import():
    lines = ("import glutseg.cli", "from glutseg import batch", "from glutseg.output.text import plain")
    code = "\n".join([*lines, "def f():", " import glutseg.study.x"])
    assert imported_rooms(ast.parse(code)) == {"cli", "batch", "output", "study"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_library_code_neither_prints_nor_exits(path):
    calls = [n.func for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
    names = {f.id for f in calls if isinstance(f, ast.Name)}
    assert not names & {"print", "eval", "exec", "exit", "input"}
