"""The commands behind ``make image``, ``make fetch`` and ``make vendor-key``."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sys
import tomllib
from pathlib import Path

from images import artifacts, brand, builder, compare, mirror, release, sbom, stages, vendor
from images.builder import ROOT, WORK
from images.mirror import Refused
from images.stages import Build
from images.target import TARGETS, target


def main() -> int:
    """Run a command; returns the exit status."""
    options = _parser().parse_args()
    try:
        return int(options.handler(options))
    except Refused as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m images", description="Builds disk images.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    build = commands.add_parser("build", help="build an image and its update into dist/")
    build.add_argument("target", choices=sorted(TARGETS))
    build.add_argument("--version", help="the version; the project's own when left out")
    build.add_argument("--brand", type=Path, default=ROOT / "images" / "brand", help="the vendor kit")
    build.add_argument("--extra", type=Path, action="append", default=[], help="a tree laid over the system")
    build.add_argument("--update-only", action="store_true", help="make the update alone")
    build.set_defaults(handler=_build)
    fetch = commands.add_parser("fetch", help="fetch what images/artifacts.lock names, and check it")
    fetch.add_argument("architecture", nargs="?", choices=("amd64", "arm64"), default="amd64")
    fetch.add_argument("--missing", action="store_true", help="only where the cache is not what the lock says")
    fetch.set_defaults(handler=_fetch)
    lock = commands.add_parser("lock", help="write images/artifacts.lock anew from what scripts/wheelhouse.py fetched")
    lock.set_defaults(handler=lambda _: artifacts.write_lock())
    both = commands.add_parser("compare", help="say what differs between two builds of a target")
    both.add_argument("first", type=Path)
    both.add_argument("second", type=Path)
    both.set_defaults(handler=_compare)
    key = commands.add_parser("vendor-key", help="make the key that signs releases, once")
    key.set_defaults(handler=_key)
    return parser


def _build(options: argparse.Namespace) -> int:
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / f"{options.target}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one build of a target at a time: they share its folder
        return _build_alone(options)


def _build_alone(options: argparse.Namespace) -> int:
    build, disk, tree = make(options)
    dist, key = ROOT / "dist", vendor.folder()
    made = [release.update(build, disk, dist, key)]
    if not options.update_only:
        bom = sbom.cyclonedx(tree, build.image_id, build.version, build.epoch)
        listed = dist / f"{build.image_id}-{build.version}.cdx.json"
        words = dist / f"{build.image_id}-{build.version}.licences.txt"
        listed.write_bytes(bom)
        words.write_text(sbom.licences(bom), encoding="utf-8")
        made += [release.image(build, disk, dist), listed, words]
    release.sign(dist, made, key)
    for file in made:
        print(f"  {file.relative_to(ROOT)}  {file.stat().st_size / 1e6:.1f} MB")
    return 0


def make(options: argparse.Namespace) -> tuple[Build, Path, Path]:
    """Run the stages; returns what was built, the folder of its disk, and the tree it was made of."""
    kind, folder = target(options.target), options.brand.absolute()
    told = brand.read(folder)
    if kind.kind == "box":
        artifacts.check_program(kind.architecture)
    wheels = artifacts.wheelhouse(kind.architecture, WORK / kind.name / "wheelhouse")
    found = mirror.find()
    build = Build(
        kind,
        options.version or _own_version(),
        f"{told.id}-{kind.name}",
        found,
        builder.ensure(found),
        int(os.environ.get("SOURCE_DATE_EPOCH", stages.EPOCH)),
    )
    variables = json.dumps(brand.variables(told, folder, kind.kind), sort_keys=True)
    roles = folder / "roles" if (folder / "roles").is_dir() else None
    tree = stages.base(build, stages.packages(build), wheels, [variables], roles)
    layer = stages.fresh(WORK / kind.name / "layer")
    brand.layer(told, folder, tree, layer)
    keyring = layer / "usr/lib/systemd/import-pubring.gpg"
    keyring.parent.mkdir(parents=True, exist_ok=True)
    vendor.make(vendor.folder())
    keyring.write_bytes(vendor.public(vendor.folder()))
    return build, stages.disk(build, tree, stages.initrd(build), [layer, *map(Path.absolute, options.extra)]), tree


def _own_version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _fetch(options: argparse.Namespace) -> int:
    if options.missing and artifacts.whole(options.architecture):
        return 0
    for line in artifacts.fetch(options.architecture):
        print(f"  {line}")
    return 0


def _compare(options: argparse.Namespace) -> int:
    found = list(compare.differences(options.first, options.second))
    for told in found[: compare.SHOWN]:
        print(f"  {told}")
    print(f"  {len(found)} differences" if found else "  The same bits.")
    return 1 if found else 0


def _key(_: argparse.Namespace) -> int:
    place = vendor.folder()
    print(f"  {vendor.make(place)}  {place}")
    print("  Keep a copy in a safe place: without it no box made with it is updated again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
