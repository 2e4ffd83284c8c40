"""Would the tests notice? Small changes to the source, and whether the tests of the changed module fail.

A mutant is one operator, number, condition or function exchanged for its neighbour. It is put into a copy of
the project, and the module's own tests run there in a process apart, which begins with numpy and the like
already loaded. What no test notices is listed: a test is missing, or the change makes no difference
(`mutants_equivalent.toml` says which, and why).

    python benchmarks/mutants.py --most 16 [--only measurement] [--out FILE.json [--again]]
"""

from __future__ import annotations

import argparse
import ast
import compileall
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.toml")
TARGETS = {
    "image.py": "test_image.py",
    "geometry.py": "test_geometry.py",
    "measurement/area.py": "measurement/test_area.py",
    "measurement/grown.py": "measurement/test_grown.py",
    "measurement/height.py": "measurement/test_height.py",
    "measurement/indices.py": "measurement/test_indices.py",
    "measurement/profile.py": "measurement/test_profile.py",
    "measurement/whole.py": "measurement/test_whole.py",
    "quality/images.py": "quality/test_quality_images.py",
    "quality/outline.py": "quality/test_quality_outline.py",
    "quality/profile.py": "quality/test_quality_profile.py",
    "dicom/grid.py": "dicom/test_dicom_stack.py",
    "dicom/stack.py": "dicom/test_dicom_stack.py",
    "dicom/slice_runs.py": "dicom/test_dicom_stack.py",
    "dicom/gaps.py": "dicom/test_dicom_gaps.py",
    "dicom/hounsfield.py": "dicom/test_dicom_hounsfield.py",
    "anatomy/level.py": "anatomy/test_level_rules.py anatomy/test_upright.py",
    "anatomy/sphere.py": "anatomy/test_sphere.py",
    "anatomy/orientation.py": "anatomy/test_orientation_bones.py",
    "output/sheared.py": "output/test_sheared.py",
    "review/remeasure.py": "review/test_remeasure.py",
    "study/effects.py": "study/test_effects.py",
    "study/compare.py": "study/test_compare.py",
    "study/correlate.py": "study/test_correlate.py",
    "study/power.py": "study/test_model_power.py",
    "agreement/statistics.py": "agreement/test_agreement_statistics.py",
    "agreement/surfaces.py": "agreement/test_surfaces.py",
}
"""Module under src/glutseg: its tests."""
PRELOADED = ("numpy", "scipy.stats", "scipy.ndimage", "skimage.measure", "pydicom", "SimpleITK", "pydantic",
             "hypothesis", "pytest")  # fmt: skip
EXCHANGED: dict[type[ast.AST], list[type[ast.AST]]] = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
}
NEIGHBOURS = {"min": "max", "max": "min", "any": "all", "all": "any", "argmin": "argmax", "argmax": "argmin",
              "sin": "cos", "cos": "sin"}  # fmt: skip
DROPPED = ("abs", "round", "sorted")


@dataclass(frozen=True)
class Mutant:
    """One change: ``before`` stands in ``module`` at ``start`` to ``end`` (characters), in line ``text``."""

    module: str
    text: str
    start: int
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        change = f"{' '.join(self.before.split())} -> {' '.join(self.after.split())}"
        return f"{self.module}: {change} in: {self.text}"

    def applied(self, source: str) -> str:
        return source[: self.start] + self.after + source[self.end :]


# what can be changed


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    """The neighbours of one expression."""
    yield from _other_operators(node)
    yield from _other_values(node)
    yield from _other_calls(node)


def _other_operators(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare():
            for i, op in enumerate(node.ops):
                for other in EXCHANGED.get(type(op), []):
                    ops = [*node.ops[:i], other(), *node.ops[i + 1 :]]
                    yield ast.Compare(node.left, ops, node.comparators)  # type: ignore[arg-type]
        case ast.BinOp(op=op) if type(op) in EXCHANGED:
            yield ast.BinOp(node.left, EXCHANGED[type(op)][0](), node.right)  # type: ignore[arg-type]
        case ast.BoolOp(op=op):
            yield ast.BoolOp(EXCHANGED[type(op)][0](), node.values)  # type: ignore[arg-type]
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield node.operand
        case ast.IfExp():
            yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)


def _other_values(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int()):
            yield ast.Constant(node.value + 1)
        case ast.Constant(value=float()):
            yield ast.Constant(node.value * 1.5 or 1.0)


def _other_calls(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[first]) if name in DROPPED:
            yield first
        case ast.Call(func=ast.Name(id=name)) if name in NEIGHBOURS:
            yield ast.Call(ast.Name(NEIGHBOURS[name]), node.args, node.keywords)
        case ast.Call(func=ast.Attribute(attr=name)) if name in NEIGHBOURS:
            called = ast.Attribute(node.func.value, NEIGHBOURS[name])  # type: ignore[attr-defined]
            yield ast.Call(called, node.args, node.keywords)


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    """All that is computed below a node: not annotations, documentation, or the words of messages."""
    match node:
        case ast.Raise() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return
        case ast.Assign(targets=[ast.Name(id="msg" | "message" | "words" | "told" | "__all__")]):
            return
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return
        case ast.Call(func=ast.Name(id="dataclass" | "field" | "TypeVar" | "cast")):
            return
        case ast.AnnAssign():
            children: list[ast.AST | None] = [node.value]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            children = [*node.args.defaults, *node.args.kw_defaults, *node.body]
        case _:
            children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.expr):
        yield node
    for child in children:
        if child is not None:
            yield from _expressions(child)


def mutants_of(module: str, source: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its text."""
    starts = [0]
    for text in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))

    def place(line: int, column_bytes: int) -> int:
        text = source[starts[line - 1] : starts[line]]
        return starts[line - 1] + len(text.encode()[:column_bytes].decode())

    found = []
    for node in _expressions(ast.parse(source)):
        start = place(node.lineno, node.col_offset)
        end = place(node.end_lineno or node.lineno, node.end_col_offset or 0)
        for other in _changes(deepcopy(node)):
            after = f"({ast.unparse(ast.fix_missing_locations(other))})"
            text = source[starts[node.lineno - 1] : starts[node.lineno]].strip()
            found.append(Mutant(module, text, start, end, source[start:end], after))
    return found


# running


def _copy(into: Path) -> Path:
    """The project in a folder of its own, with its neighbour of shared data."""
    project = into / "project"
    skipped = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.svg", "images")
    for name in ("src", "tests", "configs", "docs", "sample_dicom", "scripts", "benchmarks"):
        shutil.copytree(ROOT / name, project / name, ignore=skipped)
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy(path, project)
    shared = (ROOT.parent / "shared").resolve()
    if shared.is_dir():
        (into / "shared").symlink_to(shared)
    checked = importlib.import_module("py_compile").PycInvalidationMode.CHECKED_HASH  # times are too coarse
    compileall.compile_dir(project / "src", quiet=1, invalidation_mode=checked)
    return project


def _tests_pass(project: Path, tests: list[str], limit_s: float) -> bool:
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.chdir(project)
        os.environ["PYTHONPATH"] = str(project / "src")
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        sys.path.insert(0, str(project / "src"))
        code = int(
            importlib.import_module("pytest").main(["-x", "-q", "-p", "no:cacheprovider", "--tb=no", *tests])
        )
        os._exit(code)
    ends_s = time.monotonic() + limit_s
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        if time.monotonic() > ends_s:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(0.02)


def run_module(project: Path, module: str, tests: list[str], sample: list[Mutant]) -> dict[str, list[str]]:
    """Which of some mutants the tests do not notice, those that make no difference apart."""
    path = project / "src" / "glutseg" / module
    source = path.read_text(encoding="utf-8")
    begun_s = time.monotonic()
    if not _tests_pass(project, tests, 600):
        msg = f"{module}: {tests} do not pass as they are"
        raise RuntimeError(msg)
    limit_s = 20 + 8 * (time.monotonic() - begun_s)
    equivalent = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")) if EQUIVALENT.is_file() else {}
    survived: list[str] = []
    alike: list[str] = []
    for mutant in sorted(sample, key=lambda one: one.start):
        path.write_text(mutant.applied(source), encoding="utf-8")
        if _tests_pass(project, tests, limit_s):
            (alike if str(mutant) in equivalent.get("mutants", {}) else survived).append(str(mutant))
            print(f"  {mutant}", flush=True)
    path.write_text(source, encoding="utf-8")
    return {"survived": survived, "equivalent": alike}


def _sample(every: list[Mutant], most: int, seed: str) -> list[Mutant]:
    return every if len(every) <= most else random.Random(seed).sample(every, most)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--only", default="", help="modules whose path holds these words, divided by commas")
    parser.add_argument("--most", type=int, default=12, help="mutants per module")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="of the sample only what --out says survived")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON; those of other modules stay")
    asked = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    sys.dont_write_bytecode = True
    for name in PRELOADED:
        importlib.import_module(name)
    figures = json.loads(asked.out.read_text(encoding="utf-8")) if asked.out and asked.out.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="glutseg-mutants-") as scratch:
        project = _copy(Path(scratch))
        for module, tests in TARGETS.items():
            if not any(word in module for word in asked.only.split(",")):
                continue
            every = mutants_of(module, (ROOT / "src" / "glutseg" / module).read_text(encoding="utf-8"))
            if asked.again and module in figures:
                before = figures[module]
                left = before["survived"] + before["equivalent"]
                sample = [mutant for mutant in every if str(mutant) in left]
                n_tried = before["killed"] + len(sample)
            else:
                sample = _sample(every, asked.most, f"{asked.seed}{module}")
                n_tried = len(sample)
            found = run_module(project, module, [f"tests/{name}" for name in tests.split()], sample)
            n_killed = n_tried - len(found["survived"]) - len(found["equivalent"])
            figures[module] = {"mutants": len(every), "tried": n_tried, "killed": n_killed, **found}
            print(
                f"{module}: {n_killed} of {n_tried} noticed, {len(found['equivalent'])} equivalent",
                flush=True,
            )
            if asked.out:
                asked.out.write_text(
                    json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
                )


if __name__ == "__main__":
    main()
