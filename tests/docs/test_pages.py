"""Every command and every piece of Python in the README and in docs/ is run, or says why it is not.

A page's blocks run from top to bottom in a folder of their own, with the names that the pages use. The
studies are small phantoms whose hips and outlines are told (`doc_folder`), so that all pages take seconds.
A command that writes a result begins without an earlier one, as a reader would.
"""

import contextlib
import io
import itertools
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pages
import pytest
import typer
from doc_folder import drawn, glutseg, inside, prepare, stand_ins

from glutseg.cli import app
from glutseg.protocol import load_protocol

ROOT = pages.ROOT
PAGES = {path.relative_to(ROOT).as_posix(): list(pages.blocks(path)) for path in pages.pages()}
BLOCKS = [block for blocks in PAGES.values() for block in blocks]
NOT_RUN = [block for block in BLOCKS if block.reason]
RUN_ELSEWHERE = [block for block in BLOCKS if block.run_by]


def run_here(found):
    """The blocks that this test runs, with what they print."""
    kept, is_here = [], True
    for block in found:
        is_here = is_here if block.is_output else not (block.reason or block.run_by)
        kept += [block] if is_here else []
    return kept


RUN = {name: kept for name, found in PAGES.items() if (kept := run_here(found))}
LANGUAGES = {"bash", "python", "toml", "text"}
GOES_ON = {"--resume", "--retry", "--overwrite", "--keep-reviews"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "prepared"
    phantoms = drawn()
    with stand_ins(phantoms):
        prepare(folder, phantoms)
        yield folder


@pytest.fixture
def folder(prepared, tmp_path):
    copy = tmp_path / "here"
    shutil.copytree(prepared, copy, symlinks=True)
    with inside(copy):
        yield copy


def written_by(words):
    """The folder that a command fills."""
    out = [after for option, after in itertools.pairwise(words) if option in ("-o", "--out")]
    inner = {"study": "study", "agree": "agreement"}
    if words[0] in inner:
        return out or [Path(words[1]) / inner[words[0]]]
    return out if words[0] in ("run", "measure", "import-osirix") else []


def run_command(words):
    """One line of a shell block: only glutseg's own commands, into a file at most."""
    assert words[0] == "glutseg", f"{words[0]} cannot be run here: say why it is not, or who runs it"
    words, target = (words[1:-2], words[-1]) if ">" in words else (words[1:], None)
    for old in written_by(words) if not GOES_ON & set(words) else ():
        shutil.rmtree(old, ignore_errors=True)
    printed = glutseg(*words)
    if target:
        Path(target).write_text(printed, encoding="utf-8")
        return ""
    return printed


def run_block(block, names):
    """What the block prints."""
    if block.language == "bash":
        return "".join(run_command(words) for words in block.commands())
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block.text, block.place, "exec"), names)  # noqa: S102
    return printed.getvalue()


@pytest.mark.parametrize("name", RUN)
def test_what_a_page_says_can_be_done(name, folder):
    names, printed = {"__name__": "__page__"}, ""
    for block in RUN[name]:
        if block.is_output:
            assert pages.same_output(block.text, printed), f"{block.place} tells otherwise than:\n{printed}"
        elif block.language in ("bash", "python"):
            try:
                printed = run_block(block, names)
            except BaseException as error:
                error.add_note(f"in {block.place}")
                raise
        elif block.language == "toml":
            Path("page.toml").write_text(block.text, encoding="utf-8")
            load_protocol("page.toml")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_block_says_what_it_is(block):
    assert block.language in LANGUAGES or block.language.startswith("{"), "name the language"
    if block.mark.startswith(("not run", "run by")):
        assert block.reason or block.run_by, "a mark is `not run: needs ...`, `run by FILE` or `output`"


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: block.place)
def test_what_is_not_run_says_why_and_is_still_spelled_right(block):
    assert re.match(r"needs \w+ \w+", block.reason), "a reason begins with `needs`"
    if block.language == "python":
        compile(block.text, block.place, "exec")
        return
    for words in block.commands():
        check_spelling(words)


def check_spelling(words):
    """The command exists and takes these options; an extra that is installed exists; a script is there."""
    commands = typer.main.get_command(app).commands
    while words and re.fullmatch(r"\w+=.*", words[0]):  # a shell's variable
        words = words[1:]
    if "glutseg" in words[:1]:
        words = [word for word in words if word not in ("&", "…")]
        commands[words[1]].make_context(words[1], words[2:])
    for extra in re.findall(r"(?:glutseg|\.)\[([\w,]+)\]", " ".join(words)):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert set(extra.split(",")) <= set(project["optional-dependencies"])
    for script in (word for word in words if word.endswith(".py") and "/" in word):
        text = (ROOT / script).read_text(encoding="utf-8")
        assert all(option in text for option in words if option.startswith("--"))


@pytest.mark.parametrize("block", RUN_ELSEWHERE, ids=lambda block: block.place)
def test_what_is_run_elsewhere_is_run_there(block):
    runner = (ROOT / block.run_by).read_text(encoding="utf-8")
    commands = [part.strip() for line in block.text.splitlines() for part in line.split("&&")]
    assert Path(block.page).name in runner or all(command in runner for command in commands)


INLINE = [
    (path.relative_to(ROOT).as_posix(), words)
    for path in pages.pages()
    for words in re.findall(r"`(glutseg [a-z][^`]*)`", pages.FENCE.sub("", path.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(("page", "words"), INLINE, ids=lambda value: value)
def test_commands_within_the_text_exist_with_their_options(page, words):
    name, *rest = shlex.split(words.replace("\\|", "|"))[1:]
    commands = typer.main.get_command(app).commands
    known = {option for parameter in commands[name].params for option in parameter.opts}
    assert {word for word in rest if word.startswith("-")} <= known | {"--help"}


def test_a_block_without_a_mark_cannot_be_missed():
    fences = sum(
        len(re.findall(r"^ *```", path.read_text(encoding="utf-8"), re.MULTILINE)) for path in pages.pages()
    )
    assert fences == 2 * len(BLOCKS)
    told = [block for block in BLOCKS if block.is_output]
    run = [block for found in RUN.values() for block in found if not block.is_output]
    assert len(BLOCKS) == len(run) + len(told) + len(NOT_RUN) + len(RUN_ELSEWHERE)


def test_output_is_compared():
    assert pages.same_output("a  1\n…\nz\n", "a 1\nb\nc\nz\n")
    assert pages.same_output("a\n…\n", "a\nb\n")
    assert pages.same_output("3 studies; 5 s\n", "3 studies; 17 s\n")
    assert not pages.same_output("a 1\n…\nz\n", "a 2\nz\n")
    assert not pages.same_output("a\n", "a\nb\n")


def test_what_a_page_must_not_say_is_refused():
    with pytest.raises(AssertionError, match="cannot be run here"):
        run_command(["ls", "EXPORT"])
    with pytest.raises(typer.TyperException, match="--nonsense"):
        run_command(["glutseg", "scan", "EXPORT", "--nonsense"])
    with pytest.raises(AssertionError, match="input-missing"):
        run_command(["glutseg", "scan", "NOWHERE"])


def test_marks_are_read(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run: needs a display -->\n```bash\nglutseg review OUT # it\n```\n\n```text\n```\n", "utf-8"
    )
    reviewing, empty = pages.blocks(page, tmp_path)
    assert (reviewing.reason, reviewing.line) == ("needs a display", 2)
    assert reviewing.commands() == [["glutseg", "review", "OUT"]]
    assert (empty.text, empty.mark) == ("", "")
