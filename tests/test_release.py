"""What a release says of itself is what the package says."""

import re
import tomllib
from pathlib import Path

import glutseg

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NOT_FOR_USERS = ("dev", "docs", "training")


def required():
    """{package: (lowest version, where)} of all that a user may install."""
    extras = PROJECT["optional-dependencies"]
    lists = {"core": PROJECT["dependencies"]} | {
        f"`{x}`": extras[x] for x in extras if x not in NOT_FOR_USERS
    }
    parts = [
        (re.match(r"([\w-]+)>=([\d.]+)", text), where) for where, texts in lists.items() for text in texts
    ]
    assert all(found for found, _ in parts), "every dependency has a lowest version"
    return {found[1]: (found[2], where) for found, where in parts if not found[1].startswith("glutseg")}


def test_every_dependency_is_listed_with_its_lowest_version_and_licence():
    text = (ROOT / "docs/reference/dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| ([\d.]+) \| (\S+) \| (\S.*?) \| .+ \|$", text, re.MULTILINE)
    assert {name: (lowest, where) for name, lowest, where, _ in rows} == required()


def test_the_changelog_keeps_its_form():
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    versions = [line for line in lines if line.startswith("## ")]
    assert versions[0] == "## [Unreleased]"
    assert all(re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line) for line in versions[1:])
    kinds = ["### Added", "### Changed", "### Deprecated", "### Removed", "### Fixed", "### Security"]
    for part in "\n".join(lines).split("\n## ")[1:]:
        found = [line for line in part.splitlines() if line.startswith("### ")]
        assert found == sorted(set(found), key=kinds.index), part.splitlines()[0]


def test_the_declared_pythons_are_those_that_are_tested():
    declared = [c.rsplit(" ", 1)[-1] for c in PROJECT["classifiers"] if "Python :: 3." in c]
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert declared == ["3.11", "3.12", "3.13", "3.14"]
    assert all(version in checks for version in declared)
    assert PROJECT["requires-python"] == f">={declared[0]}"


def test_the_types_are_told_and_the_version_is_in_one_place():
    assert (Path(glutseg.__file__).parent / "py.typed").exists()
    assert "version" in PROJECT["dynamic"]
    assert "version" not in PROJECT
