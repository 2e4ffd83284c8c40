"""Objects count as stored when the server confirms each of them."""

import json
from dataclasses import replace

import faults
import pytest
from faulty_server import Response, serving, uid_of

from glutseg import batch, dicom
from glutseg.errors import GlutsegError
from glutseg.pacs.store import send, store
from glutseg.pacs.transfer import Connection
from glutseg.phantom import write_dicom
from glutseg.protocol import load_protocol


@pytest.fixture
def faulty_server(small_phantom, tmp_path):
    patient = replace(small_phantom.patient, patient_id="A")
    write_dicom(replace(small_phantom, patient=patient), tmp_path / "in")
    with serving(tmp_path / "in") as server:
        yield server


def confirmation(failed=(), stored=(), status=200):
    """The response of a server that stored some objects and not others."""

    def objects(uids, **more):
        return {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": [uid]}, **more} for uid in uids]}

    reason = {"00081197": {"vr": "US", "Value": [272]}}
    content = {"00081198": objects(failed, **reason), "00081199": objects(stored)}
    return lambda _, __: Response(status, "application/dicom+json", json.dumps(content).encode())


def test_every_object_must_be_confirmed(faulty_server):
    files = list(faulty_server.contents.values())[:2]
    one, other = map(uid_of, files)
    connection = Connection(faulty_server.server)
    assert send(connection, faulty_server.server, files) == [one, other]
    assert faulty_server.stored == files
    for fault in (
        confirmation(stored=[one]),
        confirmation(stored=[one, other], failed=[other]),
        confirmation(stored=[one], failed=[other], status=202),
        confirmation(failed=[one, other], status=409),
        confirmation(stored=[one, "1.2.3"]),
        lambda _, __: Response(200, "application/dicom+json", b""),
        faults.json_of([]),
        faults.json_of("stored"),
    ):
        faulty_server.faults.clear()
        faulty_server.add_fault("store", fault)
        with pytest.raises(GlutsegError, match="pacs-store-failed"):
            send(connection, faulty_server.server, files)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.status(401), "pacs-refused"),
        (faults.status(500), "pacs-failed"),
        (faults.login_page, "pacs-answer-invalid"),
        (faults.redirect("/dicom-web/studies"), "pacs-redirected"),
    ],
)
def test_every_fault_when_storing_has_a_code(faulty_server, fault, code):
    faulty_server.add_fault("store", fault)
    with pytest.raises(GlutsegError) as caught:
        send(
            Connection(faulty_server.server), faulty_server.server, list(faulty_server.contents.values())[:1]
        )
    assert caught.value.code == code


def test_unconfirmed_objects_are_stored_again_next_time(faulty_server, truth_rooms, tmp_path):
    out = tmp_path / "out"
    batch.run(dicom.scan(tmp_path / "in"), load_protocol(), None, out)
    faulty_server.add_fault("store", confirmation(status=409), times=1)
    first = store(out, faulty_server.server)
    assert [code for _, code, _ in first.left_out] == ["pacs-store-failed"]
    second = store(out, faulty_server.server)
    assert (len(second.stored), second.kept, second.left_out) == (1, (), ())
    assert store(out, faulty_server.server).kept == second.stored
    assert faulty_server.count("store") == 2
    assert {uid_of(content) for content in faulty_server.stored} == set(
        json.loads((out / "stored.json").read_text(encoding="utf-8"))["servers"][
            faulty_server.server.address
        ][second.stored[0]]["objects"]
    )
