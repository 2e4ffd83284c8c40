"""The page in a real browser: it sorts, filters and opens cases, and does nothing else."""

import json
import shutil

import pytest
from report_runs import CASES, HOSTILE

from glutseg.report import write_report

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and its driver are not installed")

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run",
         "--disable-dev-shm-usage")  # fmt: skip

CONTRASTS = """
const channel = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const rgb = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return [n.slice(0, 3).map((c) => c / 255), n[3] ?? 1]; };
const found = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !node.checkVisibility() || node.closest("script, style, option, [disabled], .skip, title")) continue;
  const style = getComputedStyle(node);
  const [ink] = rgb(node.closest("svg") ? style.fill : style.color);
  let paper = null;
  for (let up = node; up && !paper; up = up.parentElement) {
    const [colour, alpha] = rgb(getComputedStyle(up).backgroundColor);
    if (alpha === 1) paper = colour;
  }
  paper ??= [1, 1, 1];
  const [a, b] = [light(ink), light(paper)].sort((x, y) => y - x);
  found.push([(a + 0.05) / (b + 0.05), node.tagName + "." + node.getAttribute("class"), node.textContent.trim().slice(0, 30)]);
}
return found;
"""  # noqa: E501


@pytest.fixture(scope="module")
def address(full_run, tmp_path_factory):
    return write_report(full_run, tmp_path_factory.mktemp("page") / "report.html").as_uri()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


SETTLE = """
const done = arguments[arguments.length - 1];
const end = image => new Promise(end => ['load', 'error'].forEach(e => image.addEventListener(e, end)));
Promise.all([...document.images].map(image => image.complete || end(image)))
    .then(() => requestAnimationFrame(() => requestAnimationFrame(done)));
"""


class Screen:
    """The page as a user has it."""

    def __init__(self, driver, address):
        self.driver = driver
        self.address = address

    def load(self, anchor="", *, width=1280, height=900, dark=False, media=""):
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})
        self.driver.get("about:blank")
        self.driver.get(self.address + anchor)
        return self

    def all(self, query):
        return self.driver.find_elements(By.CSS_SELECTOR, query)

    def one(self, query):
        return self.driver.find_element(By.CSS_SELECTOR, query)

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def patients(self):
        return [row.text for row in self.all(".cases tbody th") if row.is_displayed()]

    def shown(self):
        """The patient whose case is open."""
        return self.js("return viewer.open ? shown.querySelector('h3').firstChild.textContent.trim() : null")

    def settle(self):
        """Until every picture is loaded or given up, and what that set off is done."""
        self.driver.execute_async_script(SETTLE)

    def assert_soon(self, condition):
        """For what a browser does when it comes to it, such as giving back the focus."""
        WebDriverWait(self.driver, 10).until(lambda _: condition())

    def focused(self):
        return self.driver.switch_to.active_element


@pytest.fixture
def screen(chromium, address):
    return Screen(chromium, address).load()


def header(screen, name):
    return next(b for b in screen.all(".cases thead button") if b.text.startswith(name))


def test_nothing_is_asked_of_the_network_and_nothing_goes_wrong(screen):
    screen.driver.get_log("performance")
    screen.driver.get_log("browser")
    screen.load()
    screen.one("a.open").click()
    screen.settle()
    events = [json.loads(entry["message"])["message"] for entry in screen.driver.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert screen.address in asked
    strange = [url for url in asked if url != screen.address and not url.startswith(("data:", "about:"))]
    assert strange == []
    assert screen.driver.get_log("browser") == []


def test_hostile_words_do_nothing(screen):
    assert screen.driver.title == "Gluteus maximus on CT"
    assert HOSTILE in screen.patients()
    link = next(a for a in screen.all("a.open") if a.text == HOSTILE)
    link.click()
    assert screen.shown() == HOSTILE
    screen.settle()
    assert screen.driver.title == "Gluteus maximus on CT"
    assert not screen.all('img[src="x"]')


def test_a_script_that_slipped_in_would_not_run(screen):
    screen.js(
        "const s = document.createElement('script'); s.textContent = \"document.title = 'owned'\";"
        "document.body.append(s); document.body.insertAdjacentHTML('beforeend',"
        '\'<img src="https://example.invalid/x.png" onerror="document.title = 1">\');'
    )
    screen.settle()
    assert screen.driver.title == "Gluteus maximus on CT"
    told = " ".join(entry["message"] for entry in screen.driver.get_log("browser"))
    assert told.count("Content Security Policy") >= 2


def test_it_sorts_by_mouse_and_by_enter_and_unknowns_stay_last(screen):
    mean = header(screen, "Mean mm²")
    mean.click()
    assert screen.patients()[:4] == ["P02", HOSTILE, "P01", "=P11"]
    assert mean.find_element(By.XPATH, "..").get_attribute("aria-sort") == "ascending"
    mean.send_keys(Keys.ENTER)
    assert screen.patients()[:4] == ["=P11", "P01", HOSTILE, "P02"]
    assert set(screen.patients()[4:]) == {"P03", "P10"}
    patient = header(screen, "Patient")
    patient.send_keys(Keys.SPACE)
    names = screen.patients()
    assert names.index("P03") < names.index("P10")
    assert mean.find_element(By.XPATH, "..").get_attribute("aria-sort") == "none"


def test_it_filters_by_words_status_flag_and_decision(screen):
    def choose(field, value):
        Select(screen.one(f"#{field}")).select_by_value(value)

    screen.one("#search").send_keys("p0")
    assert screen.patients() == ["P01", "P02", "P03"]
    assert screen.one("#count").text == "3 of 6 cases"
    screen.one("#search").send_keys(" corrected")
    assert screen.patients() == ["P02"]
    screen.one("#reset").click()
    screen.assert_soon(lambda: len(screen.patients()) == 6)
    choose("status", "failed")
    assert screen.patients() == ["P10"]
    choose("status", "excluded")
    assert screen.patients() == ["P03"]
    choose("decision", "rejected")
    assert screen.patients() == ["P03"]
    choose("flag", "outline-uncertain")
    assert screen.patients() == []
    assert screen.one("#nothing").is_displayed()
    choose("status", "")
    choose("decision", "")
    assert screen.patients() == [HOSTILE]


def test_it_opens_a_case_by_mouse_and_steps_through_what_the_filter_leaves(screen):
    screen.one("#search").send_keys("p0")
    next(link for link in screen.all(".cases a.open") if link.text == "P01").click()
    assert screen.shown() == "P01"
    assert screen.one("#place").text == "1 of 3"
    assert not screen.one("#before").is_enabled()
    screen.one("#after").click()
    screen.keys(Keys.ARROW_RIGHT)
    assert screen.shown() == "P03"
    assert not screen.one("#after").is_enabled()
    screen.keys(Keys.ARROW_LEFT)
    assert screen.shown() == "P02"
    screen.one("#close").click()
    assert screen.shown() is None
    screen.assert_soon(lambda: screen.focused().text == "P02")
    assert len(screen.all("#articles article")) == len(CASES)
    order = [a.get_attribute("id") for a in screen.all("#articles article")]
    assert order == [row.get_attribute("data-case") for row in screen.all(".cases tbody tr")]


def test_the_keyboard_alone_is_enough(screen):
    screen.keys(Keys.TAB)
    assert screen.focused().get_attribute("class") == "skip"
    for _ in range(60):
        screen.keys(Keys.TAB)
        if screen.focused().get_attribute("class") == "open":
            break
    name = screen.focused().text
    outline = screen.js("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    screen.keys(Keys.ENTER)
    assert screen.shown() == name
    screen.keys(Keys.ESCAPE)
    assert screen.shown() is None
    screen.assert_soon(lambda: screen.focused().text == name)


def test_pictures_to_skim_and_a_case_by_its_address(screen):
    screen.one("#as-pictures").click()
    assert screen.one("#as-pictures").get_attribute("aria-pressed") == "true"
    assert not screen.one("#table").is_displayed()
    tiles = [tile for tile in screen.all("#pictures li") if tile.is_displayed()]
    assert len(tiles) == len(CASES)
    assert all(screen.js("return arguments[0].complete && arguments[0].naturalWidth > 0", i) for i in
               screen.all("#pictures img"))  # fmt: skip
    tiles[1].find_element(By.CSS_SELECTOR, "a").click()
    assert screen.shown() is not None
    screen.load("#case-2")
    assert screen.one("#place").text == "2 of 6"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast_is_enough_to_read(screen, dark):
    screen.load(dark=dark)
    rows = screen.js(CONTRASTS)
    screen.js("arguments[0].click()", screen.one("a.open"))
    rows += screen.js(CONTRASTS)
    assert len(rows) > 150
    assert [row for row in rows if row[0] < 4.5] == []


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_is_wider_than_the_screen(screen, width):
    screen.load(width=width, height=844)
    assert screen.js("return document.documentElement.scrollWidth") <= width
    screen.one("a.open").click()
    assert screen.js("return document.getElementById('shown').scrollWidth <= innerWidth")


def test_paper_shows_every_case_that_the_filter_leaves(screen):
    screen.load(media="print")
    screen.js("search.value = 'p0'; tools.dispatchEvent(new Event('input'))")
    assert sum(article.is_displayed() for article in screen.all("#articles article")) == 3
    assert not screen.one("#tools").is_displayed()
    assert screen.one("#table").is_displayed()


def test_without_scripts_every_case_is_on_the_page(screen):
    screen.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        screen.load()
        assert all(article.is_displayed() for article in screen.all("#articles article"))
        assert not screen.one("#tools").is_displayed()
    finally:
        screen.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
