"""A real Orthanc server for tests, on a free port of this host, in its own folder, with a password."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "reader", "kept-out-of-every-file"
START_TIMEOUT_S = 20.0


def missing() -> str:
    """Return why Orthanc cannot be started here; "" if it can."""
    if shutil.which("Orthanc") is None:
        return "Orthanc is not installed (Debian: orthanc)"
    return "" if PLUGIN.exists() else "its DICOMweb plug-in is not installed (Debian: orthanc-dicomweb)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Orthanc:
    """A server that can be stopped and started again with its data."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"dicomweb+{self.url}/dicom-web"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "orthanc.json"
        config.write_text(json.dumps(self._config()), encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(["Orthanc", str(config)], stdout=log, stderr=log)
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            try:
                self.rest("/system")
                return
            except requests.ConnectionError:
                time.sleep(0.05)
        msg = (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(msg)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_TIMEOUT_S)
            self.process = None

    def _config(self) -> dict[str, Any]:
        return {
            "Name": "glutseg-test",
            "StorageDirectory": str(self.folder / "db"),
            "IndexDirectory": str(self.folder / "db"),
            "Plugins": [str(PLUGIN)],
            "HttpPort": self.port,
            "DicomServerEnabled": False,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {USER: PASSWORD},
            "OverwriteInstances": False,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "Ssl": False},
        }

    def rest(self, path: str, body: bytes | None = None) -> Any:
        """Call Orthanc's own REST interface, which is not DICOMweb."""
        answer = requests.request(
            "GET" if body is None else "POST",
            self.url + path,
            data=body,
            auth=(USER, PASSWORD),
            timeout=30,
            proxies={"http": "", "https": ""},
        )
        answer.raise_for_status()
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.content

    def push(self, folder: Path) -> None:
        for path in sorted(folder.rglob("*.dcm")):
            self.rest("/instances", path.read_bytes())

    def instances(self, modality: str) -> list[bytes]:
        """Return all files of a modality."""
        query = {"Level": "Instance", "Query": {"Modality": modality}}
        found = self.rest("/tools/find", json.dumps(query).encode())
        return [self.rest(f"/instances/{name}/file") for name in found]


def environment() -> dict[str, str]:
    """Return the environment variables of a user of this server."""
    return {"GLUTSEG_DICOMWEB_USER": USER, "GLUTSEG_DICOMWEB_PASSWORD": PASSWORD, "NETRC": os.devnull}
