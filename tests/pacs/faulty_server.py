"""A small DICOMweb server in this process that simulates faults."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pydicom

from glutseg.pacs import RetryPolicy, Server

SHORT_RETRY = RetryPolicy(
    connect_s=2, read_s=0.4, request_s=1.5, attempts=3, first_wait_s=0.01, longest_wait_s=0.05, total_s=5
)
ROOT = "/dicom-web"
BOUNDARY = "b0undary"
JSON = "application/dicom+json"


@dataclass
class Response:
    status: int
    kind: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


Fault = Callable[["Handler", Response], Response | None]
"""Changes the correct response, or writes something itself and returns None."""


@dataclass
class FaultyServer:
    """Files, faults and received requests of the server.

    ``faults`` are (kind of request, part of its path, fault, number of times left).
    """

    files: list[pydicom.Dataset]
    contents: dict[str, bytes]
    url: str = ""
    faults: list[list] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    stored: list[bytes] = field(default_factory=list)

    @property
    def server(self) -> Server:
        return Server(self.url, "", SHORT_RETRY)

    def add_fault(self, kind: str, fault: Fault, where: str = "", times: int = 10_000) -> None:
        self.faults.append([kind, where, fault, times])

    def count(self, kind: str) -> int:
        return sum(one == kind for one, _, _ in self.requests)

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[str, Response]:
        parts = path.removeprefix(ROOT).strip("/").split("/")
        if method == "POST":
            return "store", self.store(body)
        images = [d for d in self.files if len(parts) < 2 or d.StudyInstanceUID == parts[1]]
        if len(parts) == 1:
            return "studies", page(studies(images), query)
        if len(parts) == 3:
            return "series", page(series(images), query)
        images = [d for d in images if d.SeriesInstanceUID == parts[3]]
        if parts[4] == "instances" and len(parts) == 5:
            return "instances", page(instances(images), query)
        if len(parts) == 5:
            return "metadata", Response(200, JSON, json.dumps([d.to_json_dict() for d in images]).encode())
        content = self.contents[parts[5]]
        return "instance", in_parts(content)

    def store(self, body: bytes) -> Response:
        parts = [p.split(b"\r\n\r\n", 1)[1][:-2] for p in body.split(b"--glutseg-")[1:-1]]
        self.stored += parts
        done = [{"00081155": {"vr": "UI", "Value": [uid_of(part)]}} for part in parts]
        return Response(200, JSON, json.dumps({"00081199": {"vr": "SQ", "Value": done}}).encode())


def uid_of(content: bytes) -> str:
    return str(pydicom.dcmread(pydicom.filebase.DicomBytesIO(content)).SOPInstanceUID)


def studies(files):
    found = {}
    for d in files:
        found[d.StudyInstanceUID] = {
            "0020000D": {"vr": "UI", "Value": [d.StudyInstanceUID]},
            "00100020": {"vr": "LO", "Value": [d.PatientID]},
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": "SECRET^NAME"}]},
            "00080020": {"vr": "DA", "Value": [d.StudyDate]},
        }
    return list(found.values())


def series(files):
    found: dict[str, list] = {}
    for d in files:
        found.setdefault(d.SeriesInstanceUID, []).append(d)
    return [
        {
            "0020000E": {"vr": "UI", "Value": [uid]},
            "00080060": {"vr": "CS", "Value": [own[0].Modality]},
            "00201209": {"vr": "IS", "Value": [len(own)]},
        }
        for uid, own in found.items()
    ]


def instances(files):
    return [{"00080018": {"vr": "UI", "Value": [d.SOPInstanceUID]}} for d in files]


def page(found, query) -> Response:
    start = int(query.get("offset", ["0"])[0])
    stop = start + int(query.get("limit", ["1000"])[0])
    return Response(200, JSON, json.dumps(found[start:stop]).encode())


def in_parts(content: bytes) -> Response:
    body = (
        f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        + content
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )
    return Response(200, f'multipart/related; type="application/dicom"; boundary={BOUNDARY}', body)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self):
        self.reply("GET", b"")

    def do_POST(self):
        self.reply("POST", self.rfile.read(int(self.headers["Content-Length"])))

    def reply(self, method: str, body: bytes) -> None:
        faulty_server: FaultyServer = self.server.faulty_server
        parts = urlsplit(self.path)
        kind, answer = faulty_server.answer(method, parts.path, parse_qs(parts.query), body)
        faulty_server.requests.append((kind, self.path, dict(self.headers)))
        for fault in faulty_server.faults:
            if fault[0] == kind and fault[1] in self.path and fault[3] > 0:
                fault[3] -= 1
                changed = fault[2](self, answer)
                if changed is None:
                    self.close_connection = True
                    return
                answer = changed
                break
        self.write(answer)

    def write(self, answer: Response) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def serving(folder: Path) -> Iterator[FaultyServer]:
    paths = sorted(folder.rglob("*.dcm"))
    contents = {
        str(pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID): p.read_bytes() for p in paths
    }
    faulty_server = FaultyServer([pydicom.dcmread(p, stop_before_pixels=True) for p in paths], contents)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.faulty_server = faulty_server
    faulty_server.url = f"http://127.0.0.1:{server.server_port}{ROOT}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield faulty_server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
