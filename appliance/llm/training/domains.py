"""Domains: the businesses that training questions are about, read from ``domains/*.toml``."""

from __future__ import annotations

import random
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec

from appliance.llm.notation import Column, Kind

FieldKind = Literal[
    "name", "person", "code", "choice", "amount", "measure", "day", "moment", "flag", "note", "ref"
]  # fmt: skip
HERE: Final = Path(__file__).resolve().parent / "domains"
_KINDS: Final[dict[str, Kind]] = {
    "amount": "number", "measure": "number", "day": "time", "moment": "time", "flag": "flag",
}  # fmt: skip
FIRST_NAMES: Final = (
    "ana ben carla david elena farid grace hugo ines jonas karim laura marta nils olga paul rosa sofia tom yuki amir "
    "beatriz chen diego emma fatima georg hannah ivan julia kofi lena miguel nora omar priya quentin ruth sami tessa"
).split()
LAST_NAMES: Final = (
    "smith garcia muller rossi tanaka novak silva dubois okafor larsen kowalski costa haddad lopez weber nguyen brown "
    "petrov jansen moreau kim alvarez fischer santos lindqvist murphy patel romero schmidt takahashi vega wagner"
).split()


class Field(msgspec.Struct, frozen=True):
    """A field of a domain's collection; what its keys mean is told in ``domains/README.md``."""

    label: str
    kind: FieldKind
    say: tuple[str, ...] = ()
    values: tuple[str | tuple[str, ...], ...] = ()
    form: str = ""
    title: str = ""
    adjective: bool = False
    place: bool = False
    low: float = 0
    high: float = 100
    whole: bool = False
    unit: str = ""
    most: tuple[str, ...] = ()
    least: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    did: tuple[str, ...] = ()
    ahead: bool = False
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    to: str = ""

    @property
    def column(self) -> Column:
        """The field as a model sees it."""
        return Column(self.label, _KINDS.get(self.kind, "text"))

    @property
    def number(self) -> bool:
        """Whether it holds numbers."""
        return self.kind in ("amount", "measure")

    @property
    def time(self) -> bool:
        """Whether it holds times."""
        return self.kind in ("day", "moment")

    def said(self, rng: random.Random) -> str:
        """What somebody calls it."""
        return rng.choice(self.say) if self.say and rng.random() < 0.55 else self.label

    def stored(self) -> list[str]:
        """The values of a choice as they are stored."""
        return [value[0] for value in self.values if not isinstance(value, str)]


class Collection(msgspec.Struct, frozen=True):
    """A collection of a domain."""

    label: str
    one: str
    fields: tuple[Field, ...]
    also: tuple[str, ...] = ()

    @property
    def title(self) -> Field | None:
        """The field that says what a row is called."""
        return next((field for field in self.fields if field.kind in ("name", "person", "code")), None)


class Domain(msgspec.Struct, frozen=True):
    """A business."""

    name: str
    collections: tuple[Collection, ...]
    heldout: bool = False

    def collection(self, label: str) -> Collection | None:
        """The collection of this label."""
        return next((each for each in self.collections if each.label == label), None)


@cache
def read_domains(folder: Path = HERE) -> tuple[Domain, ...]:
    """Every domain of a folder, by file name.

    Raises:
        msgspec.ValidationError: a file is not of the form.
    """
    return tuple(
        msgspec.convert(tomllib.loads(path.read_text()), type=Domain, strict=False)
        for path in sorted(folder.glob("*.toml"))
    )


def value_of(field: Field, domain: Domain, rng: random.Random) -> tuple[str, bool]:
    """A value as somebody says it, and whether it is said as it is stored."""
    if field.kind == "ref":
        target = domain.collection(field.to)
        title = target.title if target else None
        return value_of(title, domain, rng) if title else ("x", False)
    if field.kind == "choice":
        value = rng.choice([each for each in field.values if not isinstance(each, str)])
        said = value[0] if len(value) == 1 or rng.random() < 0.65 else rng.choice(value[1:])
        return said, said == value[0]
    if field.kind == "person":
        return person(field, rng)
    if field.kind == "code":
        return re.sub(
            "[#@]", lambda sign: rng.choice("0123456789" if sign[0] == "#" else "ABCDEFGHKLMNPRSTX"), field.form
        ), True
    return str(rng.choice(field.values)), True


def person(field: Field, rng: random.Random) -> tuple[str, bool]:
    """Somebody's name: whole, or as people say it."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    said = rng.choice((f"{first} {last}", f"{first} {last}", last, first, f"{field.title or 'mr'} {last}"))
    return said, True
