"""How this installation of glutseg was made, and with it the command that adds an extra to it.

The slower modules of the standard library are imported where they are needed: every command loads this one.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

NAME = "glutseg"


@dataclass(frozen=True)
class Origin:
    """What glutseg was installed from.

    Attributes
    ----------
    folder : the checkout or unpacked source archive; None for a wheel, an address or an index
    is_editable : the folder is used where it is, without a copy
    address : of a wheel, an archive or a repository, as pip takes it after ``glutseg @``; "" for an index
    """

    folder: Path | None = None
    is_editable: bool = False
    address: str = ""


def read_origin(direct_url: str) -> Origin:
    """Parse ``direct_url.json``, which pip and uv leave beside what was not installed from an index.

    Origin of the format: PEP 610. What cannot be read counts as an index.
    """
    try:
        content = json.loads(direct_url)
        url = str(content["url"])
    except (ValueError, TypeError, KeyError):
        return Origin()
    folder = _path_of(url)
    if "dir_info" in content and folder is not None:
        return Origin(folder, is_editable=bool(content["dir_info"].get("editable")))
    if "vcs_info" in content:
        vcs = content["vcs_info"]
        revision = vcs.get("requested_revision") or vcs.get("commit_id") or ""
        return Origin(address=f"{vcs.get('vcs', 'git')}+{url}" + (f"@{revision}" if revision else ""))
    return Origin(address=url)


def origin() -> Origin:
    """What the running glutseg was installed from; a source tree on the path counts as its folder."""
    from importlib import metadata

    folder = Path(__file__).resolve().parents[2]
    if (folder / "pyproject.toml").is_file() and (folder / "src" / NAME).is_dir():
        return Origin(folder, is_editable=True)
    try:
        return read_origin(metadata.distribution(NAME).read_text("direct_url.json") or "")
    except metadata.PackageNotFoundError:
        return Origin()


def install_command(*extras: str) -> str:
    """The command that adds extras to this installation, to be pasted into a terminal.

    From a checkout it is ``pip install '.[study]'``, or with the folder's path if that is another one; from a
    wheel or a repository it names that. Where these are gone, it names the packages that the extras need.
    """
    found = origin()
    names = ",".join(extras)
    if found.folder is not None and found.folder.is_dir():
        folder = "." if found.folder == Path.cwd().resolve() else found.folder
        return f"{_pip()} {'-e ' if found.is_editable else ''}{_quoted(f'{folder}[{names}]')}"
    file = _path_of(found.address)
    if found.folder is None and (file is None or file.is_file()):
        at = f" @ {found.address}" if found.address else ""
        return f"{_pip()} {_quoted(f'{NAME}[{names}]{at}')}"
    return " ".join([_pip(), *map(_quoted, packages_of(extras))])


def packages_of(extras: tuple[str, ...]) -> list[str]:
    """The requirements of extras, from the metadata of the installation."""
    from importlib import metadata

    found = []
    for line in metadata.requires(NAME) or ():
        requirement, _, marker = line.partition(";")
        if {*re.findall(r"extra\s*==\s*['\"]([^'\"]+)['\"]", marker)} & {*extras}:
            found.append(requirement.strip())
    return list(dict.fromkeys(found))


def _path_of(url: str) -> Path | None:
    """The path of a ``file:`` address; None for another one."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    parts = urlsplit(url)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _pip() -> str:
    """``pip install`` of this Python: by its name alone only where the name leads to it."""
    folder = Path(sys.executable).parent
    if find_spec("pip") is None and shutil.which("uv"):  # uv makes environments without pip
        return f"uv pip install -p {_quoted(sys.executable)}"
    at = shutil.which("pip")
    if at is not None and Path(at).parent == folder:
        return "pip install"
    return f"{_quoted(sys.executable)} -m pip install"


def _quoted(text: str) -> str:
    """Quoted for the shell: double quotes under Windows, whose cmd.exe knows no others."""
    if sys.platform == "win32":
        return f'"{text}"' if re.search(r"[\s\[\];<>=@&^]", text) else text
    return shlex.quote(text)
