"""What is stored is what the server confirmed, object by object."""

import json
from dataclasses import replace

import faults
import pytest
from odd_server import Answer, serving, uid_of

from glutseg import batch, dicom
from glutseg.errors import GlutsegError
from glutseg.pacs.store import send, store
from glutseg.pacs.transfer import Line
from glutseg.phantom import write_dicom
from glutseg.protocol import load_protocol


@pytest.fixture
def odd(small_phantom, tmp_path):
    patient = replace(small_phantom.patient, patient_id="A")
    write_dicom(replace(small_phantom, patient=patient), tmp_path / "in")
    with serving(tmp_path / "in") as server:
        yield server


def said(failed=(), stored=(), status=200):
    """The answer of a server that kept some objects and not others."""

    def objects(uids, **more):
        return {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": [uid]}, **more} for uid in uids]}

    reason = {"00081197": {"vr": "US", "Value": [272]}}
    content = {"00081198": objects(failed, **reason), "00081199": objects(stored)}
    return lambda _, __: Answer(status, "application/dicom+json", json.dumps(content).encode())


def test_every_object_must_be_confirmed(odd):
    files = list(odd.contents.values())[:2]
    one, other = map(uid_of, files)
    line = Line(odd.server)
    assert send(line, odd.server, files) == [one, other]
    assert odd.stored == files
    for fault in (
        said(stored=[one]),
        said(stored=[one, other], failed=[other]),
        said(stored=[one], failed=[other], status=202),
        said(failed=[one, other], status=409),
        said(stored=[one, "1.2.3"]),
        lambda _, __: Answer(200, "application/dicom+json", b""),
        faults.json_of([]),
        faults.json_of("stored"),
    ):
        odd.faults.clear()
        odd.does("store", fault)
        with pytest.raises(GlutsegError, match="pacs-store-failed"):
            send(line, odd.server, files)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.status(401), "pacs-refused"),
        (faults.status(500), "pacs-failed"),
        (faults.page_for_people, "pacs-answer-invalid"),
        (faults.redirect("/dicom-web/studies"), "pacs-redirected"),
    ],
)
def test_a_server_that_does_not_store_has_a_name(odd, fault, code):
    odd.does("store", fault)
    with pytest.raises(GlutsegError) as caught:
        send(Line(odd.server), odd.server, list(odd.contents.values())[:1])
    assert caught.value.code == code


def test_what_was_not_confirmed_is_stored_the_next_time(odd, truth_rooms, tmp_path):
    out = tmp_path / "out"
    batch.run(dicom.scan(tmp_path / "in"), load_protocol(), None, out)
    odd.does("store", said(status=409), times=1)
    first = store(out, odd.server)
    assert [code for _, code, _ in first.left_out] == ["pacs-store-failed"]
    second = store(out, odd.server)
    assert (len(second.stored), second.kept, second.left_out) == (1, (), ())
    assert store(out, odd.server).kept == second.stored
    assert odd.count("store") == 2
    assert {uid_of(content) for content in odd.stored} == set(
        json.loads((out / "stored.json").read_text(encoding="utf-8"))["servers"][odd.server.address][
            second.stored[0]
        ]["objects"]
    )
