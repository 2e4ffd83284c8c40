"""What a server may do wrong."""

from __future__ import annotations

import gzip
import io
import json
import time

import pydicom
from odd_server import Answer, in_parts
from pydicom.datadict import dictionary_VR


def status(code: int, **headers: str):
    return lambda _, __: Answer(
        code, "text/plain", b"no", {k.replace("_", "-"): v for k, v in headers.items()}
    )


def page_for_people(_, __):
    return Answer(200, "text/html; charset=utf-8", b"<html><script>alert(1)</script>Please log in</html>")


def page_called_json(_, answer):
    return Answer(200, answer.kind, b"<html>Please log in</html>")


def nothing(_, answer):
    return Answer(200, answer.kind, b"")


def no_content(_, answer):
    return Answer(204, answer.kind, b"")


def half(_, answer):
    """Half of a body, whose length is stated as if it were all."""
    return Answer(200, answer.kind, answer.body[: len(answer.body) // 2])


def hang_up(handler, answer):
    """Half of what was promised."""
    handler.send_response(200)
    handler.send_header("Content-Type", answer.kind)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    handler.wfile.write(answer.body[: len(answer.body) // 2])


def drip(handler, answer):
    """A byte now and then, so that no time-out of a socket is met."""
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
    return Answer(200, answer.kind, gzip.compress(bytes(10**7)), {"Content-Encoding": "gzip"})


def garbage(handler, _):
    handler.wfile.write(b"\x00\xff no HTTP at all \r\n\r\n")


def json_of(value):
    return lambda _, answer: Answer(200, answer.kind, json.dumps(value).encode())


def deep(_, answer):
    return Answer(200, answer.kind, b"[" * 100_000 + b"]" * 100_000)


def redirect(target):
    return lambda _, __: Answer(302, "text/plain", b"", {"Location": target})


def edited(**values):
    """The image with other header values than its metadata announced."""

    def fault(handler, _):
        ds = pydicom.dcmread(io.BytesIO(handler.server.odd.contents[handler.path.rsplit("/", 1)[1]]))
        for name, value in values.items():
            ds.add_new(name, dictionary_VR(name).split(" or ")[-1], value)
        content = io.BytesIO()
        ds.save_as(content)
        return in_parts(content.getvalue())

    return fault


def another_image(handler, _):
    asked = handler.path.rsplit("/", 1)[1]
    return in_parts(next(c for uid, c in handler.server.odd.contents.items() if uid != asked))


def two_parts(_, answer):
    head, _, rest = answer.body.partition(b"\r\n\r\n")
    content = rest.rsplit(b"\r\n--", 1)[0]
    part = head + b"\r\n\r\n" + content + b"\r\n"
    return Answer(200, answer.kind, part + part + b"--b0undary--")


def changed_metadata(change):
    """Every data set of the metadata as ``change`` leaves it."""

    def fault(_, answer):
        items = json.loads(answer.body)
        for item in items:
            change(item)
        return Answer(200, answer.kind, json.dumps(items).encode())

    return fault
