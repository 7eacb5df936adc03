"""What is really read aloud of a written clause.

Pure. Serves the turn and ``rapport say``. Markdown, emoji and stage directions fall away; what
espeak-ng reads wrongly (heard in its phonemes, 1.52: "$5" is "dollar five", "5 km" "five kay em",
"10:05" "ten zero five", "1984" "nineteen hundred eighty four") is written out. English only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TypeAlias

Rule: TypeAlias = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_STAGE = (
    r"(?:soft|gent|warm|quiet|light|slow|deep)?l?y?\s*"
    r"(?:laugh|chuckl|smil|sigh|nod|giggl|grin|wink|gasp|whisper|cough|shrug|hug|paus|beam)"
    r"(?:s|es|ing|e|ed)?\b"
)

MARKDOWN: list[Rule] = [
    (re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),  # links and pictures keep their words
    (re.compile(r"\[[^\]\n]*\]"), " "),  # notes and citations
    (re.compile(rf"(?<!\*)\*{_STAGE}[^*\n]{{0,40}}\*(?!\*)|\({_STAGE}[^)\n]{{0,40}}\)", re.I), " "),
    (re.compile(r"<(https?://[^>\s]+)>"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>\n]*>"), " "),
    (re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|)+(?:\s*:?-{2,}:?\s*)?$", re.M), " "),  # table rule
    (re.compile(r"^\s*(?:[-*_]\s*){3,}$", re.M), " "),  # horizontal rule
    (re.compile(r"^\s*(?:#{1,6}|>+|[-*+•▪‣])\s+", re.M), ""),
    (re.compile(r"^\s*[*_]*(\d{1,3})[.)][*_]*\s+(?=\S)", re.M), r"\1, "),
    (re.compile(r"^\s*\|\s*|\s*\|\s*$", re.M), ""),
    (re.compile(r"\s*\|\s*"), ", "),
    (re.compile(r"`{3,}\w*|`"), ""),
    (re.compile(r"\*{1,3}(?=\S)(.+?)(?<=\S)\*{1,3}"), r"\1"),
    (re.compile(r"(?<!\w)_{1,3}(?=\S)([^_]+?)(?<=\S)_{1,3}(?!\w)"), r"\1"),
    (re.compile(r"~~(.+?)~~"), r"\1"),
    (re.compile(r"\*{2,}|(?<!\w)\*(?=\w)|(?<=\S)\*(?!\w)|(?<=\w)_(?!\w)|(?<!\w)_(?=\w)"), ""),
]

CURRENCIES = {
    "$": ("dollar", "cent"),
    "€": ("euro", "cent"),
    "£": ("pound", "penny"),
    "¥": ("yen", ""),
    "₹": ("rupee", "paisa"),
}
UNITS = {
    "km/h": "kilometre per hour", "mph": "mile per hour", "km": "kilometre", "cm": "centimetre",
    "mm": "millimetre", "m": "metre", "kg": "kilogram", "mg": "milligram", "g": "gram",
    "ml": "millilitre", "l": "litre", "ft": "foot", "lb": "pound", "lbs": "pound", "oz": "ounce",
    "mi": "mile", "hr": "hour", "hrs": "hour", "min": "minute", "mins": "minute", "ms":
    "millisecond", "GB": "gigabyte", "MB": "megabyte", "kWh": "kilowatt-hour", "kW": "kilowatt",
    "Hz": "hertz", "kHz": "kilohertz", "dB": "decibel", "°C": "degree Celsius",
    "°F": "degree Fahrenheit", "°": "degree",
}  # fmt: skip
"""Units, said after a figure; in the plural unless it is 1."""
PLURALS = {
    "foot": "feet",
    "hertz": "hertz",
    "kilohertz": "kilohertz",
    "penny": "pence",
    "yen": "yen",
}
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
FRACTIONS = {"1/2": "a half", "1/3": "a third", "2/3": "two thirds", "1/4": "a quarter",
             "3/4": "three quarters"}  # fmt: skip
SYMBOLS = {
    "&": " and ", "+": " plus ", "=": " equals ", "×": " times ", "÷": " divided by ", "±":  # noqa: RUF001
    " plus or minus ", "≈": " about ", "→": " to ", "≤": " at most ", "≥": " at least ", "√":
    " root of ", "½": " a half ", "¼": " a quarter ", "¾": " three quarters ", "²": " squared ",
    "³": " cubed ", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "–": ", ", "—": ", ",  # noqa: RUF001
}  # fmt: skip
ABBREVIATIONS = {
    "e.g.": "for example", "i.e.": "that is", "etc.": "et cetera", "vs.": "versus", "vs": "versus",
    "approx.": "approximately", "w/o": "without", "w/": "with", "asap": "as soon as possible",
    "Jr.": "Junior", "Sr.": "Senior", "Prof.": "Professor", "Dept.": "Department",
}  # fmt: skip


def speakable(text: str) -> str:
    """Return what is read aloud of ``text``, empty if nothing in it can be pronounced.

    What is read aloud reads the same when it comes by again.
    """
    for pattern, replacement in MARKDOWN:
        text = pattern.sub(replacement, text)
    for pattern, replacement in _FIGURES:
        text = pattern.sub(replacement, text)
    for symbol, words in SYMBOLS.items():
        text = text.replace(symbol, words)
    text = "".join(" " if _silent(character) else character for character in text)
    text = re.sub(r"\(\s*\)|\"\s*\"(?!\w)", " ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,.;:!?])", r"\1", text)
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    text = text.strip(" ,;:-")
    return text if any(character.isalnum() for character in text) else ""


def _silent(character: str) -> bool:
    """Return whether espeak would spell this out, or read its name: emoji, marks, controls."""
    if character in "°\n":
        return character == "\n"
    category = unicodedata.category(character)
    return category in {"So", "Sk", "Cs", "Co", "Cn", "Cf", "Cc"} or character in "️⃣<>{}\\^~|"


def _counted(figure: str, noun: str) -> str:
    if figure in {"1", "-1"}:
        return f"{figure} {noun}"
    head, _, tail = noun.partition(" ")
    return f"{figure} {PLURALS.get(head, head + 's')}{' ' + tail if tail else ''}"


def _money(match: re.Match[str]) -> str:
    unit, small = CURRENCIES[match["sign"]]
    whole, part, scale = match["whole"], match["part"], match["scale"]
    if scale:
        return f"{whole}{'.' + part if part else ''} {scale} {_counted('2', unit)[2:]}"
    if not part or not small or len(part) != 2:
        return _counted(f"{whole}.{part}" if part else whole, unit)
    cents = "" if part == "00" else f" and {_counted(str(int(part)), small)}"
    return _counted(whole, unit) + cents


def _clock(match: re.Match[str]) -> str:
    hour, minute, half = match["hour"], match["minute"], (match["half"] or "").strip()
    spoken = {"a": " a.m.", "p": " p.m."}.get(half[:1].lower(), "")
    if minute == "00":
        return f"{int(hour)}{spoken}" if spoken else f"{int(hour)} o'clock"
    return f"{int(hour)} {'oh ' + minute[1] if minute[0] == '0' else minute}{spoken}"


def _date(match: re.Match[str]) -> str:
    return f"{MONTHS[int(match['month']) - 1]} {_ordinal(int(match['day']))}, {match['year']}"


def _ordinal(number: int) -> str:
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _year(match: re.Match[str]) -> str:
    return f"{match[0][:2]} {match[0][2:]}"


def _host(match: re.Match[str]) -> str:
    return match["host"] + (match["end"] or "")


def _alternatives(names: dict[str, str] | dict[str, tuple[str, str]]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_YEAR, _MONTH = r"(?P<year>[12]\d{3})", r"(?P<month>0?[1-9]|1[0-2])"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"

_FIGURES: list[Rule] = [
    (
        re.compile(r"(?:https?://|www\.)(?:www\.)?(?P<host>[\w.-]*\w)(?:[/?#:][^\s,;!)]*?)?"
                   r"(?P<end>[.,;!?)]*)(?=\s|$)"),
        _host,
    ),
    (
        re.compile(rf"(?P<sign>[{re.escape(''.join(CURRENCIES))}])\s?(?P<whole>\d[\d,]*)"
                   r"(?:\.(?P<part>\d+))?(?:\s(?P<scale>thousand|million|billion|trillion)\b)?"),
        _money,
    ),
    (re.compile(rf"\b{_YEAR}-{_MONTH}-{_DAY}\b"), _date),
    (re.compile(rf"\b{_MONTH}/{_DAY}/{_YEAR}\b"), _date),
    (
        re.compile(r"\b(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::\d\d)?(?![\d:])"
                   r"(?P<half>\s?[ap]\.?m\b\.?)?", re.I),
        _clock,
    ),
    (re.compile(rf"(?<![\d/])({_alternatives(FRACTIONS)})(?![\d/])"), lambda m: FRACTIONS[m[1]]),
    (re.compile(r"(?<=\d)\s*(?:-|–|—)\s*(?=\d)(?!\d{3,}-?\d*\b)"), " to "),  # noqa: RUF001
    (
        re.compile(r"(?<![\w.])(?P<figure>-?\d[\d,]*(?:\.\d+)?)\s?"
                   rf"(?P<unit>{_alternatives(UNITS)})(?![\w/²³°])"),
        lambda m: _counted(m["figure"], UNITS[m["unit"]]),
    ),
    (re.compile(r"(?<=\d)\s?[x*]\s?(?=\d)"), " times "),
    (re.compile(r"(?<=\d)\s/\s(?=\d)"), " divided by "),
    (re.compile(r"(?<=\d)\s-\s(?=\d)"), " minus "),
    (re.compile(r"(?<!\w)(?:#|[Nn]o\.\s?)(?=\d)"), "number "),
    (re.compile(r"(?<!\w)[~≈](?=\d)"), "about "),
    (re.compile(r"(?<=\d)\s?%"), " percent"),
    (re.compile(r"\b24/7\b"), "24 7"),
    (re.compile(r"(?<![\w,.$-])(?:1[1-9]\d\d|20[1-9]\d)(?![\w,-]|\.\d)(?<!00)(?<!0\d)"), _year),
    (re.compile(r"\band/or\b"), "and or"),
    (
        re.compile(rf"(?<!\w)({_alternatives(ABBREVIATIONS)})(?!\w)"),
        lambda m: ABBREVIATIONS[m[1]],
    ),
    (re.compile(r"(?<=[^\W\d])\s?/\s?(?=[^\W\d])"), " or "),
]  # fmt: skip
