"""Draw docs/images/performance-*.svg and write the tables of docs/explanation/performance.md.

    python scripts/plot_performance.py

From benchmarks/results/speed.json, scan.json and scale.json.
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
KINDS = {
    "glutseg": look.BLUE,
    "glutseg-fast": look.VERMILION,
    "simpleitk": look.ORANGE,
    "pydicom": look.GREEN,
}
SHOWN = {
    "glutseg": "glutseg, all of it",
    "glutseg-fast": "the same with the extra fast",
    "simpleitk": "SimpleITK, reading only",
    "pydicom": "pydicom, reading only",
}
QUIET_SHARE = 0.9
"""Of a core, that a single thread gets on a machine with nothing else to do."""
SLICES_OF_A_STUDY = 300
FAR = 100_000
STUDIES = (10, 100, 1000, 10_000, FAR)
WORKERS = {1: look.BLUE, 8: look.VERMILION, 64: look.GREEN}
HOUR_S, DAY_H = 3600.0, 24.0


class Costs:
    """What a study of 300 slices costs, and what does not become less with more workers."""

    def __init__(self, speed: dict[str, Any], scan: dict[str, Any], scale: dict[str, Any]) -> None:
        own = speed["studies"][f"{SLICES_OF_A_STUDY} slices"]["glutseg"]
        one, two = (scale["pace"]["workers"][jobs]["cpu_s_per_study"] for jobs in ("1", "2"))
        scan_s = SLICES_OF_A_STUDY * scan["kinds"]["glutseg-scan"]["cpu_s"] / scan["files"]
        flat = scale["memory"]
        self.worker_s = (own["cpu_s"] - scan_s) * max(1.0, two / one)
        self.serial_s = scan_s + flat["parts_s"]["tables"] / flat["studies"]
        header_bytes = scan["kinds"]["glutseg-scan"]["index_bytes_per_header"]
        self.main_mb = SLICES_OF_A_STUDY * header_bytes / 2**20

    def hours(self, studies: int, workers: int) -> float:
        return studies * (self.worker_s / workers + self.serial_s) / HOUR_S


def draw_slices(speed: dict[str, Any]) -> Figure:
    """Cost against slices."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    time, memory = figure.subplots(1, 2)
    plain = {int(name.split()[0]): one for name, one in speed["studies"].items() if name.endswith("slices")}
    for kind, colour in KINDS.items():
        for axes, key in ((time, "cpu_s"), (memory, "peak_mb")):
            axes.plot(
                list(plain), [one[kind][key] for one in plain.values()], "o-", color=colour, label=SHOWN[kind]
            )
        packed = speed["studies"].get(f"{SLICES_OF_A_STUDY} slices, JPEG 2000")
        if packed:
            time.plot(
                [SLICES_OF_A_STUDY], [packed[kind]["cpu_s"]], "D", color=colour, markerfacecolor="white"
            )
    time.plot([], [], "D", color=look.QUIET_INK, markerfacecolor="white", label="the same in JPEG 2000")
    _name(time, "Time of one study", "slices of 512 × 512", "seconds of CPU, one thread")
    _name(memory, "Peak of memory", "slices of 512 × 512", "MB")
    figure.legend(*time.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def draw_studies(scale: dict[str, Any]) -> Figure:
    """Cost against studies."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    pace, memory = figure.subplots(1, 2, width_ratios=(1, 2))
    workers = scale["pace"]["workers"]
    heights = [one["studies_per_s"] * HOUR_S for one in workers.values()]
    pace.bar(list(workers), heights, color=look.BLUE, width=0.6)
    _name(pace, "Pace of a run", "workers", "small phantoms an hour")
    flat = scale["memory"]
    numbers = range(1, flat["studies"] + 1)
    memory.plot(numbers, flat["worker_mb"], color=look.BLUE, label="worker")
    memory.plot(numbers, flat["main_mb"], color=look.VERMILION, label="main process")
    _name(memory, "Memory after each study", "studies done (small phantoms)", "MB")
    memory.legend()
    return figure


def draw_extrapolation(costs: Costs) -> Figure:
    """To 100,000 studies."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    time, memory = figure.subplots(1, 2)
    for workers, colour in WORKERS.items():
        hours = [costs.hours(n, workers) for n in STUDIES]
        time.plot(STUDIES, hours, "o-", color=colour, label=f"{workers} worker{'s' if workers > 1 else ''}")
    for hours_, word in ((1.0, "hour"), (DAY_H, "day"), (DAY_H * 30, "month")):
        time.axhline(hours_, color=look.QUIET_INK, linewidth=0.8, linestyle=":")
        time.text(STUDIES[0], hours_ * 1.15, word, color=look.QUIET_INK, fontsize=8)
    memory.plot(STUDIES, [n * costs.main_mb / 1024 for n in STUDIES], "o-", color=look.BLUE)
    for axes in (time, memory):
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    _name(time, "Time, extrapolated", f"studies of {SLICES_OF_A_STUDY} slices", "hours")
    _name(memory, "Headers in the main process", f"studies of {SLICES_OF_A_STUDY} slices", "GB")
    time.legend(loc="lower right")
    return figure


def _name(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if axes.get_yscale() == "linear":
        axes.set_ylim(bottom=0)


def speed_table(speed: dict[str, Any]) -> str:
    """Time, CPU and memory per study, and the ratios."""
    head = (
        "| study | glutseg | with `fast` | SimpleITK | pydicom | glutseg / SimpleITK | with `fast` "
        "| glutseg, peak MB | SimpleITK |"
    )
    rows = [
        f"| {name} | "
        + " | ".join(_clocks(one[kind]) for kind in ("glutseg", "glutseg-fast", "simpleitk", "pydicom"))
        + " | "
        + " | ".join(_ratios(one[kind]) for kind in ("glutseg", "glutseg-fast"))
        + " | "
        + " | ".join(f"{one[kind]['peak_mb']:.0f}" for kind in ("glutseg", "simpleitk"))
        + " |"
        for name, one in speed["studies"].items()
    ]
    start = speed["start_up"]
    words = (
        "Seconds and ratios are by the clock, of CPU in brackets. `glutseg --help` "
        f"takes {start['help']['wall_s']:.2f} s, {start['above_bare_s']:.2f} s more than a bare Python."
    )
    return "\n".join([head, "|---" * 9 + "|", *rows, "", words])


def _clocks(one: dict[str, Any]) -> str:
    return f"{one['wall_s']:.2f} ({one['cpu_s']:.2f})"


def _ratios(one: dict[str, Any]) -> str:
    """To SimpleITK's reading."""
    return f"**{one['wall_ratio']['simpleitk']:.2f}** ({one['cpu_ratio']['simpleitk']:.2f})"


def stages_table(speed: dict[str, Any]) -> str:
    """Seconds of the stages."""
    stages = list(next(iter(speed["studies"].values()))["glutseg"]["stages"])
    rows = [
        f"| {name} | " + " | ".join(f"{one['glutseg']['stages'][stage]:.2f}" for stage in stages) + " |"
        for name, one in speed["studies"].items()
    ]
    return "\n".join([f"| seconds | {' | '.join(stages)} |", "|---" * (len(stages) + 1) + "|", *rows])


def studies_table(scan: dict[str, Any], scale: dict[str, Any]) -> str:
    """Headers, workers, memory."""
    own, bare, flat = scan["kinds"]["glutseg-scan"], scan["kinds"]["pydicom-headers"], scale["memory"]
    one, two = (scale["pace"]["workers"][jobs] for jobs in ("1", "2"))
    rows = [
        (
            f"headers a second, of {scan['files']:,} files",
            f"{own['headers_per_s']:,} (pydicom alone {bare['headers_per_s']:,}); of CPU "
            f"{own['cpu_s'] / scan['files'] * 1e6:.0f} µs each ({bare['cpu_s'] / scan['files'] * 1e6:.0f})",
        ),
        ("memory of the index for each file", f"{own['index_bytes_per_header']:,} bytes"),
        (
            "small studies an hour, one worker and two",
            f"{one['studies_per_s'] * HOUR_S:,.0f} and {two['studies_per_s'] * HOUR_S:,.0f}: "
            f"**{scale['pace']['throughput_ratio']:.2f} times**",
        ),
        (f"memory of a worker over {flat['studies']} studies", f"at most {flat['worker_peak_mb']:.0f} MB"),
        (
            "its growth per 100 studies, in the second half",
            f"{flat['worker_growth_mb_per_100_studies']:.2f} MB",
        ),
        (
            f"tables of {flat['studies']} studies; finding that all are done (`--resume`)",
            f"{flat['parts_s']['tables']:.1f} s; {flat['parts_s']['resuming a finished run']:.1f} s",
        ),
    ]
    return "\n".join(["| what | figure |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows)])


def extrapolation_table(costs: Costs) -> str:
    """Hours for many studies."""
    rows = [
        f"| {n:,} | " + " | ".join(_duration(costs.hours(n, workers)) for workers in WORKERS) + " | "
        f"{n * costs.main_mb / 1024:.1f} GB |"
        for n in STUDIES[1:]
    ]
    head = "| studies | " + " | ".join(f"workers: {n}" for n in WORKERS) + " | headers in the main process |"
    return "\n".join([head, "|---" * (len(WORKERS) + 2) + "|", *rows])


def _duration(hours: float) -> str:
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 2 * DAY_H else f"{hours / DAY_H:.1f} days"


def machine_words(speed: dict[str, Any], scan: dict[str, Any], pace: dict[str, Any]) -> str:
    """On what machine, and whether it had other work to do."""
    results = (speed, scan, pace)
    lines = {
        f"{m['processor']}, {m['cores']} cores, {m['memory_gb']:.0f} GB, {m['system']}, "
        + ", ".join(f"{name} {number}" for name, number in (("Python", m["python"]), *m["versions"].items()))
        for m in (result["machine"] for result in results)
    }
    timed = [scan["kinds"]["glutseg-scan"], *(one["glutseg"] for one in speed["studies"].values())]
    one = pace["workers"]["1"]
    shares = [one["studies_per_s"] * one["cpu_s_per_study"], *(t["cpu_s"] / t["wall_s"] for t in timed)]
    repeats = " or ".join(map(str, sorted({result["repeats"] for result in results})))
    told = f"Medians of {repeats}; a thread of glutseg had at least {min(shares):.0%} of a core."
    if min(shares) < QUIET_SHARE:
        told += " **Only CPU times, their ratios and memory mean something here: there was other work.**"
    return "\n\n".join([*sorted(lines), told])


def stored() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The results of speed.py, scan.py and scale.py."""
    speed, scan, scale = (json.loads((RESULTS / f"{n}.json").read_text()) for n in ("speed", "scan", "scale"))
    return speed, scan, scale


def sections_of(speed: dict[str, Any], scan: dict[str, Any], scale: dict[str, Any]) -> Sections:
    """The parts of docs/explanation/performance.md that are figures."""
    return {
        "machine": lambda: machine_words(speed, scan, scale["pace"]),
        "speed": lambda: speed_table(speed),
        "stages": lambda: stages_table(speed),
        "studies": lambda: studies_table(scan, scale),
        "extrapolation": lambda: extrapolation_table(Costs(speed, scan, scale)),
    }


def main() -> None:
    speed, scan, scale = stored()
    (DOCS / "images").mkdir(exist_ok=True)
    with look.style():
        for name, figure in {
            "slices": draw_slices(speed),
            "studies": draw_studies(scale),
            "extrapolation": draw_extrapolation(Costs(speed, scan, scale)),
        }.items():
            (svg,) = (
                content
                for file, content in look.files_of(figure, f"performance-{name}").items()
                if file.endswith(".svg")
            )
            (DOCS / "images" / f"performance-{name}.svg").write_bytes(svg)
    path = DOCS / "explanation/performance.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        refresh(path.name, text, {path.name: sections_of(speed, scan, scale)}, WRITER), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
