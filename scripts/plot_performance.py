"""Draw docs/images/performance-*.svg and write the tables of docs/explanation/performance.md.

    python scripts/plot_performance.py

From benchmarks/results/: speed.json, scan.json, scale.json, large.json and viewer.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from glutseg.output.documents import Sections, refresh
from glutseg.study import figures as look

ROOT = Path(__file__).resolve().parents[1]
WRITER = "scripts/plot_performance.py"
RESULTS, DOCS = ROOT / "benchmarks" / "results", ROOT / "docs"
NAMES = ("speed", "scan", "scale", "large", "viewer")
KINDS = {"glutseg": look.BLUE, "simpleitk": look.ORANGE, "pydicom": look.GREEN}
SHOWN = {
    "glutseg": "glutseg, all of it",
    "simpleitk": "SimpleITK, reading only",
    "pydicom": "pydicom, reading only",
}
JPEG2000 = "300 slices, JPEG 2000"
STAGES = ("read", "anatomy", "segmentation", "measurement", "writing")
PARTS = {
    "run": "a run, but for the measuring itself",
    "resume": "`--resume` when all are done",
    "status": "`glutseg status`",
}
COLOURS = dict(zip(PARTS, (look.BLUE, look.ORANGE, look.GREEN), strict=True))
HOUR_S = 3600.0
Results = dict[str, dict[str, Any]]
"""By name, as the benchmarks stored them."""


def draw_slices(speed: dict[str, Any]) -> Figure:
    """Cost against slices."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    time, memory = figure.subplots(1, 2)
    plain = {int(name.split()[0]): one for name, one in speed["studies"].items() if name.endswith("slices")}
    for kind, colour in KINDS.items():
        for axes, key in ((time, "cpu_s"), (memory, "peak_mb")):
            values = [one[kind][key] for one in plain.values()]
            axes.plot(list(plain), values, "o-", color=colour, label=SHOWN[kind])
        packed = [speed["studies"][JPEG2000][kind]["cpu_s"]]
        time.plot([int(JPEG2000.split()[0])], packed, "D", color=colour, markerfacecolor="white")
    time.plot([], [], "D", color=look.QUIET_INK, markerfacecolor="white", label="the same in JPEG 2000")
    _name(time, "slices of 512 × 512", "seconds of CPU, all processes")
    _name(memory, "slices of 512 × 512", "peak of the largest process, MB")
    figure.legend(*time.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def draw_studies(scale: dict[str, Any]) -> Figure:
    """Pace against workers, memory against studies."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    pace, memory = figure.subplots(1, 2, width_ratios=(1, 2))
    workers = scale["pace"]["workers"]
    heights = [one["studies_per_s"] * HOUR_S for one in workers.values()]
    pace.bar(list(workers), heights, color=look.BLUE, width=0.6)
    _name(pace, "workers", "small phantoms an hour")
    flat = scale["memory"]
    numbers = range(1, flat["studies"] + 1)
    memory.plot(numbers, flat["worker_mb"], color=look.BLUE, label="worker")
    memory.plot(numbers, flat["main_mb"], color=look.VERMILION, label="main process")
    _name(memory, "studies done (small phantoms)", "memory after each, MB")
    memory.legend()
    return figure


def draw_large(large: dict[str, Any]) -> Figure:
    """Minutes and memory of the main process to 100,000 studies."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    time, memory = figure.subplots(1, 2)
    for part, words in PARTS.items():
        sizes = [one for one in large["sizes"] if part in one["parts"]]
        studies = [one["studies"] for one in sizes]
        for axes, key in ((time, "minutes"), (memory, "peak_mb")):
            values = [one["parts"][part][key] for one in sizes]
            axes.plot(studies, values, "o-", color=COLOURS[part], label=words.replace("`", ""))
    in_words = FuncFormatter(lambda value, _: f"{value:,.10g}")
    for axes in (time, memory):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(in_words)
    time.set_yscale("log")
    time.yaxis.set_major_formatter(in_words)
    _name(time, "studies", "minutes")
    _name(memory, "studies", "peak of the main process, MB")
    figure.legend(*time.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _name(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if axes.get_yscale() == "linear":
        axes.set_ylim(bottom=0)


def speed_table(speed: dict[str, Any]) -> str:
    """Ratios first, then seconds and memory."""
    head = (
        "| study | glutseg / SimpleITK | / pydicom | glutseg, s | SimpleITK, s | pydicom, s "
        "| peak MB: glutseg | SimpleITK |"
    )
    rows = [
        f"| {name} | **{_ratio(one, 'simpleitk')}** | {_ratio(one, 'pydicom')} | "
        + " | ".join(f"{one[kind]['wall_s']:.1f} ({one[kind]['cpu_s']:.1f})" for kind in KINDS)
        + f" | {one['glutseg']['peak_mb']:.0f} | {one['simpleitk']['peak_mb']:.0f} |"
        for name, one in speed["studies"].items()
    ]
    start = speed["start_up"]
    words = (
        "By the clock; of CPU, all processes together, in brackets. `glutseg --help` takes "
        f"{start['help']['wall_s']:.2f} s, {start['above_bare_s']:.2f} s more than a bare Python."
    )
    return "\n".join([head, "|---" * 8 + "|", *rows, "", words])


def _ratio(one: dict[str, Any], kind: str) -> str:
    own = one["glutseg"]
    return f"{own['wall_ratio'][kind]:.1f} ({own['cpu_ratio'][kind]:.1f})"


def stages_table(speed: dict[str, Any]) -> str:
    """Seconds of the stages in the worker, and what is left for the rest."""
    rows = []
    for name, one in speed["studies"].items():
        stages = one["glutseg"]["stages"]
        rest = one["glutseg"]["wall_s"] - sum(stages.values())
        cells = [f"{stages[stage]:.2f}" for stage in STAGES] + [f"{rest:.2f}"]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    head = f"| seconds | {' | '.join(STAGES)} | start, headers, tables |"
    return "\n".join([head, "|---" * (len(STAGES) + 2) + "|", *rows])


def studies_table(scan: dict[str, Any], scale: dict[str, Any]) -> str:
    """Headers, workers, memory."""
    kinds, flat = scan["kinds"], scale["memory"]
    own, two_cores, bare = (kinds[kind] for kind in ("glutseg-scan", "glutseg-scan-2", "pydicom-headers"))
    one, two = (scale["pace"]["workers"][jobs] for jobs in ("1", "2"))
    rows = [
        (
            f"headers a second, of {scan['files']:,} files",
            f"**{own['headers_per_s']:,}** on one core, {two_cores['headers_per_s']:,} on two; pydicom "
            f"alone, which keeps nothing, {bare['headers_per_s']:,}",
        ),
        ("the same files again, unchanged", f"{own['headers_per_s_again']:,} a second"),
        ("the index on disk", f"{own['disk_bytes_per_header']:,} bytes a header"),
        (
            "small studies an hour, one worker and two",
            f"{one['studies_per_s'] * HOUR_S:,.0f} and {two['studies_per_s'] * HOUR_S:,.0f}: "
            f"**{scale['pace']['throughput_ratio']:.2f} times**",
        ),
        (f"memory of a worker over {flat['studies']} studies", f"at most {flat['worker_peak_mb']:.0f} MB"),
        (
            "its growth per 100 studies, in the second half; of the main process",
            f"{flat['worker_growth_mb_per_100_studies']:.2f} MB; "
            f"{flat['main_growth_mb_per_100_studies']:.2f} MB",
        ),
    ]
    return "\n".join(["| what | figure |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows)])


def large_table(large: dict[str, Any]) -> str:
    """Minutes and memory of the main process."""
    head = "| studies | " + " | ".join(PARTS.values()) + " | index on disk |"
    rows = [
        f"| {one['studies']:,} | "
        + " | ".join(_part(one["parts"].get(part)) for part in PARTS)
        + f" | {one['bytes']['headers.sqlite'] / 1e6:,.0f} MB |"
        for one in large["sizes"]
    ]
    return "\n".join([head, "|---" * (len(PARTS) + 2) + "|", *rows])


def _part(found: dict[str, Any] | None) -> str:
    return "not measured" if found is None else f"{found['minutes']:.2f} min, {found['peak_mb']:.0f} MB"


def viewer_table(viewer: dict[str, Any]) -> str:
    """Seconds that a person waits."""
    columns = {
        "window_s": "window",
        "first_picture_s": "first picture after it",
        "next_case_s": "next case",
        "level": "moved level",
        "level_again": "moved again",
    }
    rows = [
        f"| {name} | " + " | ".join(_seconds(one.get(key)) for key in columns) + " |"
        for name, one in viewer["runs"].items()
    ]
    head = f"| seconds (of CPU) | {' | '.join(columns.values())} |"
    return "\n".join([head, "|---" * (len(columns) + 1) + "|", *rows])


def _seconds(found: float | dict[str, float] | None) -> str:
    if found is None:
        return ""
    if isinstance(found, dict):
        return f"{found['wall_s']:.1f} ({found['cpu_s']:.1f})"
    return f"{found:.1f}"


def machine_words(results: Results) -> str:
    """On what machine, and with which versions."""
    machines = [results["scale"]["pace"]["machine"], *(results[n]["machine"] for n in NAMES if n != "scale")]
    lines = {
        f"{m['processor']}, {m['cores']} cores, {m['memory_gb']:.0f} GB, {m['system']}" for m in machines
    }
    own = results["speed"]["machine"]
    versions = (("Python", own["python"]), *own["versions"].items())
    with_what = ", ".join(f"{name} {number}" for name, number in versions)
    return "\n\n".join([*sorted(lines), f"{with_what}. One study: medians of {results['speed']['repeats']}."])


def stored() -> Results:
    """The results of the benchmarks."""
    return {name: json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES}


def sections_of(results: Results) -> Sections:
    """The parts of docs/explanation/performance.md that are figures."""
    return {
        "machine": lambda: machine_words(results),
        "speed": lambda: speed_table(results["speed"]),
        "stages": lambda: stages_table(results["speed"]),
        "studies": lambda: studies_table(results["scan"], results["scale"]),
        "large": lambda: large_table(results["large"]),
        "viewer": lambda: viewer_table(results["viewer"]),
    }


def main() -> None:
    results = stored()
    (DOCS / "images").mkdir(exist_ok=True)
    with look.style():
        for name, figure in {
            "slices": draw_slices(results["speed"]),
            "studies": draw_studies(results["scale"]),
            "large": draw_large(results["large"]),
        }.items():
            files = look.files_of(figure, f"performance-{name}")
            (svg,) = (content for file, content in files.items() if file.endswith(".svg"))
            (DOCS / "images" / f"performance-{name}.svg").write_bytes(svg)
    path = DOCS / "explanation/performance.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(refresh(path.name, text, {path.name: sections_of(results)}, WRITER), encoding="utf-8")


if __name__ == "__main__":
    main()
