"""Results on stdout, as text for people."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from glutseg.errors import catalogue
from glutseg.terminal.console import say, text, width_of, wrapped, write
from glutseg.terminal.table import cells, table_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from glutseg.batch.status import RunStatus
    from glutseg.errors import Flag
    from glutseg.measurement.grown import GrownRegion
    from glutseg.protocol import Protocol

MAX_ROWS = 40
"""Rows of a table before it is shortened."""
STATUS_STYLES = {"ok": "green", "review": "yellow", "failed": "red", "excluded": "dim"}


def print_lines(lines: Sequence[str], last: str) -> None:
    """Print sentences on stdout."""
    for line in (*lines, last):
        say(line)


def print_status(status: RunStatus) -> None:
    """Print the result of `glutseg status`."""
    counts = ", ".join(f"{n} {name}" for name, n in status.counts.items())
    say(f"{status.state}: {status.n_done} of {status.n_studies} studies are done; {counts}")
    if status.n_done < status.n_studies:
        if status.seconds_per_study is not None and status.state == "running":
            rest_min = status.seconds_per_study * (status.n_studies - status.n_done) / 60
            say(f"{status.seconds_per_study:.1f} s per study; about {rest_min:.0f} min to go")
        if status.seconds_since_last is not None:
            say(f"the last one was done {status.seconds_since_last:.0f} s ago")
        say("if the run is not running any more, `glutseg run ... --resume` goes on")
    for reviewer, numbers in status.decisions.items():
        decisions = ", ".join(f"{n} {name}" for name, n in numbers.items())
        say(f"reviewed by {reviewer}: {decisions} of {status.n_studies}")
    for case_id, _, reason in status.exclusions[:MAX_ROWS]:
        say(f"excluded: {case_id}: {reason}")
    failures = [
        (name, code, f"{reason}. {catalogue()[code].remedy}") for name, code, reason in status.failures
    ]
    print_cells(("failed", "code", "reason, and what can be done"), failures)


def print_listing(listing: dict[str, Any]) -> None:
    """Print the list of `glutseg scan`: the series of each study, and why each is measured or not."""
    width, study = width_of(sys.stdout), None
    lines = []
    for row in listing["series"]:
        if (row["patient_id"], row["study_uid"]) != study:
            study = row["patient_id"], row["study_uid"]
            lines.append(text(f"{row['patient_id'] or '(no id)'}, {row['study_date'] or 'no date'}", "bold"))
        measured = {None: "no", 1: "yes"}.get(row["rank"], f"{row['rank']}.")
        style = {None: "dim", 1: "green"}.get(row["rank"], "")
        reason = "; ".join([row["reason"], *(f"{f['code']}: {f['message']}" for f in _flags(row))])
        lines += wrapped(text(f"{measured:<5}{_series(row)}", style), width, 7, 2)
        lines += wrapped(text(reason, style), width, 7)
    for problem in listing["problems"][:MAX_ROWS]:
        lines += wrapped(text(f"left out: {problem['path']}: {problem['message']}"), width, 2, 0)
    write(sys.stdout, lines)
    if len(listing["problems"]) > MAX_ROWS:
        say(f"... and {len(listing['problems']) - MAX_ROWS} more files; see --json")
    of_study: dict[tuple[str, str], bool] = {}
    for row in listing["series"]:
        key = row["patient_id"], row["study_uid"]
        of_study[key] = of_study.get(key, False) or row["rank"] is not None
    n_measured = sum(of_study.values())
    has_next = any((row["rank"] or 0) > 1 for row in listing["series"])
    legend = "; 2., 3., ...: measured where the series before fail" if has_next else ""
    say(f"{n_measured} of {len(of_study)} studies can be measured{legend}")


def _series(row: dict[str, Any]) -> str:
    """A series in a line: its name and geometry."""
    name = f"{row['modality']} {row['description']}".strip()
    if row["n_parts"] > 1:
        name += f" (part {row['part']} of {row['n_parts']})"
    images = "1 image" if row["n_images"] == 1 else f"{row['n_images']} images"
    if 0 < row["n_slices"] < row["n_images"]:
        images = f"{row['n_slices']} slices of {row['n_images']} images"
    parts = [images]
    if row["spacing_zyx_mm"]:
        parts.append(" x ".join(f"{s:g}" for s in row["spacing_zyx_mm"]) + " mm (z, y, x)")
    if row["z_range_mm"]:
        parts.append("z {:.0f} to {:.0f} mm".format(*row["z_range_mm"]))
    if row["kernel"]:
        parts.append(f"kernel {row['kernel']}")
    return f"{name}: {', '.join(parts)}"


def _flags(row: dict[str, Any]) -> list[dict[str, str]]:
    """Return the flags of a series that may be measured; for a rejected one the reason is enough."""
    return [] if row["rank"] is None else row["flags"]


def print_protocols(protocols: Sequence[Protocol]) -> None:
    """Print the table of `glutseg protocols`."""
    print_cells(("name", "description"), [(protocol.name, protocol.description) for protocol in protocols])


def print_region(region: GrownRegion, flags: Sequence[Flag], mask_file: Path | None) -> None:
    """Print the result of `glutseg grow`, with OsiriX's three decimals."""
    seed, readout = region.stored_seed, region.readout
    z_mm = region.mask.stored.slice_z_mm(seed.z)
    settings = region.settings.model_dump()
    method = settings.pop("method")
    lines = {
        "seed": f"x {seed.x}, y {seed.y}, slice {seed.z} at z = {z_mm:.1f} mm; {region.seed_hu} HU",
        "method": f"{method}, {'3D' if region.is_3d else '2D'}; "
        + ", ".join(f"{name} {value:g}" for name, value in settings.items()),
        "region": f"{readout.n_pixels} pixels on {len(region.slices)} slices",
        "area": _with_unit(readout.area_mm2, "mm²"),
        "polygon area": _with_unit(readout.polygon_area_mm2, "mm²"),
        "volume": _with_unit(readout.volume_cm3, "cm³"),
        "mean": _with_unit(readout.mean_hu, "HU"),
        "SD (n - 1)": _with_unit(readout.sd_hu, "HU"),
        "min to max": f"{readout.min_hu:g} to {readout.max_hu:g} HU",
        "sum": f"{readout.sum_hu:.0f} HU",
        **{f"flag {number}": f"{flag}: {flag.message}" for number, flag in enumerate(flags, start=1)},
        "mask": "" if mask_file is None else str(mask_file),
    }
    width = width_of(sys.stdout)
    for name, words in lines.items():
        if words:
            write(sys.stdout, wrapped(text(f"{name:<14}{words}"), width, 14, 0))


def _with_unit(value: float | None, unit: str) -> str:
    """Format a value with its unit; "" if it is unknown."""
    return "" if value is None or math.isnan(value) else f"{value:.3f} {unit}"


def print_cells(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str] = (),
    right: Collection[str] = (),
) -> None:
    """Print a table, shortened to `MAX_ROWS`, and lines below it; ``right`` names its columns of numbers."""
    shown = [cells(row) for row in rows[:MAX_ROWS]]
    write(sys.stdout, table_lines(names, shown, width_of(sys.stdout), right))
    if len(rows) > MAX_ROWS:
        say(f"... and {len(rows) - MAX_ROWS} more")
    for note in notes:
        say(note)
