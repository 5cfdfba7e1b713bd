"""Settings: one table that feeds the TOML file, the environment, the command line and the docs.

A value is taken from the first that has it: command line, environment (``DREAMSTACK_`` and the name in
capitals), ``settings.toml`` in the data folder, the default in :data:`SETTINGS`.

    >>> load({}, environ={"DREAMSTACK_PORT": "9000"}).port
    9000
"""

from __future__ import annotations

import math
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from appliance.errors import ApplianceError


class Setting(NamedTuple):
    """One line of the settings table: its name, kind, default and what it is for."""

    name: str
    kind: type
    default: Any
    help: str
    choices: tuple[str, ...] = ()


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("port", int, 8080, "Port of the public door (page, API, WebSocket)."),
    Setting("lan", bool, False, "Listen on every address of the machine; nothing is served without a credential."),
    Setting("tls", str, "auto", "HTTPS from the box's own authority; auto is on with lan.", ("auto", "on", "off")),
    Setting("trust_port", int, 0, "A second port for the plain trust page alone, such as 80 beside 443; 0 is none."),
    Setting("demo", str, "none", "Demo data to load when it is not there yet.", ("hospital", "lawfirm", "none")),
    Setting("demo_tick_s", float, 4.0, "Seconds between two small changes of the demo data; 0 stops them."),
    Setting("box_name", str, "DreamStack", "The box's name, on screens and on the network."),
    Setting("facility", str, "", "The facility's name; empty takes the demo's."),
    Setting("timezone", str, "", "The facility's timezone (IANA name); empty takes the machine's."),
    Setting("digest_at", str, "", "When screens are told what happened in the last day (07:00); empty is never."),
    Setting("model", str, "", "A GGUF file to use; empty takes the shipped model."),
    Setting(
        "model_dialect",
        str,
        "auto",
        "How the model is spoken to.",
        ("auto", "ask", "instruct", "chatml", "llama", "gemma", "granite", "phi", "mistral"),
    ),
    Setting(
        "large_model",
        str,
        "",
        "A larger model beside it: a GGUF file, or a name of `appliance model list`; empty takes the one in use there.",
    ),
    Setting(
        "large_model_wait_s", float, 15.0, "Seconds the larger model may take for a plan; then the small one is asked."
    ),
    Setting(
        "model_threads", int, 0, "Threads the model may use; 0 takes one for a small model, all cores for a large one."
    ),
    Setting("model_context", int, 4096, "Context in tokens, at most what the model was made for."),
    Setting("question_limit", int, 1000, "Characters a question may have."),
    Setting("queue_limit", int, 64, "Questions that may wait for the model."),
    Setting("answer_timeout_s", float, 30.0, "Seconds a question may take before it is given up."),
    Setting("row_limit", int, 200, "Rows an answer may carry."),
    Setting("answers_kept", int, 12, "Answers that stay live on screens; older ones leave."),
    Setting("postgres_bin", str, "", "Folder of a system PostgreSQL (15 or newer); empty takes the bundled 17."),
    Setting(
        "postgres_user", str, "dreamstack", "Unprivileged user PostgreSQL runs as when the box is started as root."
    ),
    Setting("postgrest", str, "", "A PostgREST program to use; empty takes the bundled one, else the one on PATH."),
    Setting("feed_rows_kept", int, 200_000, "Changes kept for readers that resume."),
    Setting("feed_days_kept", int, 7, "Days a change is kept for readers that resume."),
    Setting("feed_bytes_kept", int, 1_073_741_824, "Bytes of changes kept for readers that resume, about."),
    Setting("shapes_limit", int, 200, "Shapes the box follows at once; the longest unused makes room for a new one."),
    Setting("shape_rows_limit", int, 100_000, "Rows a shape may have."),
    Setting("electric_url", str, "", "Where an Electric service listens that serves shapes; empty serves them here."),
    Setting("electric_secret", str, "", "The secret that Electric service asks for."),
    Setting("document_limit", int, 4_194_304, "Bytes a request that writes documents may have."),
    Setting("documents_limit", int, 10_000, "Documents a request may have."),
    Setting("depth_limit", int, 32, "How deep lists and objects may be nested within a document."),
    Setting("key_limit", int, 500, "Characters the name of a field may have."),
    Setting("import_limit", int, 2_147_483_648, "Bytes a file that is imported may have."),
    Setting("fields_limit", int, 1200, "Fields a collection may have."),
    Setting(
        "widen_rows_limit", int, 50_000, "Rows up to which a column is made wider at once; else in the background."
    ),
    Setting("token_ttl_limit_s", int, 86_400, "Seconds a token that the box gives out may last."),
    Setting("frame_limit", int, 4_194_304, "Payload bytes of a frame the box accepts."),
    Setting("receivers_limit", int, 2000, "Receivers the bridge serves at once."),
    Setting("diffs_kept", int, 256, "Diffs of a stream kept for receivers that resume."),
    Setting("picture_limit", int, 2_304_000, "Pixels a picture may have that the box draws for a screen."),
    Setting("pictures_limit", int, 64, "Different pictures (stream, role, size, colors) the box draws at once."),
    Setting("picture_every_s", float, 0.5, "Seconds between two drawings of the same picture, at least."),
    Setting("speech_voice", str, "en", "The voice of espeak-ng that speaks answers."),
    Setting("speech_limit", int, 600, "Characters of an answer that are spoken."),
    Setting("speech_timeout_s", float, 10.0, "Seconds the voice may take for an answer."),
    Setting("record", str, "main", "Streams that are recorded, told apart by commas; `none` records nothing."),
    Setting(
        "record_roles",
        str,
        "wall,staff",
        "Whose view of them is recorded: a recording holds what that role may see, and no more.",
        ("none", "wall", "staff", "admin", "wall,staff", "staff,admin", "wall,staff,admin"),
    ),
    Setting("record_days", int, 7, "Days a recording is kept; 0 is no limit."),
    Setting("record_bytes", int, 2_147_483_648, "Bytes recordings may have, the oldest go first; 0 is no limit."),
    Setting(
        "join",
        str,
        "auto",
        "What an unknown screen meets: approve (it shows a code), ticket or open; auto: approve with --lan, else open.",
        choices=("auto", "approve", "ticket", "open"),
    ),
    Setting("streams_limit", int, 500, "Streams the bridge holds at once."),
    Setting("stream_kept_s", float, 600.0, "Seconds a stream is kept that no source writes and no receiver reads."),
    Setting("stream_signals_limit", int, 20_000, "Signals a stream may hold."),
    Setting("signal_bytes_limit", int, 1_048_576, "Bytes a signal may have, name and value as JSON."),
    Setting(
        "stream_bytes_limit",
        int,
        4_000_000,
        "Bytes all signals of a stream may have; less than receivers take as one frame (4 MiB).",
    ),
    Setting("set_signals_limit", int, 64, "Signals a screen may set."),
    Setting("set_bytes_limit", int, 65_536, "Bytes a screen may set, names and values as JSON."),
    Setting("set_kept_s", float, 3600.0, "Seconds what a screen set is kept after it left."),
    Setting("mdns", bool, True, "Announce the box on the local network."),
    Setting("iroh_port", int, 0, "UDP port of the Iroh endpoint; 0 takes a free one at first start and keeps it."),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one box, typed. The fields are the names of :data:`SETTINGS`, and the data folder."""

    data: Path
    port: int
    lan: bool
    tls: str
    trust_port: int
    demo: str
    demo_tick_s: float
    box_name: str
    facility: str
    timezone: str
    digest_at: str
    model: str
    model_dialect: str
    large_model: str
    large_model_wait_s: float
    model_threads: int
    model_context: int
    question_limit: int
    queue_limit: int
    answer_timeout_s: float
    row_limit: int
    answers_kept: int
    postgres_bin: str
    postgres_user: str
    postgrest: str
    feed_rows_kept: int
    feed_days_kept: int
    feed_bytes_kept: int
    shapes_limit: int
    shape_rows_limit: int
    electric_url: str
    electric_secret: str
    document_limit: int
    documents_limit: int
    depth_limit: int
    key_limit: int
    import_limit: int
    fields_limit: int
    widen_rows_limit: int
    token_ttl_limit_s: int
    frame_limit: int
    receivers_limit: int
    diffs_kept: int
    picture_limit: int
    pictures_limit: int
    picture_every_s: float
    speech_voice: str
    speech_limit: int
    speech_timeout_s: float
    record: str
    record_roles: str
    record_days: int
    record_bytes: int
    join: str
    streams_limit: int
    stream_kept_s: float
    stream_signals_limit: int
    signal_bytes_limit: int
    stream_bytes_limit: int
    set_signals_limit: int
    set_bytes_limit: int
    set_kept_s: float
    mdns: bool
    iroh_port: int


def default_data(demo: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where a box keeps its data unless told otherwise: one folder per demo, so that demos do not mix."""
    folder = "box" if demo == "none" else demo
    if environ.get("DREAMSTACK_DATA"):
        return Path(environ["DREAMSTACK_DATA"]).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/dreamstack") / folder
    base = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "dreamstack" / folder


def load(given: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """Put the settings together.

    Args:
        given: what the command line said; None means "not said". May hold ``data``.
        environ: the environment.

    Raises:
        ApplianceError: BRG412, a value or a name that cannot be used.
    """
    said = {name: value for name, value in given.items() if value is not None}
    demo = said.get("demo") or environ.get("DREAMSTACK_DEMO") or "none"
    data = Path(said["data"]).expanduser().absolute() if said.get("data") else default_data(str(demo), environ)
    stored = _read_toml(data / "settings.toml")
    values = {setting.name: _value(setting, said.get(setting.name), environ, stored) for setting in SETTINGS}
    return Settings(data=data, **values)


def _value(setting: Setting, said: Any, environ: Mapping[str, str], stored: Mapping[str, Any]) -> Any:
    variable = f"DREAMSTACK_{setting.name.upper()}"
    for value, source in (
        (said, f"--{setting.name}"),
        (environ.get(variable), variable),
        (stored.get(setting.name), "settings.toml"),
    ):
        if value is not None and value != "":
            return _convert(setting, value, source)
    return setting.default


def _convert(setting: Setting, value: Any, source: str) -> Any:
    written = {bool: (bool,), int: (int,), float: (int, float), str: ()}[setting.kind]
    if type(value) not in (str, *written):
        raise _unusable(setting, value, source)
    try:
        if setting.kind is bool and isinstance(value, str):
            result: Any = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[value.lower()]
        else:
            result = setting.kind(value)
    except (KeyError, TypeError, ValueError):
        raise _unusable(setting, value, source) from None
    if not _fits(setting, result):
        raise _unusable(setting, value, source)
    return result


def _fits(setting: Setting, value: Any) -> bool:
    if setting.choices:
        return value in setting.choices
    if setting.name == "timezone":
        return _is_timezone(value)
    if setting.name == "digest_at":
        return re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII) is not None
    return isinstance(value, str) or 0 <= value < math.inf


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _unusable(setting: Setting, value: Any, source: str) -> ApplianceError:
    kinds = {int: "a whole number, 0 or more", float: "a number, 0 or more", bool: "true or false", str: "a name"}
    wanted = " or ".join(setting.choices) or kinds[setting.kind]
    wanted = "a time of day such as 07:00" if setting.name == "digest_at" else wanted
    return ApplianceError(
        "BRG412",
        f"The setting {setting.name} cannot be {value!r}.",
        f"read from {source}",
        f"Give {wanted}. {setting.help}",
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    try:
        stored = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ApplianceError(
            "BRG412", f"{path} is not TOML.", str(error), "Correct the line or remove the file."
        ) from None
    unknown = sorted(set(stored) - {setting.name for setting in SETTINGS})
    if unknown:
        print(f"settings.toml: unknown setting {', '.join(unknown)} ignored", file=sys.stderr)
    return stored


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor tells its children: where everything listens, and the keys between them.

    Passed as JSON in the environment variable ``DREAMSTACK_RUNTIME``; never written to disk.
    The ``*_url`` are loopback addresses without a trailing slash. `token` is the bearer credential of
    requests between the box's own processes. `secret` signs the short-lived PostgREST tokens.
    """

    settings: Settings
    postgres_dsn: str
    postgrest_url: str
    pgflex_url: str
    llm_url: str
    bridge_url: str
    gateway_url: str
    token: str
    secret: str
    keys: dict[str, str]

    def encode(self) -> str:
        """As JSON for the environment."""
        return msgspec.json.encode(self, enc_hook=str).decode()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Runtime:
        """What the supervisor wrote.

        Raises:
            ApplianceError: BRG412, the process was not started by the box.
        """
        text = environ.get("DREAMSTACK_RUNTIME")
        if not text:
            raise ApplianceError("BRG412", "This process is started by the box.", None, "Run: appliance up")
        return msgspec.json.decode(text.encode(), type=cls, dec_hook=lambda kind, value: kind(value))
