"""A run of 100,000 studies: minutes and memory of everything but the measuring itself.

    python benchmarks/large.py [--studies 1000 10000 100000] [--slices 10] [--keep DIR] [--store]

The index is filled with the headers of made-up files, as a scan does. Then `batch.run` measures all studies
in this process, with a measurer that gives every study the result of one phantom; a second run resumes it and
finds every case done. Both write all tables. Of more than --measured studies only the resumed run is timed,
with case records that were written without a run. Each size is measured in a process of its own: the peak of
its memory in every part, and the minutes. The memory of a worker does not matter here: see `scale.py`.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import inputs
import measuring
from glutseg import batch, dicom
from glutseg.batch import RunOptions
from glutseg.batch.measurer import AUTOMATIC, LoadStudy
from glutseg.batch.status import read_status
from glutseg.case import Case
from glutseg.case.study import empty_result
from glutseg.dicom.coding import encode
from glutseg.dicom.contents import FileContents, HeaderRow
from glutseg.dicom.files import FoundFile
from glutseg.dicom.header import HeaderReader
from glutseg.dicom.model import FileHeader, Index
from glutseg.dicom.source import Opener, Source
from glutseg.dicom.store import IndexStore
from glutseg.dicom.stored import StoredStudies
from glutseg.dicom.study_of import study_of
from glutseg.dicom.summary import summary_of
from glutseg.measurement import Participant, Participants
from glutseg.output.checksum import with_checksum
from glutseg.output.layout import CASE_JSON, case_file
from glutseg.output.run_record import CaseState, RunRecord, write_run_record
from glutseg.protocol import Protocol, load_protocol
from glutseg.result import CaseResult

BATCH = 500
HERE = Path(__file__).resolve()


@dataclass(frozen=True)
class OneResult:
    """Stands in for measuring: every study has the figures of one phantom."""

    result: CaseResult
    name = ""
    has_processes = False

    def record(self) -> Mapping[str, str]:
        return AUTOMATIC.record()

    def check(self) -> None:
        """Nothing can be missing."""

    def digest(self, load_study: LoadStudy, protocol: Protocol) -> str:
        return ""

    def measure(
        self,
        study: dicom.Study,
        protocol: Protocol,
        participants: Participants | None,
        fetch: dicom.Fetch = dicom.already_local,
    ) -> Case:
        own = empty_result(study, participants)
        known = {"patient_id": own.patient_id, "study_uid": own.study_uid, "study_date": own.study_date}
        return Case(replace(self.result, **known, height=own.height))


class Parts:
    """Minutes and the peak of memory of the parts of a run."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """One part; its peak is that of the process while it lasts."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew (proc(5))
        start, cpu = time.perf_counter(), time.process_time()
        yield
        self.found[name] = {
            "minutes": round((time.perf_counter() - start) / 60, 3),
            "cpu_minutes": round((time.process_time() - cpu) / 60, 3),
            "peak_mb": round(_peak_mb(), 1),
        }


def _peak_mb() -> float:
    (line,) = (li for li in Path("/proc/self/status").read_text().splitlines() if li.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def phantom(keep: Path) -> tuple[list[FileHeader], CaseResult]:
    """The headers of a small phantom, and its result."""
    folder = inputs.cohort(keep, 1, inputs.SMALL, "small")
    with Opener() as opener:
        reader = HeaderReader(opener)
        found = [reader.read(Source(path)) for path in sorted(folder.rglob("*.dcm"))]
    headers = [header for header in found if isinstance(header, FileHeader)]
    kept = keep / "small-result.pickle"
    if not kept.exists():
        with tempfile.TemporaryDirectory() as out:
            summary = batch.run(dicom.scan(folder), load_protocol(), None, Path(out))
            kept.write_bytes(pickle.dumps(summary.rows[0].result))
    result: CaseResult = pickle.loads(kept.read_bytes())  # noqa: S301 - written above
    return headers, result


def fill(file: Path, start: Path, headers: list[FileHeader], n_studies: int) -> Index:
    """An index of studies with these headers, under patient ids and UIDs of their own."""

    def found() -> Iterator[FoundFile]:
        for n in range(n_studies):
            for k in range(len(headers)):
                yield FoundFile(b"%06d/%06d" % (n, k), 1, 1, 0, n * len(headers) + k + 1)

    with closing(IndexStore(file, start)) as store:
        store.enter_files(found())
        numbers = (number for number, _ in store.unread())
        for n in range(n_studies):
            for header in headers:
                store.enter_contents(_contents(next(numbers), header, n))
            if n % BATCH == 0:
                store.commit()
        for study_id in store.stale_studies():
            store.enter_summary(study_id, summary_of(study_of(store.headers(study_id))))
    return Index(start, StoredStudies(file, start), n_files=n_studies * len(headers))


def _contents(number: int, header: FileHeader, n: int) -> FileContents:
    uids = {"study_uid": f"{header.study_uid}.{n}", "series_uid": f"{header.series_uid}.{n}"}
    slices = tuple(replace(one, sop_uid=f"{one.sop_uid}.{n}") for one in header.slices)
    own = replace(header, patient_id=f"PATIENT-{n:06d}", slices=slices, **uids)
    row = HeaderRow(0, None, "", own.patient_id, own.study_uid, "", *encode(own))
    return FileContents(number, 1, (row,), (), 0)


def prepare(index: Index, table: Participants, protocol: Protocol, measurer: OneResult, out: Path) -> None:
    """Write the records that a run leaves, all after the one of its first study."""
    first = replace(index, studies=index.studies[:1])
    batch.run(first, protocol, table, out, measurer=measurer)
    plan, seconds = batch.make_plan(index, table), {"read": 1.25, "segmentation": 2.5, "writing": 0.125}
    model, summaries = plan.cases[0], iter(dicom.summaries(index))
    text = (out / case_file(model.case_id, CASE_JSON)).read_text(encoding="utf-8")
    uid = first.studies[0].study_uid
    for case, summary in zip(plan.cases, summaries, strict=True):
        own = text.replace(model.input_sha256, case.input_sha256).replace(model.case_id, case.case_id)
        own = own.replace(model.patient_id, case.patient_id).replace(uid, summary.study_uid)
        (out / case_file(case.case_id, CASE_JSON)).parent.mkdir(exist_ok=True)
        own = json.dumps(with_checksum(json.loads(own)), indent=1, ensure_ascii=False) + "\n"
        (out / case_file(case.case_id, CASE_JSON)).write_text(own, encoding="utf-8")
    states = [CaseState(case.case_id, "ok", seconds) for case in plan.cases]
    record = RunRecord(str(index.root), protocol, "", "", "", outliner=measurer.record())
    write_run_record(out, record, states, state="stopped")


def one_size(keep: Path, n_studies: int, n_slices: int, *, is_measured: bool) -> dict[str, Any]:
    """Everything for a number of studies, in this process."""
    headers, result = phantom(keep)
    rows = {f"PATIENT-{n:06d}": Participant(f"PATIENT-{n:06d}", 1.7, n + 2) for n in range(n_studies)}
    table, protocol, parts = Participants(rows), load_protocol(), Parts()
    with tempfile.TemporaryDirectory(dir=keep) as name:
        out = Path(name) / "out"
        out.mkdir()
        with parts.part("index"):
            index = fill(out / dicom.INDEX_FILE, Path(name), headers[:n_slices], n_studies)
        measurer = OneResult(result)
        if is_measured:
            with parts.part("run"):
                batch.run(index, protocol, table, out, options=RunOptions(), measurer=measurer)
        else:
            prepare(index, table, protocol, measurer, out)
        with parts.part("resume"):
            options = RunOptions(resume=True)
            summary = batch.run(index, protocol, table, out, options=options, measurer=measurer)
        if summary.n_kept != n_studies:
            raise RuntimeError("not every case is done")
        with parts.part("status"):
            read_status(out)
        sizes = {
            one: (out / one).stat().st_size for one in (dicom.INDEX_FILE, "measurements.csv", "run.json")
        }
    return {"studies": n_studies, "parts": parts.found, "bytes": sizes}


def fresh(keep: Path, n_studies: int, n_slices: int, n_measured: int) -> dict[str, Any]:
    """`one_size` in a new process."""
    numbers = {"--one": n_studies, "--slices": n_slices, "--measured": n_measured}
    options = [str(part) for option in numbers.items() for part in option]
    command = [sys.executable, str(HERE), *options, "--keep", str(keep)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = measuring.options(__doc__, "large")
    parser.add_argument("--studies", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--slices", type=int, default=10, help="headers of every study [10]")
    parser.add_argument("--measured", type=int, default=100_000, help="most studies that are measured")
    parser.add_argument(
        "--one", type=int, help="measure this number of studies in this process, and print JSON"
    )
    args = parser.parse_args()
    with measuring.kept(args.keep) as keep:
        if args.one:
            is_measured = args.one <= args.measured
            print(json.dumps(one_size(keep, args.one, args.slices, is_measured=is_measured)))
            return
        phantom(keep)
        machine, found = measuring.machine(), []
        for n_studies in args.studies:
            found.append(fresh(keep, n_studies, args.slices, args.measured))
            parts = (
                f"{name} {p['minutes']:.2f} min, {p['peak_mb']:.0f} MB"
                for name, p in found[-1]["parts"].items()
            )
            print(f"{n_studies} studies: " + "; ".join(parts), flush=True)
    if args.store:
        measuring.store("large", {"machine": machine, "slices": args.slices, "sizes": found})


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
