"""The README's commands are those that the checks run, word for word."""

import re
from pathlib import Path

import glutseg

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHECKS = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_two_commands_are_checked_as_written():
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert command in CHECKS


def test_the_readme_is_short_and_says_what_it_must():
    assert len(README.splitlines()) < 150
    assert README.count("research use only") == 1


def test_links_lead_somewhere():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert page.parent.joinpath(target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert not [page for page in pages if page != "index.md" and f"]({page})" not in index]


def test_anchors_of_the_readme_are_there():
    for target, anchor in re.findall(r"\]\(([^)#:]+)#([^)]+)\)", README):
        titles = re.findall(r"^#+ (.*)$", (ROOT / target).read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


def test_versions_agree():
    assert f"version: {glutseg.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_python_example_uses_names_that_exist():
    for name in re.findall(r"glutseg\.([a-z_]+)\(", README):
        assert name in glutseg.__all__
