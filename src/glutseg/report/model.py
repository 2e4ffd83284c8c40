"""What the page shows: plain values and words, ready to be laid out. No HTML is made here."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fact:
    """A name and its value, in words."""

    name: str
    value: str


@dataclass(frozen=True)
class FlagWords:
    """A flag, or a failure's reason, as a person reads it: ``messages`` are (side or "", what was found)."""

    code: str
    severity: str
    meaning: str
    remedy: str
    messages: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class DecisionWords:
    """What one reviewer decided about a case."""

    reviewer: str
    decision: str
    when: str
    reason: str
    note: str
    change: str
    is_stale: bool


@dataclass(frozen=True)
class Picture:
    """An image as a ``data:`` address, with the words that stand for it."""

    address: str
    words: str
    width_px: int = 0
    height_px: int = 0


@dataclass(frozen=True)
class Line:
    """A line of a chart: ``points`` as SVG has them ("x,y x,y"), and where its name stands."""

    name: str
    side: str
    points: str
    end_x: float
    end_y: float


@dataclass(frozen=True)
class Tick:
    """A line of a chart's grid and its label, at ``at`` along its axis."""

    at: float
    label: str


@dataclass(frozen=True)
class ErrorBar:
    """How far an area may be off: an upright line at ``x`` between two heights."""

    side: str
    x: float
    upper_y: float
    lower_y: float


@dataclass(frozen=True)
class Chart:
    """A small chart in SVG units."""

    width: float
    height: float
    left: float
    bottom: float
    top: float
    right: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    level_x: float
    words: str
    error_bars: tuple[ErrorBar, ...] = ()


@dataclass(frozen=True)
class Dot:
    """A case in the overview; ``anchor`` is its place on the page."""

    x: float
    y: float
    status: str
    anchor: str
    words: str


@dataclass(frozen=True)
class Overview:
    """Mean areas of all cases as dots on one axis."""

    width: float
    height: float
    base: float
    radius: float
    ticks: tuple[Tick, ...]
    dots: tuple[Dot, ...]
    median_x: float
    words: str


@dataclass(frozen=True)
class CaseView:
    """One case of the page.

    Attributes
    ----------
    anchor : safe as an HTML id
    sides : (what, right, left)
    search : what the text filter looks in, in small letters
    """

    anchor: str
    case_id: str
    patient_id: str
    date: str
    status: str
    decision: str
    area_right: str
    area_left: str
    area_mean: str
    bound_percent: str
    index: str
    flags: tuple[FlagWords, ...]
    error: FlagWords | None
    sides: tuple[tuple[str, str, str], ...]
    measured: tuple[Fact, ...]
    series: tuple[Fact, ...]
    rejected_series: tuple[Fact, ...]
    decisions: tuple[DecisionWords, ...]
    picture: Picture | None
    thumbnail: Picture | None
    profile: Chart | None
    search: str

    @property
    def flag_codes(self) -> tuple[str, ...]:
        """Each code once, those that ask for a review before notes."""
        return tuple(flag.code for flag in self.flags)


@dataclass(frozen=True)
class FigureView:
    """A figure of a study or an agreement; its caption says what it shows, with the statistics."""

    title: str
    picture: Picture
    caption: str = ""


@dataclass(frozen=True)
class TableView:
    """A small table."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A study's or an agreement's part of the page."""

    title: str
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tables: tuple[TableView, ...] = ()
    figures: tuple[FigureView, ...] = ()


@dataclass(frozen=True)
class Report:
    """The whole page."""

    title: str
    protocol: str
    date: str
    version: str
    counts: tuple[Fact, ...]
    unfinished: str
    overview: Overview | None
    cases: tuple[CaseView, ...]
    flag_codes: tuple[tuple[FlagWords, int], ...]
    has_decisions: bool
    study: Section | None
    agreement: Section | None
    methods: tuple[str, ...]
    citations: tuple[str, ...]
    context: tuple[tuple[str, ...], ...]
    context_words: str
    protocol_facts: tuple[Fact, ...]
    versions: tuple[Fact, ...]
    pictures_note: str = ""
    statuses: tuple[Fact, ...] = field(default=())
