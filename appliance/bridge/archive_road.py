"""The way of an archive from one peer to another: asked for by its hash, checked piece by piece as it arrives.

    caller                                       peer that has it
    CONTROL hello {version, credential}  ──►
                                         ◄──     CONTROL hello {version, role}
    CONTROL list                         ──►
                                         ◄──     CONTROL archives {archives: [...]}
    CONTROL get {hash}                   ──►
                                         ◄──     MANIFEST
    CONTROL pieces {from}                ──►
                                         ◄──     PIECE, PIECE, ... CONTROL end

Over Iroh with the ALPN ``dreamstack/archive/1``, in frames of the bitstream. The caller believes nothing: the
manifest must have the hash that was asked for, and each piece the hash that the manifest names.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from appliance.bridge.archive import (
    PIECE,
    Archive,
    Archived,
    Manifest,
    check_hash,
    keep_manifest,
    read_manifest,
    read_piece,
)
from appliance.bridge.frame import Frame, FrameType, control, encode
from appliance.bridge.members import Member
from appliance.bridge.segments import SEGMENT
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.errors import ApplianceError, from_shape

ALPN: Final = b"dreamstack/archive/1"
MANIFEST: Final = 0x50
PIECE_FRAME: Final = 0x51
SILENCE_S: Final = 30.0
LISTED: Final = 1000
SERVED_LIMIT: Final = 16
PARTIAL: Final = ".part"

Admit = Callable[[dict[str, Any]], Member]
"""Turns a caller's hello into who it is, or raises BRG401."""


class ArchiveServer:
    """Serves the archives of a peer to those who may have them.

    Args:
        archive: what there is.
    """

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._serving = 0

    async def serve(self, road: Connection, admit: Admit) -> None:
        """Talk with one caller, let in by `admit`, until it leaves, falls silent or asks what cannot be."""
        self._serving += 1
        try:
            if self._serving > SERVED_LIMIT:
                raise ApplianceError("BRG465", "Too many peers fetch archives.", SERVED_LIMIT, "Try again later.")
            await _Caller(self.archive, road).talk(admit)
        except (ConnectionLost, TimeoutError):
            pass
        except ApplianceError as error:
            with contextlib.suppress(ConnectionLost):
                await road.send(encode(control("error", **error.shape())))
        finally:
            self._serving -= 1
            with contextlib.suppress(ConnectionLost):
                await road.close()


class _Caller:
    """One caller of a server."""

    def __init__(self, archive: Archive, road: Connection) -> None:
        self._archive, self._road = archive, road
        self._asked: tuple[Archived, Manifest] | None = None

    async def talk(self, admit: Admit) -> None:
        member = admit(await self._hear("hello"))
        await self._road.send(encode(control("hello", version=1, role=member.role)))
        while True:
            said = await self._hear("list", "get", "pieces")
            if said["type"] == "list":
                found = (await asyncio.to_thread(self._archive.items, member.role, member.own))[:LISTED]
                await self._road.send(encode(control("archives", archives=[item.told() for item in found])))
            elif said["type"] == "get":
                await self._get(check_hash(str(said.get("hash"))), member)
            else:
                await self._pieces(said.get("from", 0))

    async def _hear(self, *kinds: str) -> dict[str, Any]:
        frame = await asyncio.wait_for(self._road.receive(), SILENCE_S)
        said = frame.json() if frame.type == FrameType.CONTROL else {}
        if said.get("type") not in kinds:
            raise ApplianceError("SIG307", "The control frame says something unknown.", str(said.get("type"))[:80])
        return said

    async def _get(self, wanted: str, member: Member) -> None:
        item = await asyncio.to_thread(self._archive.find, wanted, member.role, member.own)
        raw = await asyncio.to_thread(item.manifest)
        self._asked = item, read_manifest(raw, wanted)
        await self._road.send(encode(Frame(MANIFEST, raw)))

    async def _pieces(self, first: Any) -> None:
        if self._asked is None or isinstance(first, bool) or not isinstance(first, int) or first < 0:
            raise ApplianceError("SIG307", "The pieces of an archive are asked for after it.", str(first)[:80])
        item, manifest = self._asked
        for number in range(first, len(manifest.pieces)):
            piece = await asyncio.to_thread(read_piece, item.path, number)
            manifest.check(number, piece)  # a disk that fails is found here rather than by the caller
            async with asyncio.timeout(SILENCE_S):
                await self._road.send(encode(Frame(PIECE_FRAME, piece)))
        await self._road.send(encode(control("end")))


class ArchiveClient:
    """Fetches archives over a connection to a peer that has them.

    Args:
        road: the connection; :meth:`close` ends it.
    """

    def __init__(self, road: Connection) -> None:
        self._road = road

    async def hello(self, credential: str) -> str:
        """Say who this is; returns the role the peer takes it for.

        Raises:
            ApplianceError: BRG401, a wrong credential; SCR502, the peer is gone; else as it says.
        """
        await self._say("hello", version=1, credential=credential)
        return str((await self._control("hello")).get("role"))

    async def items(self) -> list[dict[str, Any]]:
        """The archives the peer has for this role, the newest first.

        Raises:
            ApplianceError: as :meth:`hello`.
        """
        await self._say("list")
        found = (await self._control("archives")).get("archives")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    async def fetch(self, wanted: str, folder: Path, tell: Callable[[int, int], None] = lambda done, of: None) -> Path:
        """Fetch the archive with this hash into a folder; what an earlier try left there is gone on with.

        Args:
            wanted: its hash.
            folder: where it is to be; it becomes ``<hash>.seg`` there once every piece is right.
            tell: hears how many bytes of how many are there.

        Raises:
            ApplianceError: BRG410, no hash; BRG463, the peer does not have it; BRG464, the peer sent what it is not;
                BRG461, the disk cannot be written; as :meth:`hello`.
        """
        wanted = check_hash(wanted)
        path = folder / f"{wanted}{SEGMENT}"
        await self._say("get", hash=wanted)
        raw = (await self._frame(MANIFEST)).payload
        manifest = read_manifest(raw, wanted)
        try:
            await self._complete(path, manifest, tell)
            await asyncio.to_thread(_finish, path, raw)
        except OSError as error:
            reason = f"{path}: {error.strerror}"
            raise ApplianceError("BRG461", "The archive cannot be kept.", reason, "Name a folder with room.") from None
        return path

    async def _complete(self, path: Path, manifest: Manifest, tell: Callable[[int, int], None]) -> None:
        part = path.with_suffix(PARTIAL)
        there = await asyncio.to_thread(_mended, path, part, manifest)
        await self._say("pieces", **{"from": there})
        for number in range(there, len(manifest.pieces)):
            piece = (await self._frame(PIECE_FRAME)).payload
            manifest.check(number, piece)
            await asyncio.to_thread(_append, part, piece)
            tell(number * PIECE + len(piece), manifest.length)
        await self._control("end")

    async def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(ConnectionLost):
            await self._road.close()

    async def _say(self, kind: str, **values: Any) -> None:
        try:
            await self._road.send(encode(control(kind, **values)))
        except ConnectionLost as lost:
            raise _gone(str(lost)) from None

    async def _control(self, kind: str) -> dict[str, Any]:
        said = (await self._frame(FrameType.CONTROL)).json()
        if said.get("type") != kind:
            raise ApplianceError("SIG307", "The peer says something unknown.", str(said.get("type"))[:80])
        return said

    async def _frame(self, kind: int) -> Frame:
        """The next frame, which must be of this type.

        Raises:
            ApplianceError: what the peer's error says; SIG307, another type; SCR502, the peer is gone or silent.
        """
        try:
            frame = await asyncio.wait_for(self._road.receive(), SILENCE_S)
        except (ConnectionLost, TimeoutError) as lost:
            raise _gone(str(lost) or "silence") from None
        if frame.type == FrameType.CONTROL and (said := frame.json()).get("type") == "error":
            raise from_shape(said)
        if frame.type != kind:
            raise ApplianceError("SIG307", "The peer says something unknown.", frame.type)
        return frame


def _mended(path: Path, part: Path, manifest: Manifest) -> int:
    """How many right pieces are there already, of an earlier try or of the whole; what follows them is cut."""
    part.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        os.replace(path, part)
    number = 0
    with part.open("ab+") as file:
        file.seek(0)
        with contextlib.suppress(ApplianceError):
            while number < len(manifest.pieces):
                manifest.check(number, file.read(PIECE))
                number += 1
        file.truncate(number * PIECE if number < len(manifest.pieces) else manifest.length)
    return number


def _append(part: Path, piece: bytes) -> None:
    with part.open("ab") as file:
        file.write(piece)


def _finish(path: Path, manifest: bytes) -> None:
    part = path.with_suffix(PARTIAL)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, path)
    keep_manifest(path, manifest)


def _gone(reason: str) -> ApplianceError:
    return ApplianceError("SCR502", "The connection to the peer was lost.", reason, "Try again; it goes on from there.")
