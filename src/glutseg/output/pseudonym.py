"""Pseudonyms: the same patient is the same word in every run with the same key, and nobody's name.

A study is given its pseudonyms before anything is measured, so that neither tables nor folders,
pictures, records or log lines ever meet what they replace. Only the paths of the images and the
series' descriptions are still needed; `Pseudonymiser.reworded` takes them out of the result.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from glutseg.dicom import FileProblem, Index, Series, Source, Study
from glutseg.dicom.known_words import free_texts, is_known_kernel
from glutseg.errors import GlutsegError, catalogue
from glutseg.measurement import Participants
from glutseg.protocol import Protocol, with_series
from glutseg.result import CaseResult

KEY_DIGITS = 64
"""256 bits, as many as HMAC-SHA256 has use for."""
PATIENT_DIGITS = 16
"""64 bits: among a million patients two share a pseudonym with odds of one in forty million."""
OURS = re.compile(rf"ps-[0-9a-f]{{{PATIENT_DIGITS}}}(-[0-9a-f]{{10}})?")
"""A pseudonym, or the case id made from one."""
HIDDEN = Path("(pseudonymised)")
NOT_SHOWN = "(not shown)"
"""In place of a text that may say anything."""
QUOTED = re.compile(r"""(?<!\w)('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""")
"""A text of a file in a message, as `repr` writes it: a label's name, or what a library stumbled over."""
OF_A_LIBRARY = ("pixel-data-undecodable", "file-unreadable")
"""Codes whose messages are in the words of a library, which may repeat any part of a header."""


@dataclass(frozen=True)
class Pseudonymiser:
    """HMAC-SHA256 with the project's key; without the key nobody can find the patient.

    Attributes
    ----------
    key : kept out of every text this object could end up in
    """

    key: bytes = field(repr=False)

    def patient(self, patient_id: str) -> str:
        """``ps-`` and 16 hex digits; an id that is not there stays so."""
        return f"ps-{self._digest('patient', patient_id).hex()[:PATIENT_DIGITS]}" if patient_id else ""

    def uid(self, uid: str) -> str:
        """A UID of the form 2.25.UUID (PS3.5, B.2); one that is not there stays so."""
        if not uid:
            return ""
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', uid)[:16], version=5).int}"

    def source(self, source: Source) -> str:
        """A word for a file or folder, so that messages about different ones stay different."""
        return f"file-{self._digest('path', str(source)).hex()[:PATIENT_DIGITS]}"

    @property
    def check(self) -> str:
        """The same for two runs with the same key; says nothing about the key."""
        return self._digest("check", "").hex()[:PATIENT_DIGITS]

    def index(self, index: Index) -> Index:
        """The index without the name of its folder, and with pseudonyms for files that cannot be read.

        The studies stay as they are; a plan gives each its pseudonyms when it is loaded (`study`).
        """
        problems = tuple(
            FileProblem(Source(Path(self.source(p.source))), p.code, catalogue()[p.code].meaning)
            for p in index.problems
        )
        return replace(index, root=HIDDEN, problems=problems)

    def digest(self, sha256: str, kind: str = "headers") -> str:
        """A digest that nobody without the key can compare with that of the images, or whatever it is of."""
        return self._digest(kind, sha256).hex()

    def participants(self, table: Participants) -> Participants:
        """The table with pseudonyms for all that are not yet pseudonyms or case ids of such a run.

        It does not know its rows' numbers, and its digest is keyed: a small table is found again from its
        own by trying ids and heights.
        """
        done = {k for k in table.rows if table.named_by != "patient_id" and OURS.fullmatch(k)}
        words = {key: key if key in done else self.patient(key) for key in table.rows}
        rows = {words[key]: replace(row, key=words[key], row=0) for key, row in table.rows.items()}
        return replace(table, rows=rows, source=str(HIDDEN), sha256=self.digest(table.sha256, "participants"))

    def protocol(self, protocol: Protocol) -> Protocol:
        """The protocol with pseudonyms for the series it names."""
        return with_series(protocol, [self.uid(uid) for uid in protocol.series.series_uids])

    def reworded(self, result: CaseResult, study: Study) -> CaseResult:
        """The result without free text, and with words for the paths of the study's images."""
        sources = {s.source for series in study.series for s in series.slices}
        texts = frozenset(text for series in study.series for text in free_texts(series.tags))

        def reword(message: str, code: str = "") -> str:
            return self._reword(_without(message, code, texts), code, sources)

        record = result.series
        if record is not None:
            record = replace(
                record,
                description="",
                contrast="yes" if record.contrast else "",
                kernel=record.kernel if not record.kernel or is_known_kernel(record.kernel) else "other",
                reason=reword(record.reason),
            )
        reworded = result.with_flags(lambda f: replace(f, message=reword(f.message, f.code)))
        return replace(
            reworded,
            series=record,
            error_message=reword(result.error_message, result.error_code),
            rejected_series=tuple(
                (uid, reword(why, _code_before(why))) for uid, why in result.rejected_series
            ),
        )

    def _reword(self, text: str, code: str, sources: set[Source]) -> str:
        for source in sources:
            text = text.replace(str(source), self.source(source))
        if any(
            source.name and source.name in text for source in sources
        ):  # a library named the file in its own way
            return catalogue()[code].meaning if code else "the reason names a file"
        return text

    def _digest(self, kind: str, text: str) -> bytes:
        message = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self.key, message, hashlib.sha256).digest()

    def study(self, study: Study) -> Study:
        """A study with pseudonyms and without its date.

        What measuring needs stays: the paths of the images, and the series' descriptions, which help
        to choose among them; `reworded` takes them out of the result.
        """
        return replace(
            study,
            study_uid=self.uid(study.study_uid),
            patient_id=self.patient(study.patient_id),
            study_date="",
            series=tuple(self._series(series) for series in study.series),
        )

    def _series(self, series: Series) -> Series:
        slices = tuple(
            replace(header, sop_uid=self.uid(header.sop_uid), file_sop_uid=header.sop_uid)
            for header in series.slices
        )
        return replace(series, series_uid=self.uid(series.series_uid), slices=slices)


def _without(message: str, code: str, texts: Collection[str]) -> str:
    """A message without texts that may say anything: those of the headers, and what stands in quotes."""
    if code in OF_A_LIBRARY:
        return catalogue()[code].meaning
    for text in sorted(texts, key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", NOT_SHOWN, message)
    return QUOTED.sub(NOT_SHOWN, message)


def _code_before(reason: str) -> str:
    """The code that a reason against a series begins with; "" where it has none."""
    match = re.match(r"(?:part \d+ of \d+: )?([a-z0-9-]+): ", reason)
    return match[1] if match and match[1] in catalogue() else ""


def pseudonymiser(key_file: Path, out: Path, *, is_known: bool = False) -> Pseudonymiser:
    """Read the key, or write a new one (readable by its owner only) where there is no such file.

    Parameters
    ----------
    out : the run's folder
    is_known : the key must be there: that of a run which is done cannot be a new one

    Raises
    ------
    GlutsegError
        ``key-invalid`` for a file that is no key, cannot be read or written, or lies inside of ``out``:
        whoever is given the output must not be given the key.
    """
    try:
        if key_file.resolve().is_relative_to(out.resolve()):
            raise GlutsegError("key-invalid", "the key must not lie inside the output folder", str(key_file))
        if not key_file.exists():
            if is_known:
                raise GlutsegError("key-invalid", "there is no such file", str(key_file))
            _write_key(key_file)
        with key_file.open("rb") as file:
            text = file.read(2 * KEY_DIGITS).decode("ascii", "replace").strip()
    except OSError as error:
        raise GlutsegError("key-invalid", error.strerror or "unknown reason", str(key_file)) from error
    if not re.fullmatch(f"[0-9a-f]{{{KEY_DIGITS}}}", text):
        raise GlutsegError("key-invalid", f"the file does not hold {KEY_DIGITS} hex digits", str(key_file))
    return Pseudonymiser(bytes.fromhex(text))


def _write_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_DIGITS // 2) + "\n")
        file.flush()
        os.fsync(file.fileno())
