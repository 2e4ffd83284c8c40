"""Progress of real runs: in a terminal of 80 x 24 (a pty), and in a file."""

import os
import re
import subprocess
import sys
import time

import pytest

from glutseg.phantom import PhantomScan, random_patients, write_studies
from glutseg.result import CaseResult
from glutseg.terminal.progress import Bar, progress

GLUTSEG = [sys.executable, "-m", "glutseg.cli"]
TINY = PhantomScan(matrix=64, pixel_mm=5.0, slice_mm=20.0, noise_hu=0.0)
N_SLICES = 3
"""Too few to be measured: such a study fails within a second, with everything else real."""
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("progress") / "in"
    for study in write_studies(folder, list(random_patients(3, 1)), TINY):
        for path in sorted(study.rglob("*.dcm"))[N_SLICES:]:
            path.unlink()
    return folder


def in_terminal(command, folder, columns=80, rows=24):
    """What a command writes to a terminal, as (seconds since its start, text), and its exit code."""
    pty, fcntl, struct, termios = (pytest.importorskip(n) for n in ("pty", "fcntl", "struct", "termios"))
    start = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:  # the child: nothing of pytest may run in it
        try:
            os.chdir(folder)
            os.environ.pop("COLUMNS", None)
            os.environ["TERM"] = "xterm-256color"
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execv(command[0], [str(word) for word in command])  # noqa: S606 - pytest's own child
        finally:
            os._exit(99)
    written = []
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not data:
            break
        written.append((time.monotonic() - start, data.decode("utf-8", "replace")))
    os.close(terminal)
    return written, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.slow
def test_a_terminal_shows_within_seconds_what_is_done_and_keeps_no_trace_of_it(studies, tmp_path):
    written, code = in_terminal([*GLUTSEG, "run", studies, "-o", "out"], tmp_path)
    text = "".join(part for _, part in written)
    shown = CONTROL.sub("", text)
    assert code == 1, shown
    assert re.search(r"measuring PHANTOM-\S+ .* 0/3 0:00:\d\d", shown)
    assert re.search(r"[123]/3 0:00:\d\d", shown[shown.index("0/3") :])  # not every study has its own frame
    after = shown[shown.index("case ") :].replace("\r\n", "\n").replace("\r", "\n")
    lines = after.splitlines()
    assert not [line for line in lines if len(line) > 80]
    assert [line.split()[1] for line in lines if line.startswith("PHANTOM-")] == ["failed"] * 3
    assert "3 studies: 0 ok, 0 review, 3 failed, 0 excluded" in after
    assert "next: glutseg status" in after
    frames = [line for line in re.split(r"[\r\n]+", shown[: shown.index("case ")]) if line]
    assert not [line for line in frames if len(line) > 80]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [None, "80"])
def test_in_a_file_there_is_a_line_per_study_without_control_codes(studies, tmp_path, columns):
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [*GLUTSEG, "run", studies, "-o", "out", "-j", "2"],
        cwd=tmp_path,
        env={**environment, **({"COLUMNS": columns} if columns else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    first, *studies_done = done.stderr.splitlines()
    assert first == "measuring 3 studies"
    assert [line.split()[0] for line in studies_done] == ["1/3", "2/3", "3/3"]
    pattern = r"\d/3 PHANTOM-\d{4}-\w+ failed [\w-]+ \d+\.\d s"
    assert not [line for line in studies_done if not re.fullmatch(pattern, line)]
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("PHANTOM-")]
    assert len(rows) == 3
    if columns:
        assert max(map(len, done.stdout.splitlines())) <= 80
    else:  # without a width a row holds its reason as well
        assert all(len(row.split()) > 3 for row in rows)


def test_going_on_and_ids_of_headers_are_said_in_plain_text(capsys):
    bar = Bar(None)
    bar.scanning(3, 10)
    bar.measuring(2, 4, None)
    bar.started("a")
    bar.measuring(3, 4, CaseResult("a\x1b[2J", "P", "1", "", "ok", seconds={"reading": 1.26, "writing": 2.0}))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == ["measuring 4 studies, 2 of them done before", "3/4 a [2J ok 3.3 s"]


def test_outside_a_terminal_there_is_no_bar(capsys):
    with progress() as bar:
        bar.rendering(1, 2)
    assert capsys.readouterr().err == ""
