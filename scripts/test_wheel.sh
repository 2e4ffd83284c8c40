#!/usr/bin/env bash
# Tests a built wheel as somebody else has it: in an environment of its own, with the tests of the source archive.
#   scripts/test_wheel.sh DIST PYTHON highest|lowest-direct [TESTS...]
# DIST holds both archives (`python -m build --outdir DIST`). `lowest-direct` takes the lowest versions that
# pyproject.toml allows. Needs uv. Where this PYTHON is not installed it says so and does nothing.
set -euo pipefail
dist=$(cd "$1" && pwd) version=$2 resolution=$3
tests=("${@:4}")
[ ${#tests[@]} -gt 0 ] || tests=(tests/dicom tests/measurement tests/output tests/cli/test_grow_command.py
  tests/segmentation/test_growing.py tests/study/test_compare.py tests/study/test_effects.py
  tests/exchange/test_round_trips.py
  tests/cli/test_cli.py tests/test_api.py tests/test_protocol.py tests/test_image.py)

python=
for candidate in "$(command -v "python$version" || true)" "$HOME/.pyenv/versions/$version".*/bin/python; do
  if [ -x "$candidate" ] && "$candidate" -c '' 2> /dev/null; then python=$candidate; fi
done
[ -n "$python" ] || { echo "Python $version is not on this machine; nothing was tested with it"; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xf "$dist"/glutseg-*.tar.gz -C "$work" --strip-components 1
cd "$work"
uv venv -q -p "$python" env
extras=(--extra study --extra parquet)
[ "$version" = 3.14 ] || extras+=(--extra dicom)  # pyjpegls, which highdicom needs, has no wheel for 3.14
uv pip compile -q -p env/bin/python --resolution "$resolution" "${extras[@]}" pyproject.toml -o pins.txt
uv pip install -q -p env/bin/python -r pins.txt
uv pip install -q -p env/bin/python --no-deps "$dist"/glutseg-*.whl
uv pip install -q -p env/bin/python -c pins.txt 'pytest>=8' 'pytest-xdist>=3.6' 'hypothesis>=6.120'
rm -r src
env/bin/glutseg run sample_dicom -o out
test "$(wc -l < out/measurements.csv)" -eq 3
env/bin/python -m pytest -q -n 2 -p no:cacheprovider "${tests[@]}"
