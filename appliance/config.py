"""Settings: one table that feeds the TOML file, the environment, the command line and the docs.

A value is taken from the first that has it: command line, environment (``DREAMSTACK_`` and the name in
capitals), what was chosen in the console, ``settings.toml`` in the data folder, the default in :data:`SETTINGS`.

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
    Setting(
        "names",
        str,
        "",
        "Other names and addresses the box is reached by, told apart by commas; a container cannot see its machine's.",
    ),
    Setting("demo", str, "none", "Demo data to load when it is not there yet.", ("hospital", "lawfirm", "none")),
    Setting("demo_tick_s", float, 4.0, "Seconds between two small changes of the demo data; 0 stops them."),
    Setting("box_name", str, "DreamStack", "The box's name, on screens and on the network."),
    Setting("facility", str, "", "The facility's name; empty takes the demo's."),
    Setting("timezone", str, "", "The facility's timezone (IANA name); empty takes the machine's."),
    Setting("language", str, "en", "The language of pages, where a browser asks for no other.", ("en", "de")),
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
    Setting("listening", bool, True, "Screens with a microphone may be spoken to; what is said is heard on the box."),
    Setting(
        "listening_model",
        str,
        "",
        "Another model that hears speech: a Whisper GGML file or a Moonshine folder; empty takes the installed one.",
    ),
    Setting(
        "record",
        str,
        "main",
        "Streams that are recorded, told apart by commas, such as `main,room/*`; `none` records nothing.",
    ),
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
    Setting("session_idle_minutes", int, 15, "Minutes after which who does nothing is signed out of the console."),
    Setting("questions_days", int, 90, "Days it is kept who asked what; 0 keeps nothing."),
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


CHOSEN: Final = "chosen.toml"
"""What the admin chose in the console; the file is the gateway's, so it holds nothing but :data:`CHOOSABLE`."""
CHOOSABLE: Final = (
    "box_name",
    "facility",
    "timezone",
    "language",
    "join",
    "session_idle_minutes",
    "questions_days",
    "digest_at",
    "answers_kept",
    "record_days",
    "record_bytes",
    "speech_voice",
    "listening",
)
"""What may be chosen there: nothing that names a program, a file or an address."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one box, typed. The fields are the names of :data:`SETTINGS`, and the data folder."""

    data: Path
    port: int
    lan: bool
    tls: str
    trust_port: int
    names: str
    demo: str
    demo_tick_s: float
    box_name: str
    facility: str
    timezone: str
    language: str
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
    listening: bool
    listening_model: str
    record: str
    record_roles: str
    record_days: int
    record_bytes: int
    join: str
    session_idle_minutes: int
    questions_days: int
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


def shipped_models() -> Path:
    """The folder of what is shipped for the model: a checkout's ``models``, else what the package installed."""
    checkout = Path(__file__).resolve().parent.parent / "models"
    return checkout if checkout.is_dir() else Path(sys.prefix) / "share" / "dreamstack" / "models"


def shipped_listening() -> Path:
    """The folder of the model that hears speech, as the setup installed it (scripts/listening_wheel.py)."""
    return Path(sys.prefix) / "share" / "dreamstack" / "listening" / "tiny-en"


def default_data(demo: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where a box keeps its data unless told otherwise: one folder per demo, so that demos do not mix."""
    folder = "box" if demo == "none" else demo
    if environ.get("DREAMSTACK_DATA"):
        return Path(environ["DREAMSTACK_DATA"]).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/dreamstack") / folder
    base = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "dreamstack" / folder


def load(
    given: Mapping[str, Any], environ: Mapping[str, str] = os.environ, usual: Mapping[str, Any] | None = None
) -> Settings:
    """Put the settings together.

    Args:
        given: what the command line said; None means "not said". May hold ``data``.
        environ: the environment.
        usual: what takes the place of defaults: a vendor's.

    Raises:
        ApplianceError: BRG412, a value or a name that cannot be used.
    """
    data, found = _found(given, environ, usual)
    return Settings(data=data, **{name: value for name, (value, _) in found.items()})


def origins(
    given: Mapping[str, Any], environ: Mapping[str, str] = os.environ, usual: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Where :func:`load` takes each setting from that is not the default: the command line, and so on."""
    _, found = _found(given, environ, usual)
    return {name: origin for name, (_, origin) in found.items() if origin != "default"}


def _found(
    given: Mapping[str, Any], environ: Mapping[str, str], usual: Mapping[str, Any] | None
) -> tuple[Path, dict[str, tuple[Any, str]]]:
    """The data folder; each setting's value and where that is from."""
    said = {name: value for name, value in given.items() if value is not None}
    demo = said.get("demo") or environ.get("DREAMSTACK_DEMO") or "none"
    data = Path(said["data"]).expanduser().absolute() if said.get("data") else default_data(str(demo), environ)
    sources = (
        ("command line", said),
        ("environment", {setting.name: environ.get(_variable(setting)) for setting in SETTINGS}),
        ("console", chosen(data)),
        ("settings.toml", _read_toml(data / "settings.toml")),
        ("deployment", dict(usual or {})),
    )
    return data, {setting.name: _value(setting, sources) for setting in SETTINGS}


def _variable(setting: Setting) -> str:
    return f"DREAMSTACK_{setting.name.upper()}"


def _value(setting: Setting, sources: tuple[tuple[str, Mapping[str, Any]], ...]) -> tuple[Any, str]:
    for origin, values in sources:
        value = values.get(setting.name)
        if value is not None and value != "":
            named = {"command line": f"--{setting.name}", "environment": _variable(setting)}
            return _convert(setting, value, named.get(origin, origin)), origin
    return setting.default, "default"


def checked(name: str, value: Any) -> Any:
    """A value as the setting `name` has it.

    Raises:
        ApplianceError: BRG412, it cannot be used; KeyError, there is no such setting.
    """
    setting = {setting.name: setting for setting in SETTINGS}[name]
    return setting.default if value == "" else _convert(setting, value, "the console")


def chosen(data: Path) -> dict[str, Any]:
    """What was chosen in the console; what cannot be used of it is left out, so that the box starts in any case."""
    try:
        stored = tomllib.loads((data / CHOSEN).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
    found: dict[str, Any] = {}
    for name in CHOOSABLE:
        if name in stored:
            try:
                found[name] = checked(name, stored[name])
            except ApplianceError as error:
                print(f"{CHOSEN}: {error.message} It is ignored.", file=sys.stderr)
    return found


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
    if unknown := sorted(set(stored) - {setting.name for setting in SETTINGS}):
        print(f"settings.toml: unknown setting {', '.join(unknown)} ignored", file=sys.stderr)
    return stored


def _runtime_file(environ: Mapping[str, str]) -> str:
    file = environ.get("DREAMSTACK_RUNTIME_FILE")
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ApplianceError(
            "BRG412", "This part was not told where the others are.", str(error), "Run: appliance prepare"
        ) from None


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """What a part of the box is told at its start: where everything listens, and the keys between them.

    The supervisor passes it as JSON in the environment variable ``DREAMSTACK_RUNTIME`` and never writes it to disk.
    Parts that systemd or a container engine starts find it in the file ``DREAMSTACK_RUNTIME_FILE``, each one its own,
    without the secrets that are others' business (``appliance prepare``).

    The ``*_url`` are loopback addresses without a trailing slash. `token` is the bearer credential of
    requests between the box's own processes. `secret` signs the short-lived PostgREST tokens. `origins` says where
    each setting is from that is not the default. `profile` is ``embedded`` where ``appliance up`` started the parts.
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
    origins: dict[str, str] = {}
    profile: str = "deployed"

    def encode(self) -> str:
        """As JSON for the environment."""
        return msgspec.json.encode(self, enc_hook=str).decode()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Runtime:
        """What the supervisor, or ``appliance prepare``, wrote.

        Raises:
            ApplianceError: BRG412, the process was not started by the box, or its file cannot be read.
        """
        text = environ.get("DREAMSTACK_RUNTIME") or _runtime_file(environ)
        if not text:
            raise ApplianceError("BRG412", "This process is started by the box.", None, "Run: appliance up")
        return msgspec.json.decode(text.encode(), type=cls, dec_hook=lambda kind, value: kind(value))
