"""Addresses, credentials, certificates and queries: who is asked what, and who gets to know which secret."""

import logging
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glutseg.errors import GlutsegError
from glutseg.pacs import Patience, Server, is_address, read_address
from glutseg.pacs.multipart import one_part, together
from glutseg.pacs.query import belied, parse_query
from glutseg.pacs.transfer import Line

SECRET = "s3cret-väl"  # noqa: S105 - the tests look for it
HURRIED = Patience(connect_s=2, read_s=2, request_s=2, attempts=2, first_wait_s=0.01, total_s=3)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("dicomweb+https://pacs.example/dicom-web/", "https://pacs.example/dicom-web"),
        ("dicomweb+https://pacs.example:8443/a/b", "https://pacs.example:8443/a/b"),
        ("dicomweb+http://localhost:8042/dicom-web", "http://localhost:8042/dicom-web"),
        ("dicomweb+http://127.0.0.1:8042", "http://127.0.0.1:8042"),
        ("dicomweb+http://[::1]:8042/x", "http://[::1]:8042/x"),
    ],
)
def test_an_address_is_read(address, url):
    assert is_address(address)
    assert read_address(address).url == url


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("dicomweb+https://user:hunter2@pacs.example/x", "pacs-address-invalid"),
        ("dicomweb+https://hunter2@pacs.example/x", "pacs-address-invalid"),
        ("dicomweb+https://", "pacs-address-invalid"),
        ("dicomweb+ftp://pacs.example/hunter2", "pacs-address-invalid"),
        ("dicomweb+https://pacs.example/x?token=hunter2", "pacs-address-invalid"),
        ("dicomweb+https://pacs.example:99999/x", "pacs-address-invalid"),
        ("dicomweb+https://pacs.example/a b", "pacs-address-invalid"),
        ("dicomweb+http://pacs.example/x", "pacs-insecure"),
        ("dicomweb+http://localhost.evil.example/x", "pacs-insecure"),
        ("dicomweb+http://127.0.0.1.evil.example/x", "pacs-insecure"),
    ],
)
def test_an_address_is_refused_without_repeating_a_password(address, code):
    with pytest.raises(GlutsegError) as caught:
        read_address(address)
    assert caught.value.code == code
    assert "hunter2" not in str(caught.value)


def test_http_to_another_host_must_be_allowed():
    assert read_address("dicomweb+http://pacs.example/x", allow_http=True).url == "http://pacs.example/x"


def test_folders_are_no_addresses():
    assert not any(map(is_address, ("images", "/data/dicom", "C:\\images", "study.zip")))


@contextmanager
def listening(answers, context=None):
    """A server that notes the headers it gets; ``answers`` are (status, headers)."""
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(dict(self.headers))
            status, headers = answers(self.path)
            body = b"[]" if status == 200 else b""
            self.send_response(status)
            for name, value in {"Content-Type": "application/dicom+json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port, heard
    finally:
        server.shutdown()
        server.server_close()


def well(_path):
    return 200, {}


def get(port, scheme="http", ca="", host="127.0.0.1"):
    server = Server(f"{scheme}://{host}:{port}", ca, HURRIED)
    return Line(server).get(f"{server.url}/studies")


def test_credentials_come_from_the_environment_or_a_netrc(monkeypatch, tmp_path):
    with listening(well) as (port, heard):
        get(port)
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login anna password geheim\nmachine x login y password z\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        get(port)
        monkeypatch.setenv("GLUTSEG_DICOMWEB_USER", "bert")
        monkeypatch.setenv("GLUTSEG_DICOMWEB_PASSWORD", SECRET)
        get(port)
        monkeypatch.setenv("GLUTSEG_DICOMWEB_TOKEN", "abc.def")
        get(port)
    told = [h.get("Authorization") for h in heard]
    assert told == [None, "Basic YW5uYTpnZWhlaW0=", "Basic YmVydDpzM2NyZXQtdsOkbA==", "Bearer abc.def"]


def test_another_server_never_gets_them(monkeypatch):
    monkeypatch.setenv("GLUTSEG_DICOMWEB_TOKEN", SECRET[:6])
    with listening(well) as (other, heard_there):
        places = [f"http://127.0.0.1:{other}/x", f"http://localhost:{other}/x", f"//127.0.0.1:{other}/x"]
        for place in places:
            with listening(lambda _, place=place: (307, {"Location": place})) as (port, heard):
                with pytest.raises(GlutsegError, match="pacs-redirected"):
                    get(port)
                assert heard[0]["Authorization"]
        assert heard_there == []


@pytest.mark.parametrize("status", [401, 403, 500, 503, 302])
def test_no_secret_is_in_an_error_its_causes_or_a_log(monkeypatch, caplog, status):
    monkeypatch.setenv("GLUTSEG_DICOMWEB_USER", "bert")
    monkeypatch.setenv("GLUTSEG_DICOMWEB_PASSWORD", SECRET)
    caplog.set_level(logging.DEBUG)
    elsewhere = {"Location": "https://elsewhere.example"}
    with listening(lambda _: (status, elsewhere)) as (port, _), pytest.raises(GlutsegError) as caught:
        get(port)
    error = caught.value
    while error is not None:
        assert SECRET not in f"{error!r}{error}"
        assert error.__suppress_context__ or error.__context__ is None
        error = error.__cause__
    assert SECRET not in caplog.text
    assert "Basic" not in caplog.text


@pytest.mark.parametrize("text", ["machine 127.0.0.1 login a passwort geheim\n", "\xff\xfe geheim"])
def test_a_broken_netrc_is_not_quoted(monkeypatch, tmp_path, text):
    (tmp_path / "netrc").write_text(text, encoding="latin-1")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(GlutsegError) as caught:
        get(1)
    assert caught.value.code == "pacs-credentials-unreadable"
    assert "geheim" not in str(caught.value)


def test_a_secret_with_a_line_break_is_refused_without_quoting_it(monkeypatch):
    monkeypatch.setenv("GLUTSEG_DICOMWEB_TOKEN", "abc\r\nX-Evil: 1")
    with pytest.raises(GlutsegError) as caught:
        get(1)
    assert caught.value.code == "pacs-credentials-unreadable"
    assert "Evil" not in str(caught.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
    )
    names = ["-addext", "subjectAltName=DNS:localhost"]
    try:
        subprocess.run([*command.split(), *names], cwd=folder, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl is not installed")
    return folder


def test_a_certificate_must_be_trusted_and_its_own(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    ca = str(certificate / "cert.pem")
    monkeypatch.setenv("GLUTSEG_DICOMWEB_TOKEN", "abc")
    with listening(well, context) as (port, heard):
        for how in ({}, {"ca": ca, "host": "127.0.0.1"}):  # nobody's; another host's
            with pytest.raises(GlutsegError, match="pacs-untrusted"):
                get(port, "https", **how)
        assert heard == []
        get(port, "https", ca=ca, host="localhost")
        assert len(heard) == 1
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
        assert read_address(f"dicomweb+https://localhost:{port}").ca == ca


def test_a_file_of_certificates_must_be_there():
    with pytest.raises(GlutsegError, match="pacs-untrusted"):
        read_address("dicomweb+https://pacs.example/x", ca="no/such/file")


def test_nobody_there_is_told_after_all_attempts():
    with pytest.raises(GlutsegError, match="after 2 attempts"):
        get(1)


def test_a_query_names_keywords_of_the_dictionary():
    asked = parse_query(["StudyDescription=*PELVIS*", " StudyDate = 20200101-20201231"])
    assert asked == {"StudyDescription": "*PELVIS*", "StudyDate": "20200101-20201231"}


@pytest.mark.parametrize(
    "texts",
    [[], ["StudyDescription"], ["StudyDescription="], ["Nonsense=1"], ["limit=3"], ["PatientID=1"] * 2],
)
def test_a_query_that_cannot_be_understood_is_refused(texts):
    with pytest.raises(GlutsegError, match="pacs-query-invalid"):
        parse_query(texts)


@pytest.mark.parametrize(
    ("key", "asked", "value", "fits"),
    [
        ("StudyDescription", "*pelvis*", "CT PELVIS native", True),
        ("StudyDescription", "*pelvis*", "CT thorax", False),
        ("StudyDescription", "CT?PELVIS", "CT PELVIS", True),
        ("StudyDescription", "a.c", "abc", False),
        ("StudyDate", "20200101-", "20191231", False),
        ("StudyDate", "-20200101", "20200101", True),
        ("StudyDate", "20200101", "20200102", False),
        ("StudyInstanceUID", "1.2,1.3", "1.3", True),
        ("StudyInstanceUID", "1.2", "1.20", False),
        ("PatientName", "MEIER*", "Müller", True),
    ],
)
def test_an_answer_that_belies_the_query_is_seen(key, asked, value, fits):
    from glutseg.pacs.answers import tag_of

    item = {tag_of(key): {"vr": "LO", "Value": [value]}}
    assert belied(item, {key: asked}) == ("" if fits else key)
    assert belied({}, {key: asked}) == ""


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=3))
def test_what_is_put_together_is_taken_apart_again(parts):
    content_type, body = together(parts)
    if len(parts) == 1:
        assert one_part(content_type, body) == parts[0]
    else:
        with pytest.raises(GlutsegError):
            one_part(content_type, body)


@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_body_that_was_cut_anywhere_is_refused(part, data):
    content_type, body = together([part])
    end = data.draw(st.integers(0, len(body) - 5))
    with pytest.raises(GlutsegError, match="pacs-answer-invalid"):
        one_part(content_type, body[:end])
