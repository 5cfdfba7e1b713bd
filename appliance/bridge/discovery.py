"""How screens find the box: multicast DNS on the building's own network (RFC 6762, RFC 6763), nothing else.

The box announces a service ``_dreamstack._udp`` with its EndpointId; a screen asks who is there. No DNS
server is ever asked. The announcement is a hint only: who answers at the address must still prove the
EndpointId in the handshake.

    >>> leave = await announce("Lobby box", identity.endpoint_id, listener.addresses(), lan=True)  # doctest: +SKIP
    >>> [box.name for box in await find(timeout_s=3)]  # doctest: +SKIP
    ['Lobby box']

A box that keeps to its own machine is announced on the loopback interface alone: its sockets are bound to
that device, so it neither hears questions from the network nor answers them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
import zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from appliance.errors import ApplianceError
from appliance.observation import logger

SERVICE: Final = "_dreamstack._udp.local."
LABEL_BYTES: Final = 60  # a DNS label has 63; the rest is for "-2" when a name is taken
TEXT_BYTES: Final = 200
DETAILS_TIMEOUT_MS: Final = 1500
MORE_BOXES_S: Final = 0.3
ADDRESSES_S: Final = 5.0
_LOOPBACK_DEVICE: Final = b"lo"

_log = logger("discovery")


class FoundBox(msgspec.Struct, frozen=True, order=True):
    """A box or relay that answered.

    Attributes:
        name: for people.
        endpoint_id: who it is.
        addresses: ``"ip:port"``.
        relay_of: the EndpointId of the box that a screen passes on; empty for a box.
    """

    name: str
    endpoint_id: str
    addresses: tuple[str, ...]
    relay_of: str = ""


Leave = Callable[[], Awaitable[None]]
"""Ends an announcement with a goodbye, so that screens forget the address at once."""


async def announce(name: str, endpoint_id: str, addresses: Sequence[str], *, lan: bool, relay_of: str = "") -> Leave:
    """Announce a box, or a screen that passes on what it gets, until the returned function is called.

    Takes about a second, because the name is first checked to be free; ``-2`` and so on is added where
    another box has it.

    Args:
        name: the box's name for people; cut at 60 bytes where DNS needs it shorter.
        endpoint_id: who it is.
        addresses: ``"ip:port"``, the main one first; only IPv4 addresses with the same port are announced.
        lan: announce on every interface; else on loopback, and nothing is sent to the network.
        relay_of: for a screen, the EndpointId of the box whose signals it passes on.

    Raises:
        ApplianceError: BRG415, mDNS cannot be used on this machine.
    """
    try:
        info = _describe(name, endpoint_id, addresses, relay_of)
        responder = await _responder(lan)
        sending = await responder.async_register_service(info, allow_name_change=True)
    except (OSError, RuntimeError, ValueError, zeroconf.Error) as error:
        raise _unavailable(error) from None

    async def leave() -> None:
        await sending
        await responder.async_close()

    return leave


async def announcing(
    name: str, endpoint_id: str, addresses: Callable[[], Sequence[str]], *, lan: bool, relay_of: str = ""
) -> None:
    """Announce until cancelled, and anew whenever the addresses change; a network that is not there is waited for.

    Args:
        name: as of :func:`announce`.
        endpoint_id: as of :func:`announce`.
        addresses: what they are now; asked every five seconds.
        lan: as of :func:`announce`.
        relay_of: as of :func:`announce`.
    """
    leave: Leave | None = None
    told: list[str] | None = None
    try:
        while True:
            now = list(addresses())
            if now != told:
                leave = await _again(leave, announce(name, endpoint_id, now, lan=lan, relay_of=relay_of))
                told = now if leave else None
            await asyncio.sleep(ADDRESSES_S)
    finally:
        await _end(leave)


@contextlib.asynccontextmanager
async def announced(
    name: str, endpoint_id: str, addresses: Callable[[], Sequence[str]], *, lan: bool, relay_of: str = ""
) -> AsyncIterator[None]:
    """Announce, as :func:`announcing` does, within a block."""
    telling = asyncio.create_task(announcing(name, endpoint_id, addresses, lan=lan, relay_of=relay_of))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _again(earlier: Leave | None, begin: Awaitable[Leave]) -> Leave | None:
    await _end(earlier)
    try:
        return await begin
    except ApplianceError as error:
        _log.warn("not announced on the network", reason=error)
        return None


async def _end(leave: Leave | None) -> None:
    if leave is not None:
        with contextlib.suppress(OSError, TimeoutError, zeroconf.Error):
            await leave()


async def find(timeout_s: float, endpoint_id: str | None = None) -> list[FoundBox]:
    """The boxes that answer, sorted by name.

    Looks on every interface, loopback too. Returns 0.3 s after the first answer, or as soon as the box of
    `endpoint_id` has answered where one is given; an empty list when `timeout_s` seconds pass without.

    Raises:
        ApplianceError: BRG415, mDNS cannot be used on this machine.
    """
    return await _search(
        timeout_s, lambda box: not box.relay_of and endpoint_id in (None, box.endpoint_id), endpoint_id
    )


async def find_relays(timeout_s: float, box_id: str, *, besides: str = "") -> list[FoundBox]:
    """The screens but `besides` that say they pass on the signals of this box, by name; else as :func:`find`.

    What they say is a hint: only frames that the box has signed count.

    Raises:
        ApplianceError: BRG415, mDNS cannot be used on this machine.
    """
    return await _search(timeout_s, lambda found: found.relay_of == box_id and found.endpoint_id != besides, None)


async def _search(timeout_s: float, wanted: Callable[[FoundBox], bool], one: str | None) -> list[FoundBox]:
    try:
        asker = AsyncZeroconf(ip_version=zeroconf.IPVersion.V4Only)
        await asker.zeroconf.async_wait_for_start()
    except (OSError, RuntimeError, zeroconf.Error) as error:
        raise _unavailable(error) from None
    try:
        return await _Search(asker.zeroconf, wanted, one).run(timeout_s)
    finally:
        await asker.async_close()


class _Search:
    """One look around: names as the browser hears of them, details for each."""

    def __init__(self, asker: zeroconf.Zeroconf, wanted: Callable[[FoundBox], bool], one: str | None) -> None:
        self._asker = asker
        self._wanted = wanted
        self._one = one
        self._found: dict[str, FoundBox] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._enough = asyncio.Event()

    async def run(self, timeout_s: float) -> list[FoundBox]:
        browser = AsyncServiceBrowser(self._asker, SERVICE, handlers=[self._heard])
        try:
            async with asyncio.timeout(timeout_s):
                await self._enough.wait()
                if self._one is None:
                    await asyncio.sleep(MORE_BOXES_S)
        except TimeoutError:
            pass  # what was found until now is the answer
        finally:
            await browser.async_cancel()
            for task in self._asking:
                task.cancel()
            await asyncio.gather(*self._asking, return_exceptions=True)
        return sorted(self._found.values())

    def _heard(
        self, zeroconf: zeroconf.Zeroconf, service_type: str, name: str, state_change: zeroconf.ServiceStateChange
    ) -> None:
        # The browser passes these by keyword, so the names are its own. Removal matters little in a short look.
        task = asyncio.get_running_loop().create_task(self._ask(name))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, name: str) -> None:
        info = AsyncServiceInfo(SERVICE, name)
        if not await info.async_request(self._asker, DETAILS_TIMEOUT_MS):
            return
        box = _read(info)
        if box is not None and self._wanted(box):
            self._found[name] = box
            self._enough.set()


def _describe(name: str, endpoint_id: str, addresses: Sequence[str], relay_of: str) -> AsyncServiceInfo:
    pairs = [address.rpartition(":") for address in addresses if not address.startswith("[")]
    if not pairs:
        raise ValueError("the box has no IPv4 address")
    port = int(pairs[0][2])
    told = {"id": endpoint_id, "name": _cut(name, TEXT_BYTES), "v": "1"}
    if relay_of:
        told |= {"relay": "1", "box": relay_of}
    return AsyncServiceInfo(
        SERVICE,
        f"{_label(name)}.{SERVICE}",
        port=port,
        parsed_addresses=[host for host, _, own_port in pairs if int(own_port) == port],
        properties=told,
        server=f"dreamstack-{endpoint_id[:16]}.local.",
    )


def _read(info: AsyncServiceInfo) -> FoundBox | None:
    """What a service says of itself; None when it is not a box of this version."""
    told = info.decoded_properties
    endpoint_id, addresses = told.get("id"), info.parsed_addresses()
    if told.get("v") != "1" or not endpoint_id or not addresses or not info.port:
        return None
    name = told.get("name") or info.name.removesuffix(f".{SERVICE}")
    relay_of = (told.get("box") or "?") if told.get("relay") else ""
    return FoundBox(name, endpoint_id, tuple(f"{address}:{info.port}" for address in addresses), relay_of)


def _label(name: str) -> str:
    """The name as one DNS label: no control characters, no dots, at most 60 bytes."""
    plain = "".join(" " if char == "." else char for char in name if char.isprintable())
    return _cut(" ".join(plain.split()), LABEL_BYTES).strip() or "DreamStack"


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")


async def _responder(lan: bool) -> AsyncZeroconf:
    interfaces: Any = zeroconf.InterfaceChoice.All if lan else ["127.0.0.1"]
    responder = AsyncZeroconf(interfaces=interfaces, ip_version=zeroconf.IPVersion.V4Only)
    try:
        await responder.zeroconf.async_wait_for_start()
        if not lan:
            _hold_to_loopback(responder.zeroconf)
    except BaseException:
        await responder.async_close()
        raise
    return responder


def _hold_to_loopback(responder: zeroconf.Zeroconf) -> None:
    """Bind the sockets to the device: one that only joined the group there would still hear, and answer, others."""
    for road in (*responder.engine.readers, *responder.engine.senders):
        road.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, _LOOPBACK_DEVICE)


def _unavailable(error: Exception) -> ApplianceError:
    return ApplianceError(
        "BRG415",
        "The box cannot be announced or looked for on this network.",
        str(error) or type(error).__name__,
        "Name the box instead: appliance screen --box <id>@<ip>:<port>.",
    )
