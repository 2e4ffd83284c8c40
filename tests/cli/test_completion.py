"""Completion with the Tab key (docs/reference/cli.md), asked as each shell asks, in the installed command."""

import os
import shutil
import subprocess
import sys

import pytest

from glutseg.cli.frame import ORDER

COMMAND = [sys.executable, "-m", "glutseg.cli"]
ASKED = {
    "bash": lambda line: {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
    "zsh": lambda line: {"_TYPER_COMPLETE_ARGS": line},
    "fish": lambda line: {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    "powershell": lambda line: {
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": line.split(" ")[-1],
    },
}


def completed(shell, line):
    """What the shell is told for a line that ends where the Tab key was pressed."""
    probe = "import sys; from glutseg.cli import main; sys.argv = ['glutseg']; main()"
    environment = {**os.environ, "_GLUTSEG_COMPLETE": f"complete_{shell}", **ASKED[shell](line)}
    done = subprocess.run(
        [sys.executable, "-c", probe], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", ASKED)
def test_commands_and_options_are_offered(shell):
    offered = completed(shell, "glutseg st")
    assert all(name in offered for name in ORDER if name.startswith("st"))
    assert "scan" not in offered
    assert "--overwrite" in completed(shell, "glutseg run --over")


def test_values_are_offered_and_files_are_left_to_the_shell():
    assert completed("bash", "glutseg export OUT --format s").split() == ["seg", "sr"]
    assert completed("bash", "glutseg run ").strip() == ""
    assert completed("zsh", "glutseg run ").strip() == "_files"


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete"), ("zsh", "compdef"), ("fish", "complete")])
def test_the_script_is_shown_and_installed_without_a_network(shell, word, tmp_path):
    home = {**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    shown, installed = (
        subprocess.run([*COMMAND, option, shell], env=home, capture_output=True, text=True, check=True).stdout
        for option in ("--show-completion", "--install-completion")
    )
    assert word in shown
    assert "installed in" in installed
    assert any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_itself_takes_the_script(tmp_path):
    (tmp_path / "glutseg").write_text(f'#!/bin/sh\nexec {sys.executable} -m glutseg.cli "$@"\n')
    (tmp_path / "glutseg").chmod(0o755)
    script = (
        'eval "$(glutseg --show-completion bash)"; COMP_WORDS=(glutseg st); COMP_CWORD=1; '
        '_glutseg_completion glutseg; echo "${COMPREPLY[@]}"'
    )
    home = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    done = subprocess.run(["bash", "-c", script], env=home, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["status", "study"]
