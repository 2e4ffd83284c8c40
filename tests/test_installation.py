"""The command that adds an extra, for every way of installing glutseg."""

import json
import re
import shlex
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from glutseg import installation
from glutseg.installation import Origin, install_command, packages_of, read_origin

ROOT = Path(__file__).parents[1]


@pytest.fixture
def from_(monkeypatch):
    """Set what glutseg was installed from, with ``pip`` of this Python on the path."""
    monkeypatch.setattr(installation, "_pip", lambda: "pip install")
    return lambda origin: monkeypatch.setattr(installation, "origin", lambda: origin)


@pytest.mark.parametrize(
    ("content", "origin"),
    [
        ({"url": "file:///home/x/my%20glutseg", "dir_info": {}}, Origin(Path("/home/x/my glutseg"))),
        ({"url": "file:///c", "dir_info": {"editable": True}}, Origin(Path("/c"), is_editable=True)),
        (
            {"url": "file:///d/glutseg-1-py3-none-any.whl", "archive_info": {}},
            Origin(address="file:///d/glutseg-1-py3-none-any.whl"),
        ),
        (
            {"url": "https://x.org/g.git", "vcs_info": {"vcs": "git", "commit_id": "a1"}},
            Origin(address="git+https://x.org/g.git@a1"),
        ),
        (
            {"url": "https://x/g", "vcs_info": {"vcs": "git", "commit_id": "a", "requested_revision": "v1"}},
            Origin(address="git+https://x/g@v1"),
        ),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")
def test_what_the_installer_recorded_is_read(content, origin):
    assert read_origin(json.dumps(content)) == origin


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "{", '"x"'])
def test_without_a_record_it_came_from_an_index(content):
    assert read_origin(content) == Origin()


def test_the_command_for_a_checkout(from_, tmp_path, monkeypatch):
    folder = tmp_path / "it's here"
    folder.mkdir()
    from_(Origin(folder))
    assert shlex.split(install_command("study")) == ["pip", "install", f"{folder}[study]"]
    monkeypatch.chdir(folder)
    assert install_command("study") == "pip install '.[study]'"
    from_(Origin(folder, is_editable=True))
    assert install_command("study", "viewer") == "pip install -e '.[study,viewer]'"


def test_the_command_for_a_wheel_a_repository_and_an_index(from_, tmp_path):
    wheel = tmp_path / "glutseg-1-py3-none-any.whl"
    wheel.touch()
    for address in (wheel.as_uri(), "git+https://x.org/g.git@a1"):
        from_(Origin(address=address))
        assert shlex.split(install_command("dicom"))[-1] == f"glutseg[dicom] @ {address}"
    from_(Origin())
    assert install_command("dicom") == "pip install 'glutseg[dicom]'"


def test_where_the_source_is_gone_the_packages_are_named(from_, tmp_path, monkeypatch):
    lines = [
        "a>=1",
        'b>=2 ; extra == "study"',
        "c ; extra == 'dicom'",
        "d<3; (python_version>'3') and extra == 'study'",
    ]
    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    for origin in (Origin(tmp_path / "gone"), Origin(address=(tmp_path / "gone.whl").as_uri())):
        from_(origin)
        assert shlex.split(install_command("study")) == ["pip", "install", "b>=2", "d<3"]
    monkeypatch.setattr(metadata, "requires", lambda name: None)
    assert packages_of(("study",)) == []


def test_windows_knows_double_quotes_only(from_, monkeypatch):
    from_(Origin())
    monkeypatch.setattr(installation.sys, "platform", "win32")
    assert install_command("study") == 'pip install "glutseg[study]"'


def test_pip_is_named_so_that_it_installs_into_this_python(tmp_path, monkeypatch):
    monkeypatch.setattr(installation, "origin", Origin)
    monkeypatch.setattr(installation.sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    monkeypatch.setattr(installation.shutil, "which", lambda name: str(tmp_path / "elsewhere" / name))
    assert install_command("study").startswith(f"{tmp_path}/venv/bin/python -m pip install ")
    monkeypatch.setattr(installation.shutil, "which", lambda name: str(tmp_path / "venv" / "bin" / name))
    assert install_command("study").startswith("pip install ")
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    assert install_command("study").startswith(f"uv pip install -p {tmp_path}/venv/bin/python ")


def test_an_installed_wheel_knows_where_it_came_from(tmp_path):
    """With pip, in a real environment: the record is pip's own."""
    wheel, site = tmp_path / "glutseg-9-py3-none-any.whl", tmp_path / "site"
    with zipfile.ZipFile(wheel, "w") as file:
        file.write(ROOT / "src" / "glutseg" / "installation.py", "glutseg/installation.py")
        file.writestr("glutseg/__init__.py", "")
        about = "glutseg-9.dist-info"
        file.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: glutseg\nVersion: 9\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", site, wheel]
    subprocess.run(pip, check=True, cwd=tmp_path)
    probe = "from glutseg.installation import install_command as c; print(c('study'))"
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env={"PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shlex.split(done.stdout)[-1] == f"glutseg[study] @ {wheel.as_uri()}"


def test_no_page_and_no_message_names_a_package_of_an_index():
    """The package is on none; the command that works stands in messages, and for a checkout on the pages."""
    files = [p for folder in ("src", "docs", "examples") for p in (ROOT / folder).rglob("*.*")]
    texts = {p: p.read_text(encoding="utf-8") for p in files if p.suffix in {".py", ".md", ".toml", ".yaml"}}
    assert len(texts) > 100
    assert not [p for p, text in texts.items() if re.search(r"pip install ['\"]?glutseg\b", text)]
