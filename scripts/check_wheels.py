"""Check that nobody needs a compiler: everything glutseg depends on has wheels for every system and Python.

    python scripts/check_wheels.py

Resolves core and extras for each of them from wheels alone, with uv, which must be on the path; only the
index is read. Ends with 1 where something has none, and says what.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
NOT_CHECKED = ("dev", "docs", "training", "totalsegmentator")
"""Extras that are not for users, or that bring PyTorch."""
PLATFORMS = {
    "Linux x86-64": "x86_64-manylinux_2_28",
    "Linux arm64": "aarch64-manylinux_2_28",
    "macOS 14 arm64": "aarch64-apple-darwin",
    "Windows x86-64": "x86_64-pc-windows-msvc",
}
NEWER_LINUX = ("viewer",)
"""Extras whose wheels need glibc 2.39 (Qt's; 2.34 on x86-64), not 2.28."""
LACKING = {("3.14", "dicom"): "pyjpegls, which highdicom needs, has none"}
"""(Python, extra): why there are no wheels."""
INDEX = """[[index]]
url = "{url}"
default = true
cache-control = {{ api = "max-age=600" }}
"""
"""uv's settings: the index is asked once, not once for every system and Python."""


def main() -> int:
    """Check all; the exit status."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    extras = [extra for extra in project["optional-dependencies"] if extra not in NOT_CHECKED]
    with TemporaryDirectory() as folder, ThreadPoolExecutor(4) as threads:
        settings = Path(folder) / "uv.toml"
        url = os.environ.get("UV_DEFAULT_INDEX", "https://pypi.org/simple")
        settings.write_text(INDEX.format(url=url), encoding="utf-8")

        def check(case: tuple[str, str]) -> tuple[str, list[str]]:
            python, system = case
            there = [extra for extra in extras if (python, extra) not in LACKING]
            older = [extra for extra in there if extra not in NEWER_LINUX]
            tried = {PLATFORMS[system]: older, PLATFORMS[system].replace("2_28", "2_39"): there}
            return f"Python {python}, {system}", [lacks(settings, python, *one) for one in tried.items()]

        results = list(threads.map(check, product(pythons, PLATFORMS)))
    for name, problems in results:
        print(f"{name}: {'; '.join(filter(None, problems)) or 'all wheels are there'}")
    for (python, extra), why in LACKING.items():
        print(f"Python {python}, extra {extra}: left out, {why}")
    return int(any(any(problems) for _, problems in results))


def lacks(settings: Path, python: str, platform: str, extras: list[str]) -> str:
    """Why core and extras cannot be resolved from wheels; empty where they can."""
    command = ["uv", "pip", "compile", "--quiet", "--no-header", "--only-binary", ":all:", str(PROJECT)]
    command += ["--config-file", str(settings), "--python-version", python, "--python-platform", platform]
    command += [word for extra in extras for word in ("--extra", extra)]
    # no other Python is needed to resolve for it; macOS 14 is the oldest that onnxruntime has wheels for
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return "" if done.returncode == 0 else " ".join(done.stderr.split())


if __name__ == "__main__":
    sys.exit(main())
