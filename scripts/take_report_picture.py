"""Take docs/images/report-case.jpg and overlay.jpg from a run of sample_dicom; needs chromium and its driver.

    python scripts/take_report_picture.py OUT

OUT is what `glutseg run sample_dicom -o OUT` wrote: the synthetic patients, nobody's images.
"""

from __future__ import annotations

import argparse
import base64
import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from glutseg.report import write_report

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "images"
OVERLAY_SIZE = (1400, 859)
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    PICTURES.mkdir(parents=True, exist_ok=True)
    overlay = Image.open(next((out / "cases").glob("PHANTOM-0001-*/overlay.png"))).convert("RGB")
    overlay.resize(OVERLAY_SIZE).save(PICTURES / "overlay.jpg", quality=85, optimize=True)
    with tempfile.TemporaryDirectory() as folder:
        page = write_report(out, Path(folder) / "report.html")
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={folder}/browser"):
            options.add_argument(flag)
        # both by their paths: selenium would ask the network for what it does not find
        options.binary_location = shutil.which("chromium") or "chromium"
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            size = {"width": 1280, "height": 1240, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            driver.get(f"{page.as_uri()}#case-1")
            shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        finally:
            driver.quit()
    picture = Image.open(io.BytesIO(base64.b64decode(shot))).convert("RGB")
    picture.save(PICTURES / "report-case.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main()
