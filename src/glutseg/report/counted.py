"""Numbers in a paper's words: counts with singular and plural, values with their spread."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

MOST_NAMED = 3
"""Different values that are named one by one; of more, the range is given."""
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def counted(n: int, one: str, many: str = "") -> str:
    """ "1 examination", "2 examinations"; the plural ends in s where none is given."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def beginning(n: int) -> str:
    """A number at the start of a sentence: in words below ten."""
    return WORDS[n].capitalize() if n < len(WORDS) else str(n)


def joined(words: Sequence[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def of_each(values: Iterable[str], unit: str = "") -> str:
    """ "5 mm", or "3 mm (n = 20) and 5 mm (n = 1)": in the order of the values' first places."""
    counts = Counter(values)
    unit = f" {unit}" if unit else ""
    if len(counts) == 1:
        return f"{next(iter(counts))}{unit}"
    return joined([f"{value}{unit} (n = {n})" for value, n in counts.items()])


def spread(values: Iterable[float], unit: str, decimals: int, verb: str = "was") -> str:
    """ "was 5 mm", "was 3 mm (n = 20) and 5 mm (n = 4)", "ranged from 0.64 to 0.98 mm (median, 0.78 mm)"."""
    ordered = sorted(values)
    named = [short(value, decimals) for value in ordered]
    if len(set(named)) <= MOST_NAMED:
        return f"{verb} {of_each(named, unit)}"
    low, middle, high = (f"{v:.{decimals}f}" for v in (ordered[0], statistics.median(ordered), ordered[-1]))
    return f"ranged from {low} to {high} {unit} (median, {middle} {unit})"


def short(value: float, decimals: int) -> str:
    """At most so many decimals, without zeros at the end."""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
