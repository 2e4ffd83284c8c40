"""Faults of a server, for `FaultyServer.add_fault`."""

from __future__ import annotations

import gzip
import io
import json
import time

import pydicom
from faulty_server import Response, in_parts
from pydicom.datadict import dictionary_VR


def status(code: int, **headers: str):
    return lambda _, __: Response(
        code, "text/plain", b"no", {k.replace("_", "-"): v for k, v in headers.items()}
    )


def login_page(_, __):
    return Response(200, "text/html; charset=utf-8", b"<html><script>alert(1)</script>Please log in</html>")


def login_page_as_json(_, answer):
    return Response(200, answer.kind, b"<html>Please log in</html>")


def empty_body(_, answer):
    return Response(200, answer.kind, b"")


def no_content(_, answer):
    return Response(204, answer.kind, b"")


def truncated(_, answer):
    """Half of a body with the correct length for that half."""
    return Response(200, answer.kind, answer.body[: len(answer.body) // 2])


def hang_up(handler, answer):
    """Half of the stated length."""
    handler.send_response(200)
    handler.send_header("Content-Type", answer.kind)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    handler.wfile.write(answer.body[: len(answer.body) // 2])


def drip(handler, answer):
    """Single bytes at intervals shorter than the socket's timeout."""
    handler.send_response(200)
    handler.send_header("Content-Type", answer.kind)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    for byte in answer.body[:200]:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.1)


def drip_header(handler, _):
    for _ in range(100):
        handler.wfile.write(b"H")
        handler.wfile.flush()
        time.sleep(0.1)


def silent(handler, _):
    time.sleep(1.0)


def endless(handler, answer):
    handler.send_response(200)
    handler.send_header("Content-Type", answer.kind)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    block = b"x" * 2**20
    for _ in range(200):
        handler.wfile.write(b"100000\r\n" + block + b"\r\n")


def bomb(_, answer):
    return Response(200, answer.kind, gzip.compress(bytes(10**7)), {"Content-Encoding": "gzip"})


def garbage(handler, _):
    handler.wfile.write(b"\x00\xff no HTTP at all \r\n\r\n")


def json_of(value):
    return lambda _, answer: Response(200, answer.kind, json.dumps(value).encode())


def deep(_, answer):
    return Response(200, answer.kind, b"[" * 100_000 + b"]" * 100_000)


def redirect(target):
    return lambda _, __: Response(302, "text/plain", b"", {"Location": target})


def edited(**values):
    """The image with other header values than its metadata."""

    def fault(handler, _):
        ds = pydicom.dcmread(
            io.BytesIO(handler.server.faulty_server.contents[handler.path.rsplit("/", 1)[1]])
        )
        for name, value in values.items():
            ds.add_new(name, dictionary_VR(name).split(" or ")[-1], value)
        content = io.BytesIO()
        ds.save_as(content)
        return in_parts(content.getvalue())

    return fault


def another_image(handler, _):
    requested = handler.path.rsplit("/", 1)[1]
    return in_parts(next(c for uid, c in handler.server.faulty_server.contents.items() if uid != requested))


def two_parts(_, answer):
    head, _, rest = answer.body.partition(b"\r\n\r\n")
    content = rest.rsplit(b"\r\n--", 1)[0]
    part = head + b"\r\n\r\n" + content + b"\r\n"
    return Response(200, answer.kind, part + part + b"--b0undary--")


def changed_metadata(change):
    """Apply ``change`` to every data set of the metadata."""

    def fault(_, answer):
        items = json.loads(answer.body)
        for item in items:
            change(item)
        return Response(200, answer.kind, json.dumps(items).encode())

    return fault
