"""The words of ``appliance backup`` and ``appliance restore``; what runs for them is loaded when it runs."""

from __future__ import annotations

import argparse
from typing import Final

__all__ = ["BACKUP_EXAMPLES", "RESTORE_EXAMPLES", "add_backup_words", "add_restore_words", "run_backup", "run_restore"]

BACKUP_EXAMPLES: Final = """\
  appliance backup /media/usb                         a file named after the box and the time
  appliance backup box.backup --recordings --passphrase-file secret"""

RESTORE_EXAMPLES: Final = """\
  appliance restore box.backup --check                is it whole?
  appliance restore box.backup --data /srv/box        on a new box, which must not run
  appliance restore box.backup --replace              in the place of what the box holds"""


def add_backup_words(parser: argparse.ArgumentParser) -> None:
    """What ``appliance backup`` takes."""
    parser.add_argument("file", metavar="FILE", help="where to; in a folder it is named after the box and the time")
    parser.add_argument("--recordings", action="store_true", help="recordings and fetched archives too")
    parser.add_argument("--models", action="store_true", help="added models too")
    _add_box(parser, "seals it with the passphrase in this file")


def add_restore_words(parser: argparse.ArgumentParser) -> None:
    """What ``appliance restore`` takes."""
    parser.add_argument("file", metavar="FILE", help="the backup")
    parser.add_argument("--replace", action="store_true", help="replace what the box holds")
    parser.add_argument("--check", action="store_true", help="read and check the file, and change nothing")
    _add_box(parser, "opens it with the passphrase in this file")


def _add_box(parser: argparse.ArgumentParser, sealing: str) -> None:
    parser.add_argument("--passphrase-file", metavar="FILE", default="", help=sealing)
    parser.add_argument(
        "--data", metavar="DIR", help="the data folder of `appliance up`; else that of the box that runs"
    )
    parser.add_argument("--deployment", metavar="FILE", help="the TOML file of a box that systemd or containers run")


def run_backup(options: argparse.Namespace) -> int:
    """Run ``appliance backup``."""
    from appliance.services.backup import command

    return command.run_backup(options)


def run_restore(options: argparse.Namespace) -> int:
    """Run ``appliance restore``."""
    from appliance.services.backup import command

    return command.run_restore(options)
