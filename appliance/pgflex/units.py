"""Units: what the numbers of a field are in, as its label says.

>>> unit_of("weight (kg)"), unit_of("temp_c"), unit_of("doseMg"), unit_of("plan_c")
('kg', '°C', 'mg', '')
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["unit_of"]

_UNITS: Final[dict[str, str]] = {
    "mg": "mg", "g": "g", "kg": "kg", "µg": "µg", "ug": "µg", "mcg": "µg", "t": "t", "lb": "lb", "lbs": "lb",
    "oz": "oz", "l": "l", "ml": "ml", "cl": "cl", "dl": "dl", "µl": "µl", "ul": "µl", "m3": "m³", "m²": "m²",
    "m2": "m²", "sqm": "m²",
    "mm": "mm", "cm": "cm", "m": "m", "km": "km", "ft": "ft", "in": "in", "mi": "mi",
    "ms": "ms", "s": "s", "sec": "s", "secs": "s", "min": "min", "mins": "min", "h": "h", "hr": "h", "hrs": "h",
    "c": "°C", "°c": "°C", "f": "°F", "°f": "°F", "k": "K", "celsius": "°C", "fahrenheit": "°F",
    "%": "%", "pct": "%", "percent": "%", "€": "€", "eur": "€", "$": "$", "usd": "$", "£": "£", "gbp": "£",
    "chf": "CHF",
    "bpm": "bpm", "mmhg": "mmHg", "kcal": "kcal", "kj": "kJ", "iu": "IU", "ppm": "ppm", "db": "dB",
    "mmol/l": "mmol/l", "mg/dl": "mg/dl", "g/l": "g/l", "km/h": "km/h", "mg/kg": "mg/kg",
    "v": "V", "a": "A", "ma": "mA", "w": "W", "kw": "kW", "kwh": "kWh", "hz": "Hz", "khz": "kHz", "mhz": "MHz",
    "pa": "Pa", "hpa": "hPa", "kpa": "kPa", "bar": "bar", "psi": "psi", "gb": "GB", "mb": "MB", "kb": "kB",
}  # fmt: skip
_MEASURED: Final[dict[str, frozenset[str]]] = {
    "c": frozenset({"temp", "temperature"}),
    "f": frozenset({"temp", "temperature"}),
    "k": frozenset({"temp", "temperature"}),
    "g": frozenset({"weight", "mass", "dose", "amount"}),
    "t": frozenset({"weight", "mass", "load"}),
    "l": frozenset({"volume", "capacity", "amount"}),
    "m": frozenset({"length", "height", "width", "depth", "distance", "altitude"}),
    "in": frozenset({"length", "height", "width", "depth", "size"}),
    "h": frozenset({"duration", "time", "length"}),
    "s": frozenset({"duration", "time", "length"}),
    "v": frozenset({"voltage"}),
    "a": frozenset({"current"}),
    "w": frozenset({"power"}),
}
"""A short ending is a unit only behind what it measures: ``temp_c``, not ``plan_c``."""
_BRACKETS: Final = re.compile(r"[(\[]\s*(?:in\s+)?([^()\[\]]{1,12}?)\s*[)\]]\s*$")


def unit_of(label: str) -> str:
    """The unit that a label names, in brackets or as its last word; empty where it names none."""
    said = unicodedata.normalize("NFC", label)
    bracketed = _BRACKETS.search(said)
    if bracketed is not None:
        return _UNITS.get(_folded(bracketed[1]), "")
    words = _folded(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", said)).replace("_", " ").split()
    if len(words) < 2 or words[-1] not in _UNITS:
        return ""
    needed = _MEASURED.get(words[-1])
    return _UNITS[words[-1]] if needed is None or needed & set(words[:-1]) else ""


def _folded(text: str) -> str:
    return text.casefold().replace("\u03bc", "µ")  # folding makes the Greek letter of the sign
