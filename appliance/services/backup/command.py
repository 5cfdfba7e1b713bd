"""What runs for ``appliance backup`` and ``appliance restore``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from appliance.errors import ApplianceError
from appliance.services import deployment
from appliance.services.backup import Manifest, Profile, Wanted, backup, deployed, embedded, restore
from appliance.services.backup.archive import unpack
from appliance.services.model_command import box_settings

__all__ = ["run_backup", "run_restore"]


def run_backup(options: argparse.Namespace) -> int:
    """Run ``appliance backup``."""
    wanted = Wanted(recordings=options.recordings, models=options.models, passphrase=_passphrase(options))
    path, manifest = backup(_box(options), Path(options.file), wanted)
    print(f"{path}: {_told(manifest)}")
    return 0


def run_restore(options: argparse.Namespace) -> int:
    """Run ``appliance restore``."""
    file, passphrase = Path(options.file), _passphrase(options)
    if options.check:
        print(f"{file} is whole: {_told(unpack(file, passphrase, None))}")
        return 0
    box = _box(options)
    manifest = restore(box, file, passphrase, replace=options.replace)
    print(f"Restored into {box.settings.data}: {_told(manifest)}")
    return 0


def _told(manifest: Manifest) -> str:
    about, size = manifest.about, sum(member.bytes for member in manifest.members.values())
    return f"{about.box}, {about.at}, version {about.version}, {len(manifest.members)} files, {size / 1e6:,.1f} MB"


def _passphrase(options: argparse.Namespace) -> str:
    if not options.passphrase_file:
        return ""
    try:
        text = Path(options.passphrase_file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ApplianceError("BRG471", "The passphrase cannot be read.", str(error), "Name a text file.") from None
    if not text:
        raise ApplianceError("BRG471", "The passphrase is empty.", options.passphrase_file, "Write one into that file.")
    return text


def _box(options: argparse.Namespace) -> Profile:
    named = options.deployment or os.environ.get("DREAMSTACK_DEPLOYMENT", "")
    if named or (not options.data and deployment.FILE.exists()):
        return deployed(*deployment.read(Path(named) if named else None))
    return embedded(box_settings(options.data))
