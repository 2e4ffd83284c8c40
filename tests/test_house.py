"""What keeps the house in order: sizes, leftovers, tests that mirror the rooms, codes and pictures in use."""

import ast
import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest

from glutseg.errors import catalogue

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "glutseg"
TESTS = ROOT / "tests"
SOURCE = sorted(PACKAGE.rglob("*.py"))
TEST_FILES = sorted(TESTS.rglob("*.py"))
OURS = [
    *SOURCE,
    *TEST_FILES,
    *sorted((ROOT / "benchmarks").glob("*.py")),
    *sorted((ROOT / "scripts").glob("*.py")),
    *sorted((ROOT / "training").rglob("*.py")),
]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
TEST_HOMES = {"listing": "cli", "result": "output", "version": "cli"}
"""Rooms without tests of their own name: what tests them."""
ABOUT_THE_PROJECT = {
    "accuracy",
    "attacks",
    "benchmarks",
    "docs",
    "examples",
    "house",
    "input_document",
    "readme",
    "release",
    "rooms",
    "training",
}
"""Tests beside the rooms: documents, scripts, the house itself."""
LEFTOVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def functions_of(path):
    return [
        node for node in ast.walk(tree_of(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def test_files_are_short():
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in OURS}
    assert not {name: n for name, n in lines.items() if n > MAX_FILE_LINES}


def length_of(node):
    """Lines of a function; of a command without its parameters, which are the words of `--help`.

    The same goes for a function of the API, whose parameters are the words of `help()`.
    """
    doors = [ast.unparse(decorator) for decorator in node.decorator_list]
    is_door = any("app.command" in name or name == "python_errors" for name in doors)
    return (node.end_lineno or 0) - (node.body[0].lineno if is_door else node.lineno) + 1


def test_functions_are_short():
    lengths = {f"{name_of(path)}: {f.name}": length_of(f) for path in OURS for f in functions_of(path)}
    assert not {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES}


def test_every_exception_is_still_one():
    for room, home in TEST_HOMES.items():
        assert not (TESTS / room).is_dir()
        assert (TESTS / home).is_dir()


def comments_of(path):
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def test_nothing_is_left_to_do_in_a_comment():
    assert not {
        name_of(path): words for path in OURS for words in comments_of(path) if LEFTOVER.search(words)
    }


def rooms():
    return {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in SOURCE} - {"__init__"}


def test_every_room_has_its_tests():
    at = {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")}
    at |= {path.name for path in TESTS.iterdir() if path.is_dir()}
    assert not {room for room in rooms() if TEST_HOMES.get(room, room) not in at}


def test_every_folder_of_tests_is_a_room():
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert folders <= rooms() | ABOUT_THE_PROJECT
    beside = {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")}
    assert beside <= rooms() | ABOUT_THE_PROJECT


def imported(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_a_test_knows_the_room_it_stands_in():
    """By itself, through what a neighbour in the folder makes for it, or as a command."""
    strangers = []
    for path in TEST_FILES:
        room, names = path.parent.name, set(imported(path))
        helpers = {p.stem for p in path.parent.glob("*.py")}
        knows = any(f"{name}.".startswith(f"glutseg.{room}.") for name in names) or names & helpers
        is_of_a_room = (
            path.stem.startswith("test_") and path.parent != TESTS and room not in ABOUT_THE_PROJECT
        )
        if is_of_a_room and not knows:
            strangers += [name_of(path)] * (room not in strings(tree_of(path)))
    assert not strangers


def test_no_test_imports_another():
    tests = {path.stem for path in TEST_FILES if path.name.startswith("test_")}
    assert not {name_of(path): found for path in TEST_FILES if (found := tests & set(imported(path)))}


def strings(tree):
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.fixture(scope="module")
def words():
    """All texts of the source, and of the tests apart from this one."""
    source = [tree_of(p) for p in SOURCE]
    tests = [tree_of(p) for p in TEST_FILES if p != Path(__file__)]
    return set().union(*map(strings, source)), "\n".join(set().union(*map(strings, tests)))


def test_every_code_is_raised_and_tested(words):
    in_source, in_tests = words
    assert not catalogue().keys() - in_source, "nothing says them"
    assert not [code for code in catalogue() if not re.search(rf"(?<![a-z-]){code}(?![a-z-])", in_tests)], (
        "no test"
    )


def test_every_picture_is_shown():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    kinds = {".png", ".svg", ".jpg", ".gif", ".webp"}
    pictures = [p.name for p in (ROOT / "docs").rglob("*") if p.suffix in kinds]
    assert pictures
    assert not [name for name in pictures if name not in text]


def test_tests_have_something_to_fail_on():
    """An assertion, an expected error, or a call of something that asserts."""
    tests = [
        (path, node) for path in TEST_FILES for node in functions_of(path) if node.name.startswith("test_")
    ]
    idle = [
        f"{name_of(path)}::{node.name}" for path, node in tests if not any(map(_can_fail, ast.walk(node)))
    ]
    assert not idle


def test_no_assertion_is_true_whatever_comes():
    """``assert a == b if c else d`` asks nothing of ``a`` where ``c`` is false; nor does a tuple."""
    asserted = [(p, n) for p in TEST_FILES for n in ast.walk(tree_of(p)) if isinstance(n, ast.Assert)]
    loose = (ast.IfExp, ast.Tuple, ast.Constant)
    assert not [f"{name_of(path)}:{node.lineno}" for path, node in asserted if isinstance(node.test, loose)]


def _can_fail(node):
    if isinstance(node, ast.Assert | ast.Raise):
        return True
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return called.startswith(("assert", "raises", "fail", "check", "refused", "waitUntil"))
