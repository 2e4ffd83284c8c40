"""The index of headers on disk: a SQLite file that a scan writes and goes on from.

Tables
------
about : the folder that was scanned, and the number of the last scan
files : every regular file; ``place`` is its place in the walk of the scan ``scan``, and ``n_sources`` is NULL
    until its contents are read; a file whose size or time of change differs is read again
headers, shared : a header is a reference to what the images of its series share, and its own part (`coding`)
problems : files that cannot be read
studies : what a plan needs to know of every study (`StudySummary`); ``is_stale`` until it is worked out anew

Every change is part of a transaction, so that a scan that was killed leaves an index from which the next goes
on.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from glutseg.dicom.coding import Shared, header_from, shared_from
from glutseg.dicom.contents import FileContents, HeaderRow, Numbered
from glutseg.dicom.files import FoundFile
from glutseg.dicom.model import FileHeader, FileProblem
from glutseg.dicom.source import Source
from glutseg.dicom.summary import StudySummary
from glutseg.errors import GlutsegError

INDEX_FILE = "headers.sqlite"
"""Name of the index in the folder of a run."""
APPLICATION_ID = 0x676C7574
"""In the header of the file, by which an index of ours is known."""
VERSION = 4
"""Of the tables and of what is read from headers; an index of another version is made anew."""
SQLITE_START = b"SQLite format 3\0"
APPLICATION_ID_AT = 68
MAX_KNOWN = 10_000
"""Shared parts and studies whose numbers are remembered while a scan writes."""
BATCH = 500
REFUSED = frozenset(
    (
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    )
)
CACHE_KIB = 16_384
STUDY_ORDER = "patient_id, study_uid, folder"
Key = tuple[int | str | bytes, ...]
"""Values that name a row."""

SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value);
CREATE TABLE files (
    file_id INTEGER PRIMARY KEY, name BLOB UNIQUE, size INTEGER, mtime_ns INTEGER, device INTEGER,
    inode INTEGER, place INTEGER, scan INTEGER, n_sources INTEGER, n_other INTEGER);
CREATE INDEX files_by_inode ON files(inode);
CREATE INDEX files_to_read ON files(place) WHERE n_sources IS NULL;
CREATE TABLE shared (
    shared_id INTEGER PRIMARY KEY, study_id INTEGER, content TEXT, UNIQUE (study_id, content));
CREATE TABLE headers (
    file_id INTEGER, place INTEGER, position INTEGER, member TEXT, study_id INTEGER, shared_id INTEGER,
    own TEXT, PRIMARY KEY (file_id, place)) WITHOUT ROWID;
CREATE INDEX headers_of_study ON headers(study_id);
CREATE TABLE problems (
    file_id INTEGER, position INTEGER, member TEXT, code TEXT, message TEXT);
CREATE INDEX problems_of_file ON problems(file_id);
CREATE TABLE studies (
    study_id INTEGER PRIMARY KEY, patient_id TEXT, study_uid TEXT, folder BLOB, is_stale INTEGER,
    patient_size TEXT, series_uids TEXT, sha256 TEXT,
    UNIQUE (patient_id, study_uid, folder));
"""


class IndexStore:
    """The index of headers of one folder, while a scan writes it.

    Parameters
    ----------
    path : the file; None for one that nobody else sees and that goes when this is closed
    start : the folder; an index of another one is emptied

    Raises
    ------
    GlutsegError
        ``index-foreign`` for a file that is no index of glutseg; ``index-unwritable`` for one that cannot be
        read.
    sqlite3.DatabaseError
        Here and in every method, if the system refuses (`is_refused`) or the index is damaged.
    """

    def __init__(self, path: Path | None, start: Path) -> None:
        self.start = start
        if path is not None:
            _check_ours(path)
        self._db = _opened("" if path is None else os.fspath(path), os.fsencode(start.resolve()))
        row = self._db.execute("SELECT value FROM about WHERE key = 'scan'").fetchone()
        self._scan = row[0] + 1 if row else 1
        self._db.execute("INSERT OR REPLACE INTO about VALUES ('scan', ?)", (self._scan,))
        self._shared: dict[Key, int] = {}
        self._studies: dict[Key, int] = {}

    def close(self) -> None:
        self._db.commit()
        self._db.close()

    def commit(self) -> None:
        self._db.commit()

    def enter_files(self, found: Iterable[FoundFile]) -> None:
        """Enter the files of a folder in their order; forget those that are gone or have changed."""
        place = 0
        for file in found:
            place += self._enter(file, place)
            if place % BATCH == 0:
                self._db.commit()
        gone = "SELECT file_id FROM files WHERE scan != ?"
        self._forget_contents(gone, self._scan)
        self._db.execute("DELETE FROM files WHERE scan != ?", (self._scan,))
        unreadable = "SELECT file_id FROM problems WHERE file_id > ?"  # tried again: it may be permissions
        self._db.execute(f"UPDATE files SET n_sources = NULL WHERE file_id IN ({unreadable})", (0,))  # noqa: S608
        self._forget_contents("SELECT file_id FROM files WHERE n_sources IS NULL AND place >= ?", 0)
        self._db.commit()

    def _enter(self, file: FoundFile, place: int) -> bool:
        """Enter a file, unless this scan has met it under another name."""
        execute = self._db.execute
        same = "SELECT 1 FROM files WHERE inode = ? AND device = ? AND scan = ?"
        inode, device = _signed(file.inode), _signed(file.device)
        if execute(same, (inode, device, self._scan)).fetchone():
            return False
        known = execute("SELECT file_id, size, mtime_ns FROM files WHERE name = ?", (file.name,)).fetchone()
        if known and known[1:] != (file.size, file.mtime_ns):
            self._forget_contents("?", known[0])
            execute("DELETE FROM files WHERE file_id = ?", known[:1])
            known = None
        if known:
            update = "UPDATE files SET inode = ?, device = ?, place = ?, scan = ? WHERE file_id = ?"
            execute(update, (inode, device, place, self._scan, known[0]))
        else:
            columns = "name, size, mtime_ns, inode, device, place, scan"
            insert = f"INSERT INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - a constant
            execute(insert, (file.name, file.size, file.mtime_ns, inode, device, place, self._scan))
        return True

    def _forget_contents(self, files: str, value: int) -> None:
        stale = f"SELECT study_id FROM headers WHERE file_id IN ({files})"  # noqa: S608 - constants
        self._db.execute(f"UPDATE studies SET is_stale = 1 WHERE study_id IN ({stale})", (value,))  # noqa: S608
        for table in ("headers", "problems"):
            self._db.execute(f"DELETE FROM {table} WHERE file_id IN ({files})", (value,))  # noqa: S608

    def count_files(self) -> tuple[int, int]:
        """(number of files, number of those that have to be read)."""
        (n_files,) = self._db.execute("SELECT count(*) FROM files").fetchone()
        (n_unread,) = self._db.execute("SELECT count(*) FROM files WHERE n_sources IS NULL").fetchone()
        return n_files, n_unread

    def unread(self) -> Iterator[Numbered]:
        """Yield (number, path) of the files whose contents have to be read, in their order."""
        query = (
            "SELECT place, file_id, name FROM files WHERE n_sources IS NULL AND place > ? "
            "ORDER BY place LIMIT ?"
        )
        last = -1
        while rows := self._db.execute(query, (last, BATCH)).fetchall():
            for _, number, name in rows:
                yield number, path_of(self.start, name)
            last = rows[-1][0]

    def enter_contents(self, contents: FileContents) -> None:
        """Enter what a file holds."""
        execute, number = self._db.execute, contents.number
        for row in contents.headers:
            study_id = self._study_id(row)
            shared_id = self._shared_id(study_id, row.shared)
            values = (number, row.place, row.position, row.member, study_id, shared_id, row.own)
            execute("INSERT INTO headers VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        for problem in contents.problems:
            where = (number, problem.source.position, problem.source.member)
            execute("INSERT INTO problems VALUES (?, ?, ?, ?, ?)", (*where, problem.code, problem.message))
        read = "UPDATE files SET n_sources = ?, n_other = ? WHERE file_id = ?"
        execute(read, (contents.n_sources, contents.n_other, number))

    def _shared_id(self, study_id: int, content: str) -> int:
        insert = "INSERT OR IGNORE INTO shared (study_id, content) VALUES (?, ?)"
        select = "SELECT shared_id FROM shared WHERE study_id = ? AND content = ?"
        return self._number(self._shared, (study_id, content), insert, select)

    def _study_id(self, row: HeaderRow) -> int:
        insert = (
            "INSERT INTO studies (patient_id, study_uid, folder, is_stale) VALUES (?, ?, ?, 1) "
            "ON CONFLICT DO UPDATE SET is_stale = 1"
        )
        select = "SELECT study_id FROM studies WHERE patient_id = ? AND study_uid = ? AND folder = ?"
        key = (row.patient_id, row.study_uid, os.fsencode(row.folder))
        return self._number(self._studies, key, insert, select)

    def _number(self, remembered: dict[Key, int], key: Key, insert: str, select: str) -> int:
        """The number of a row that these values name; the row is entered where it is not remembered."""
        known = remembered.get(key)
        if known is None:
            self._db.execute(insert, key)
            known = int(self._db.execute(select, key).fetchone()[0])
            if len(remembered) >= MAX_KNOWN:
                remembered.clear()
            remembered[key] = known
        return known

    def stale_studies(self) -> list[int]:
        """Numbers of the studies that have gained or lost files; those that have none left are deleted."""
        none_left = "NOT EXISTS (SELECT 1 FROM headers WHERE headers.study_id = studies.study_id)"
        self._db.execute(f"DELETE FROM studies WHERE is_stale AND {none_left}")  # noqa: S608 - constants
        self._db.execute("DELETE FROM shared WHERE study_id NOT IN (SELECT study_id FROM studies)")
        return [row[0] for row in self._db.execute("SELECT study_id FROM studies WHERE is_stale")]

    def headers(self, study_id: int) -> list[FileHeader]:
        """The headers of a study."""
        return read_headers(self._db, self.start, study_id)

    def sizes(self, study_id: int) -> dict[Path, int]:
        """The files of a study and their sizes, as the walk through the folder has met them."""
        query = "SELECT DISTINCT name, size FROM files JOIN headers USING (file_id) WHERE study_id = ?"
        return {path_of(self.start, name): size for name, size in self._db.execute(query, (study_id,))}

    def ordered_studies(self) -> list[int]:
        """Numbers of all studies, in the order of an index."""
        query = f"SELECT study_id FROM studies ORDER BY {STUDY_ORDER}"  # noqa: S608 - a constant
        return [row[0] for row in self._db.execute(query)]

    def enter_summary(self, study_id: int, summary: StudySummary) -> None:
        """Enter what a plan needs to know of a study."""
        columns = "is_stale = 0, patient_size = ?, series_uids = ?, sha256 = ?"
        update = f"UPDATE studies SET {columns} WHERE study_id = ?"  # noqa: S608 - a constant
        series_uids = json.dumps(summary.series_uids)
        self._db.execute(update, (summary.patient_size_m_raw, series_uids, summary.sha256, study_id))
        used = "SELECT shared_id FROM headers WHERE study_id = ?"
        unused = f"DELETE FROM shared WHERE study_id = ? AND shared_id NOT IN ({used})"  # noqa: S608 - constants
        self._db.execute(unused, (study_id, study_id))

    def problems(self) -> Iterator[FileProblem]:
        """The files that could not be read, in their order."""
        query = (
            "SELECT name, position, member, code, message FROM problems JOIN files USING (file_id) "
            "ORDER BY files.place, problems.rowid"
        )
        for name, position, member, code, message in self._db.execute(query):
            yield FileProblem(Source(path_of(self.start, name), position, member), code, message)

    def count_sources(self) -> tuple[int, int]:
        """(number of files and members of archives, number of those that are not DICOM)."""
        query = "SELECT coalesce(sum(n_sources), 0), coalesce(sum(n_other), 0) FROM files"
        n_sources, n_other = self._db.execute(query).fetchone()
        return n_sources, n_other


def read_headers(db: sqlite3.Connection, start: Path, study_id: int) -> list[FileHeader]:
    """The headers of a study, in the order of the walk through the folder.

    Raises
    ------
    sqlite3.DatabaseError
        If the index is damaged.
    """
    query = (
        "SELECT name, position, member, shared_id, content, own "
        "FROM headers JOIN files USING (file_id) JOIN shared USING (shared_id) "
        "WHERE headers.study_id = ? ORDER BY files.place, headers.place"
    )
    shared: dict[int, Shared] = {}
    found = []
    for name, position, member, shared_id, content, own in db.execute(query, (study_id,)):
        try:
            if shared_id not in shared:
                shared[shared_id] = shared_from(content)
            source = Source(path_of(start, name), position, member)
            found.append(header_from(source, shared[shared_id], own))
        except (ValueError, LookupError, TypeError) as error:
            raise sqlite3.DatabaseError("a header cannot be read") from error
    return found


def path_of(start: Path, name: bytes) -> Path:
    """Path of a file of the index."""
    return start / os.fsdecode(name) if name else start


def is_refused(error: sqlite3.DatabaseError) -> bool:
    """Whether it is no damage: another process has locked the index, the disk is full, or similar."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in REFUSED


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads an index, which a scan has finished.

    Raises
    ------
    GlutsegError
        ``index-damaged`` for whatever goes wrong with it.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            yield db
    except sqlite3.Error as error:
        message = f"the index of headers cannot be read ({type(error).__name__})"
        raise GlutsegError("index-damaged", message, str(path)) from error


@contextmanager
def temporary_index() -> Iterator[Path]:
    """Path of an index in a folder that nobody else can read, and that is removed at the end."""
    with TemporaryDirectory(prefix="glutseg-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / INDEX_FILE


def remove_index(path: Path | None) -> None:
    """Remove an index and what an interrupted transaction left beside it; no file that is not an index."""
    if path is not None and path.exists():
        _check_ours(path)
        for one in (Path(f"{path}-journal"), path):
            one.unlink(missing_ok=True)


def _check_ours(path: Path) -> None:
    """Raise ``index-foreign`` for a file that is neither empty nor an index of ours, damaged or not."""
    try:
        with path.open("rb") as file:
            start = file.read(100)
    except FileNotFoundError:
        return
    except OSError as error:
        raise GlutsegError("index-unwritable", error.strerror or "unknown reason", str(path)) from error
    number = int.from_bytes(start[APPLICATION_ID_AT : APPLICATION_ID_AT + 4], "big")
    if start and not (start.startswith(SQLITE_START) and number == APPLICATION_ID):
        raise GlutsegError("index-foreign", "the file is no index of headers", str(path))


def _opened(name: str, folder: bytes) -> sqlite3.Connection:
    """Open an index for writing; make it anew if it is of another version or folder.

    Raises
    ------
    sqlite3.Error
    """
    db = sqlite3.connect(name, isolation_level="DEFERRED")
    try:
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        is_same = version == VERSION and "about" in tables
        if is_same:
            row = db.execute("SELECT value FROM about WHERE key = 'folder'").fetchone()
            is_same = row == (folder,)
        if not is_same:
            for table in tables:
                db.execute(f'DROP TABLE "{table}"')
            db.executescript(
                f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; "
                f"PRAGMA user_version = {VERSION}; COMMIT;"
            )
            db.execute("INSERT INTO about VALUES ('folder', ?)", (folder,))
            db.commit()
    except BaseException:
        db.close()
        raise
    return db


def _signed(number: int) -> int:
    """As SQLite holds it: 64 bits with a sign."""
    return (number + 2**63) % 2**64 - 2**63
