"""Addresses, credentials, certificates and queries: which server receives which secret."""

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
from glutseg.pacs import RetryPolicy, Server, is_address, read_address
from glutseg.pacs.multipart import join_parts, single_part
from glutseg.pacs.query import mismatched_key, parse_query
from glutseg.pacs.transfer import Connection

SECRET = "s3cret-väl"  # noqa: S105 - the tests look for it
SHORT_RETRY = RetryPolicy(connect_s=2, read_s=2, request_s=2, attempts=2, first_wait_s=0.01, total_s=3)


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


def test_folders_are_not_addresses():
    assert not any(map(is_address, ("images", "/data/dicom", "C:\\images", "study.zip")))


@contextmanager
def listening(answers, context=None):
    """A server that records the headers it receives; ``answers`` returns (status, headers)."""
    received = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            received.append(dict(self.headers))
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
        yield server.server_port, received
    finally:
        server.shutdown()
        server.server_close()


def success(_path):
    return 200, {}


def get(port, scheme="http", ca="", host="127.0.0.1"):
    server = Server(f"{scheme}://{host}:{port}", ca, SHORT_RETRY)
    return Connection(server).get(f"{server.url}/studies")


def test_credentials_come_from_the_environment_or_a_netrc(monkeypatch, tmp_path):
    with listening(success) as (port, received):
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
    authorizations = [h.get("Authorization") for h in received]
    assert authorizations == [
        None,
        "Basic YW5uYTpnZWhlaW0=",
        "Basic YmVydDpzM2NyZXQtdsOkbA==",
        "Bearer abc.def",
    ]


def test_credentials_are_not_sent_to_another_server(monkeypatch):
    monkeypatch.setenv("GLUTSEG_DICOMWEB_TOKEN", SECRET[:6])
    with listening(success) as (other, received_there):
        targets = [f"http://127.0.0.1:{other}/x", f"http://localhost:{other}/x", f"//127.0.0.1:{other}/x"]
        for target in targets:
            with listening(lambda _, target=target: (307, {"Location": target})) as (port, received):
                with pytest.raises(GlutsegError, match="pacs-redirected"):
                    get(port)
                assert received[0]["Authorization"]
        assert received_there == []


@pytest.mark.parametrize(
    "location",
    [
        r"http://127.0.0.1:{other}\@127.0.0.1:{port}/x",
        r"http://localhost:{other}\@127.0.0.1:{port}/x",
        r"http://127.0.0.1:{other}\\@127.0.0.1:{port}/x",
        r"//127.0.0.1:{other}\@127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}@127.0.0.1:{other}/x",
        "http://u:p@127.0.0.1:{other}/@127.0.0.1:{port}/x",
        "http://127.0.0.1:{other}#@127.0.0.1:{port}/x",
        "http://127.0.0.1:{other}?@127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}%2f@127.0.0.1:{other}/x",
        "http://127.0.0.1\t:{other}/x",
        "http://[::ffff:127.0.0.1]:{other}/x",
        "http://[::1]:{other}/x",
        "http://127.1:{other}/x",
        "http://2130706433:{other}/x",
        "http://127.0.0.1\uff1a{other}/x",
        "http://\u217bocalhost:{other}/x",
        "http://xn--localhost:{other}/x",
        "https://127.0.0.1:{port}/x",
        "ftp://127.0.0.1:{port}/x",
        "http://[127.0.0.1:{other}/x",
        "http://127.0.0.1:{other}:{port}/x",
    ],
)
@pytest.mark.parametrize("secret", ["TOKEN", "USER"])
def test_no_way_of_writing_another_address_gets_a_credential(monkeypatch, location, secret):
    """Whatever a parser makes of the address: nothing is sent anywhere but to the server itself."""
    monkeypatch.setenv(f"GLUTSEG_DICOMWEB_{secret}", SECRET[:6])
    with listening(success) as (other, received_there):

        def answer(path):
            if path != "/studies":
                return success(path)
            target = location.format(other=other, port=port)
            return 302, {"Location": target.encode().decode("latin-1")}

        with listening(answer) as (port, received):
            with pytest.raises(GlutsegError) as caught:
                get(port)
            assert len(received) == 1
        assert received_there == []
    assert caught.value.code in ("pacs-redirected", "pacs-answer-invalid")


@pytest.mark.parametrize(
    "location",
    [
        "/x",
        "x",
        "//127.0.0.1:{port}/x",
        "HTTP://127.0.0.1:{port}/x",
        r"/\127.0.0.2/x",
        "http://eve:hunter2@127.0.0.1:{port}/x",
    ],
)
def test_a_redirect_within_the_server_is_followed_with_the_same_credential(monkeypatch, location):
    monkeypatch.setenv("GLUTSEG_DICOMWEB_TOKEN", SECRET[:6])

    def answer(path):
        return (302, {"Location": location.format(port=port)}) if path == "/studies" else success(path)

    with listening(answer) as (port, received):
        assert get(port).status_code == 200
    assert [headers["Authorization"] for headers in received] == ["Bearer s3cret"] * 2


def test_an_address_that_requests_cannot_read_is_named():
    with pytest.raises(GlutsegError, match="pacs-address-invalid"):
        Connection(Server("https://*.example"))


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


def test_a_certificate_must_be_trusted_and_match_the_host(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    ca = str(certificate / "cert.pem")
    monkeypatch.setenv("GLUTSEG_DICOMWEB_TOKEN", "abc")
    with listening(success, context) as (port, received):
        for how in ({}, {"ca": ca, "host": "127.0.0.1"}):  # untrusted; of another host
            with pytest.raises(GlutsegError, match="pacs-untrusted"):
                get(port, "https", **how)
        assert received == []
        get(port, "https", ca=ca, host="localhost")
        assert len(received) == 1
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)
        assert read_address(f"dicomweb+https://localhost:{port}").ca == ca


def test_a_missing_file_of_certificates_is_an_error():
    with pytest.raises(GlutsegError, match="pacs-untrusted"):
        read_address("dicomweb+https://pacs.example/x", ca="no/such/file")


def test_no_server_is_an_error_after_all_attempts():
    with pytest.raises(GlutsegError, match="after 2 attempts"):
        get(1)


def test_a_query_names_keywords_of_the_dictionary():
    query = parse_query(["StudyDescription=*PELVIS*", " StudyDate = 20200101-20201231"])
    assert query == {"StudyDescription": "*PELVIS*", "StudyDate": "20200101-20201231"}


@pytest.mark.parametrize(
    "texts",
    [[], ["StudyDescription"], ["StudyDescription="], ["Nonsense=1"], ["limit=3"], ["PatientID=1"] * 2],
)
def test_an_invalid_query_is_refused(texts):
    with pytest.raises(GlutsegError, match="pacs-query-invalid"):
        parse_query(texts)


@pytest.mark.parametrize(
    ("key", "pattern", "value", "is_match"),
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
def test_a_result_that_does_not_match_the_query_is_detected(key, pattern, value, is_match):
    from glutseg.pacs.dicom_json import tag_of

    item = {tag_of(key): {"vr": "LO", "Value": [value]}}
    assert mismatched_key(item, {key: pattern}) == ("" if is_match else key)
    assert mismatched_key({}, {key: pattern}) == ""


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=3))
def test_a_joined_body_is_read_back(parts):
    content_type, body = join_parts(parts)
    if len(parts) == 1:
        assert single_part(content_type, body) == parts[0]
    else:
        with pytest.raises(GlutsegError):
            single_part(content_type, body)


@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_truncated_body_is_refused(part, data):
    content_type, body = join_parts([part])
    end = data.draw(st.integers(0, len(body) - 5))
    with pytest.raises(GlutsegError, match="pacs-answer-invalid"):
        single_part(content_type, body[:end])
