"""``appliance model``: which models there are, adding one, choosing one, trying one."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import msgspec
from rich.console import Console
from rich.table import Table

from appliance.config import SETTINGS, Settings, load
from appliance.errors import ApplianceError, from_shape
from appliance.llm.library import SHIPPED_NAME, Library, catalog, entry_of, fits, machine_ram_gb
from appliance.llm.linking import link, narrow
from appliance.llm.plan import read_query
from appliance.llm.prompt import Task
from appliance.llm.render import to_words
from appliance.screen.trust import verified
from appliance.services.llm import model_file
from appliance.services.model_probe import Trial, Tried, probe
from appliance.types import Catalog, Collection, Field

__all__ = ["add_model", "box_settings", "file_of", "list_models", "model_rows", "try_model", "use_model"]

_LOADING_S: Final = 610.0
_WIDTH: Final = 110
_EXAMPLE: Final = Collection(
    "beds",
    "Beds",
    (
        Field("ward", "Ward", "text", values=("Cardiology", "Emergency", "Oncology")),
        Field("status", "Status", "text", values=("free", "occupied", "cleaning")),
        Field("floor", "Floor", "integer"),
    ),
)
"""What a question is tried against where no box runs."""


def box_settings(data: str | None) -> Settings:
    """The settings of the box on a data folder; without one, of the box that runs on this machine, if one does."""
    if data:
        return load({"data": data})
    demos = next(setting.choices for setting in SETTINGS if setting.name == "demo")
    found = [settings for demo in demos if _running(settings := load({"demo": demo}))]
    return found[0] if len(found) == 1 else load({})


def list_models(settings: Settings, as_json: bool) -> None:
    """Print the shipped model, those that were added, and those of the catalog."""
    rows = model_rows(settings)
    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, _WIDTH)
    if as_json:
        console.file.write(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold dim")
    for column in ("model", "where", "licence", "needs", "here", "file"):
        table.add_column(column, justify="right" if column == "needs" else "left", no_wrap=True)
    for row in rows:
        needs = f"{row['ram_gb']:g} GB" if row["ram_gb"] else ""
        room = {True: "fits", False: "too large", None: ""}[row["fits"]]
        table.add_row(row["name"], row["where"], row["licence"], needs, room, row["file"])
    console.print(table)
    console.print(
        f"\nThis machine has {machine_ram_gb():.1f} GB. The box's models are in {Library(settings.data).folder}"
    )
    console.print("Those of the catalog are yours to bring: copy the file here, then: appliance model add FILE")


def model_rows(settings: Settings) -> list[dict[str, Any]]:
    """The shipped model, those that were added, and those of the catalog."""
    library = Library(settings.data)
    used, held = library.used(), library.held()
    small = model_file(settings)
    rows = [_row(small.stem if settings.model else SHIPPED_NAME, "in use", small.name, "Apache-2.0")]
    for each in held:
        where = "in use" if used and used.name == each.name else "in the box"
        rows.append(
            _row(each.name, where, each.file, each.licence, each.family, each.context, each.ram_gb, each.sha256)
        )
    names = {each.name for each in held}
    for entry in catalog():
        if entry.name not in names:
            told = (entry.licence, entry.family, entry.context, entry.ram_gb, entry.sha256)
            rows.append(_row(entry.name, "catalog", entry.file, *told))
    return rows


def _row(
    name: str, where: str, file: str, licence: str, family: str = "ask", context: int = 0, ram: float = 0, sha: str = ""
) -> dict[str, Any]:
    room = fits(ram) if ram else None
    return {
        "name": name,
        "where": where,
        "file": file,
        "licence": licence,
        "family": family,
        "context": context,
        "ram_gb": ram,
        "fits": room,
        "sha256": sha,
    }


def add_model(settings: Settings, file: Path, name: str) -> None:
    """Check that a file is a model that loads, and copy it into the data folder.

    Raises:
        ApplianceError: LLM208, it is none; LLM221, its name is taken or it is not the file it seems to be;
            PGF107, there is no room.
    """
    entry = entry_of(file)
    print(f"Loading {file} ...", flush=True)
    tried = probe(Trial(str(file.expanduser().absolute()), entry.family if entry else "auto"))
    family = entry.family if entry else tried.dialect
    if family == "ask":
        raise ApplianceError(
            "LLM221",
            "This is a small model, and none to stand beside one.",
            tried.name,
            "Name it in the setting model.",
        )
    print("It loads. Copying it ...", flush=True)
    held = Library(settings.data).add(file.expanduser(), name, family, tried.context)
    print(f"{held.name}: {held.bytes / 1e9:.2f} GB, spoken to as {held.family}, sha256 {held.sha256}")
    if entry is None or not entry.sha256:
        print("The box knows no checksum of this file: compare it with its makers' own.")
    if not fits(held.ram_gb):
        print(f"It needs about {held.ram_gb:g} GB; this machine has {machine_ram_gb():.1f} GB.")
    print(f"Use it: appliance model use {held.name}")


def use_model(settings: Settings, name: str) -> None:
    """Choose the larger model, and have a running box load it.

    Raises:
        ApplianceError: LLM220, the box holds none of this name; LLM208, it cannot be loaded.
    """
    library = Library(settings.data)
    before = library.used()
    chosen = library.use(name)
    if not _running(settings):
        print(f"{_chosen(name)} The box of {settings.data} takes it up when it starts.")
        return
    try:
        told = _reload(settings)
    except ApplianceError:
        library.use(before.name if before else SHIPPED_NAME)
        raise
    now = told["large"]["name"]
    print(f"The box now uses {now} beside {told['name']}." if chosen else f"The box now uses {told['name']} alone.")


def _chosen(name: str) -> str:
    return "The small model alone is chosen." if name == SHIPPED_NAME else f"{name} is chosen."


def try_model(settings: Settings, name: str, question: str, door: str, key: str, ca: str = "") -> None:
    """Load a model and print the plan it writes for a question, and how long it took.

    Raises:
        ApplianceError: LLM220, there is none of this name; LLM206, LLM208, it cannot be loaded or writes no plan.
    """
    file, family = file_of(settings, name)
    seen = _catalog(door, key, ca)
    task, collection = _task(question, seen or Catalog("", (_EXAMPLE,)), settings)
    where = f"of the box at {door}" if seen else "of an example; no box answers"
    print(f"Collection {collection.name} {where}: {', '.join(field.name for field in task.fields)}", flush=True)
    tried = probe(Trial(str(file), family, settings.model_threads, settings.model_context, task))
    _print_tried(tried, collection, settings)


def _print_tried(tried: Tried, collection: Collection, settings: Settings) -> None:
    print(f"Model      {tried.name}, spoken to as {tried.dialect}, context {tried.context:,}")
    print(f"Reading    {to_words(read_query(tried.plan), collection, _now(settings).date())}")
    print(f"Plan       {msgspec.json.encode(tried.plan).decode()}")
    speed = tried.tokens / tried.model_ms * 1000 if tried.model_ms else 0.0
    print(f"Time       loaded in {tried.load_ms:,.0f} ms, first token after {tried.first_token_ms:,.0f} ms, ", end="")
    print(f"plan after {tried.model_ms:,.0f} ms ({tried.tokens} tokens, {speed:,.0f} per second)")


def _now(settings: Settings) -> datetime:
    return datetime.now(ZoneInfo(settings.timezone)) if settings.timezone else datetime.now().astimezone()


def file_of(settings: Settings, name: str) -> tuple[Path, str]:
    """A model's file and its family.

    Raises:
        ApplianceError: LLM220, there is none of this name.
    """
    if name == SHIPPED_NAME:
        return model_file(settings), settings.model_dialect
    if name.endswith(".gguf"):
        return Path(name).expanduser().absolute(), "auto"
    library = Library(settings.data)
    held = library.find(name)
    return library.path(held), held.family


def _task(question: str, seen: Catalog, settings: Settings) -> tuple[Task, Collection]:
    found = link(question, seen, _now(settings))
    if found:
        collection = found[0].collection
        return Task(question, collection.name, collection.label, narrow(found[0])), collection
    collection = seen.collections[0]
    return Task(question, collection.name, collection.label, collection.fields[:9]), collection


def _catalog(door: str, key: str, ca: str) -> Catalog | None:
    """What the box at an address holds; None where none answers."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        url, verify = f"{door.rstrip('/')}/api/catalog", verified(ca)
        answer = httpx.get(url, headers=headers, timeout=10, trust_env=False, verify=verify)
        seen = msgspec.json.decode(answer.content, type=Catalog) if answer.status_code == 200 else None
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError):
        return None
    return seen if seen and seen.collections else None


def _running(settings: Settings) -> bool:
    """Whether a box runs on this data folder."""
    try:
        told = _told(settings)
        if "pid" in told:  # started by `appliance up`; else the system keeps it running
            os.kill(int(told["pid"]), 0)
    except (ApplianceError, KeyError, ValueError, TypeError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _told(settings: Settings) -> dict[str, Any]:
    try:
        return dict(msgspec.json.decode((settings.data / "run" / "box.json").read_bytes()))
    except (OSError, ValueError) as error:
        raise ApplianceError("BRG406", "No box runs on this data folder.", str(error), "Run: appliance up") from None


def _reload(settings: Settings) -> dict[str, Any]:
    url = _told(settings)["url"]
    try:
        key = (settings.data / "keys" / "admin.key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx.post(
            f"{url}/api/model/reload",
            headers=headers,
            timeout=_LOADING_S,
            trust_env=False,
            verify=verified(data=settings.data),
        )
        told = answer.json()
    except (OSError, httpx.HTTPError, ValueError) as error:
        raise ApplianceError(
            "SCR501", "The box does not answer.", f"{url}: {error}", "It takes the model up when it starts anew."
        ) from None
    if answer.status_code != 200:
        raise from_shape(told)
    return dict(told)
