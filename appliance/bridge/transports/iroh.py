"""Frames over Iroh: QUIC between a box and its screens, each known by its EndpointId.

The two sides agree on the ALPN ``dreamstack/bitstream/1``. The dialer opens one two-way stream and writes
first (QUIC shows a stream to the other side only once something is written); frames then travel back to
back, each way.

    box = await listen(identity, "127.0.0.1:0", serve, frame_limit)
    road = await dial(screen, box.endpoint_id, box.addresses(), timeout_s=2, frame_limit=frame_limit)
    await road.send(encode(control("hello", version=1)))

No relay, no public discovery and no port mapper is ever used: Iroh's threads run confined
(:mod:`~appliance.bridge.transports.confinement`) and cannot open such a socket. An endpoint bound to
``127.0.0.1`` also binds ``[::1]``, because Iroh would otherwise add an IPv6 socket on every address; where a
machine has IPv6 but no ``::1`` that wildcard socket remains, and callers from elsewhere are refused before
the handshake.

The cost of a call is the way into the library and back, not its bytes: merge frames before :meth:`send`.
(Iroh's generated binding hands bytes over one at a time, 130 ns each; here they are copied as one block.)
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import ipaddress
import re
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import iroh

from appliance.bridge.frame import Decoder, Frame
from appliance.bridge.identity import Identity
from appliance.bridge.transports import Connection, ConnectionLost
from appliance.bridge.transports.confinement import run_confined
from appliance.errors import ApplianceError
from appliance.observation import logger

ALPN: Final = b"dreamstack/bitstream/1"
_SAID: Final = re.compile(r'ApplicationClose \{ error_code: \d+, reason: b"([^"]*)"')
PIECE: Final = 65_536
JOIN_TIMEOUT_S: Final = 10.0
JOINING_LIMIT: Final = 256
FLUSH_TIMEOUT_S: Final = 1.0
DRAIN_WAIT_S: Final = 0.2

OnConnection = Callable[[Connection], Awaitable[None]]

_log = logger("bridge")
_starting = threading.Lock()
_started = False
_draining: set[asyncio.Task[None]] = set()


def _write_block(builder: Any, value: bytes) -> None:
    """Append bytes to a buffer of the library by one copy; stands in for the binding's loop over each byte."""
    with builder._reserve(len(value)):
        start = ctypes.cast(builder.rbuf.data, ctypes.c_void_p).value or 0
        ctypes.memmove(start + builder.rbuf.len, value, len(value))


iroh.iroh_ffi._UniffiRustBufferBuilder.write = _write_block  # type: ignore[method-assign]


class IrohConnection:
    """A :class:`~appliance.bridge.transports.Connection` on one two-way QUIC stream; `peer` is an EndpointId.

    `address` is where a caller was when it connected, ``"ip:port"``; empty on the side that dialed.

    One task receives; any may send. A :meth:`receive` or :meth:`send` that is cancelled may have taken or
    left part of a frame: a cancelled send ends the connection, after a cancelled receive only close it.
    A peer that vanishes without a word is noticed by Iroh after 30 s; whoever wants to know sooner pings.
    """

    def __init__(
        self,
        quic: iroh.Connection,
        stream: iroh.BiStream,
        frame_limit: int,
        endpoint: iroh.Endpoint | None = None,
        address: str = "",
    ) -> None:
        self.peer = str(quic.remote_id())
        self.alpn = bytes(quic.alpn())
        self.address = address
        # The library keeps a port until the last handle is gone: closing drops them all.
        self._quic: iroh.Connection | None = quic
        self._writer: iroh.SendStream | None = stream.send()
        self._reader: iroh.RecvStream | None = stream.recv()
        self._endpoint = endpoint
        self._decoder = Decoder(frame_limit)
        self._frames: deque[Frame] = deque()
        self._writing = asyncio.Lock()
        self._closing = False

    async def send(self, raw: bytes) -> None:
        """Send encoded frames, back to back; waits while the peer's window is full."""
        async with self._writing:
            if self._closing or self._writer is None:
                raise ConnectionLost("closed on this side")
            try:
                await self._writer.write_all(raw)
            except iroh.IrohError as error:
                raise ConnectionLost(_reason(error)) from None
            except asyncio.CancelledError:
                self._end("a frame was cut short")
                raise

    async def receive(self) -> Frame:
        """The next frame."""
        while not self._frames:
            piece = await self._read()
            self._frames.extend(self._decoder.feed(piece))
        return self._frames.popleft()

    async def _read(self) -> bytes:
        if self._reader is None:
            raise ConnectionLost("closed on this side")
        try:
            piece = await self._reader.read(PIECE)
        except iroh.IrohError as error:
            raise ConnectionLost(_reason(error)) from None
        if not piece:
            raise ConnectionLost("the peer ended its stream")
        return piece

    async def close(self, reason: str = "") -> None:
        """End the connection once what was sent has arrived, or after one second."""
        if self._closing:
            return
        self._closing = True
        try:
            with contextlib.suppress(iroh.IrohError, TimeoutError):
                async with asyncio.timeout(FLUSH_TIMEOUT_S):
                    await self._flush()
        finally:
            self._end(reason)
            endpoint, self._endpoint = self._endpoint, None
            if endpoint is not None:
                await _retire(endpoint)

    async def _flush(self) -> None:
        async with self._writing:
            if self._writer is not None:
                await self._writer.finish()
                await self._writer.stopped()

    def _end(self, reason: str) -> None:
        if self._quic is not None:
            self._quic.close(0, reason.encode()[:200])
        self._quic = self._writer = self._reader = None


class IrohListener:
    """The box's endpoint: takes connections and runs for each what `by_alpn` names, until it is closed."""

    def __init__(
        self, endpoint: iroh.Endpoint, by_alpn: Mapping[bytes, OnConnection], frame_limit: int, *, loopback_only: bool
    ) -> None:
        self.endpoint_id = str(endpoint.id())
        self._endpoint: iroh.Endpoint | None = endpoint
        self._by_alpn = by_alpn
        self._frame_limit = frame_limit
        self._loopback_only = loopback_only
        self._joining: set[asyncio.Task[None]] = set()
        self._serving: dict[asyncio.Task[None], IrohConnection] = {}
        self._accepting = {asyncio.create_task(self._accept(endpoint))}

    def addresses(self) -> list[str]:
        """Where screens can reach the box now, as ``"ip:port"`` or ``"[ip6]:port"``; IPv4 first."""
        if self._endpoint is None:
            return []
        bound: list[str] = self._endpoint.bound_sockets()
        port = bound[0].rpartition(":")[2]
        known = self._endpoint.addr().direct_addresses() or [f"127.0.0.1:{port}"]
        return sorted(known, key=lambda address: address.startswith("["))

    async def close(self) -> None:
        """Say goodbye to every screen and give the port back."""
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is None:
            return
        tasks = {*self._accepting, *self._joining, *self._serving}
        self._accepting.clear()  # a task that ended holds on to the endpoint, and that to the port
        await asyncio.gather(*(road.close("the box stops") for road in self._serving.values()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _retire(endpoint)

    async def _accept(self, endpoint: iroh.Endpoint) -> None:
        while (incoming := await endpoint.accept_next()) is not None:
            if len(self._joining) >= JOINING_LIMIT:
                await incoming.refuse()
                continue
            task = asyncio.create_task(self._join(incoming))
            self._joining.add(task)
            task.add_done_callback(self._joining.discard)

    async def _join(self, incoming: iroh.Incoming) -> None:
        """The handshake; a caller that does not finish it costs ten seconds and no more."""
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                road = await self._welcome(incoming)
        except (iroh.IrohError, TimeoutError) as error:
            _log.warn("a caller did not finish its handshake", reason=_reason(error))
            return
        if road is not None:
            task = asyncio.create_task(self._serve(road))
            self._serving[task] = road
            task.add_done_callback(self._serving.pop)

    async def _welcome(self, incoming: iroh.Incoming) -> IrohConnection | None:
        if self._loopback_only and not await _is_near(incoming):
            await incoming.refuse()
            return None
        address = getattr(await incoming.remote_addr(), "addr", "")
        quic = await (await incoming.accept()).connect()
        try:
            quic.set_max_concurrent_uni_streams(0)
            quic.set_max_concurrent_bi_streams(1)
            return IrohConnection(quic, await quic.accept_bi(), self._frame_limit, address=address)
        except BaseException:
            quic.close(0, b"no stream was opened")
            raise

    async def _serve(self, road: IrohConnection) -> None:
        try:
            await self._by_alpn[road.alpn](road)
        except ConnectionLost:
            pass
        except ApplianceError as error:
            _log.warn("a screen was sent away", screen=road.peer[:10], reason=error)
        except Exception as error:
            _log.error("serving a screen failed", screen=road.peer[:10], reason=repr(error))
        finally:
            await road.close()


async def listen(
    identity: Identity,
    bind_addr: str,
    on_connection: OnConnection,
    frame_limit: int,
    others: Mapping[bytes, OnConnection] | None = None,
) -> IrohListener:
    """Open the box's endpoint.

    Args:
        identity: the box's key.
        bind_addr: ``"127.0.0.1:port"`` for this machine alone, ``"0.0.0.0:port"`` for the network; port 0
            takes a free one.
        on_connection: runs in a task of its own for each screen; the connection ends when it returns.
        frame_limit: payload bytes of a frame the box accepts.
        others: what runs, in the same way, for connections of other ALPNs.

    Raises:
        ApplianceError: BRG407 (the port is in use), BRG413 (this machine cannot confine Iroh).
    """
    by_alpn = {ALPN: on_connection, **(others or {})}
    try:
        endpoint = await _bind(identity, bind_addr, list(by_alpn))
    except iroh.IrohError as error:
        raise ApplianceError(
            "BRG407", f"The UDP address {bind_addr} cannot be used.", error.message(), "Choose another iroh_port."
        ) from None
    return IrohListener(endpoint, by_alpn, frame_limit, loopback_only=_is_loopback(bind_addr))


async def dial(
    identity: Identity,
    endpoint_id: str,
    addresses: Sequence[str],
    timeout_s: float,
    frame_limit: int,
    alpn: bytes | None = None,
) -> IrohConnection:
    """Connect to the box of this EndpointId at one of these addresses (``"ip:port"``).

    The caller writes first; `alpn` is what is spoken if not the bitstream. Who answers at the address but is not
    `endpoint_id` is not connected to.

    Raises:
        ApplianceError: SCR501 (no answer within `timeout_s` seconds, or not from that box), SCR504 (an id or
            address cannot be read), BRG413 (this machine cannot confine Iroh).
    """
    target = _target(endpoint_id, addresses)
    near = all(_is_loopback(address) for address in addresses)
    endpoint = await _bind(identity, "127.0.0.1:0" if near else "0.0.0.0:0", [])
    try:
        async with asyncio.timeout(timeout_s):
            quic = await endpoint.connect(target, alpn or ALPN)
            return IrohConnection(quic, await quic.open_bi(), frame_limit, endpoint)
    except (iroh.IrohError, TimeoutError) as error:
        await _retire(endpoint)
        raise _no_answer(endpoint_id, addresses, error) from None
    except BaseException:
        await _retire(endpoint)
        raise


async def _retire(endpoint: iroh.Endpoint) -> None:
    """Close an endpoint; what it still has to say to peers that do not answer (seconds) goes on by itself."""
    task = asyncio.create_task(endpoint.close())
    _draining.add(task)
    task.add_done_callback(_draining.discard)
    await asyncio.wait({task}, timeout=DRAIN_WAIT_S)


async def _bind(identity: Identity, bind_addr: str, alpns: list[bytes]) -> iroh.Endpoint:
    await asyncio.to_thread(_start_confined)
    if not _is_loopback(bind_addr):
        return await _builder(identity.secret, alpns, bind_addr).bind()
    try:
        return await _builder(identity.secret, alpns, bind_addr, "[::1]:0").bind()
    except iroh.IrohError:  # no IPv6 here, or the port is taken: the second try tells which
        return await _builder(identity.secret, alpns, bind_addr).bind()


def _builder(secret: bytes, alpns: list[bytes], *addresses: str) -> iroh.EndpointBuilder:
    builder = iroh.EndpointBuilder()  # type: ignore[no-untyped-call]
    builder.apply_minimal()
    builder.relay_mode(iroh.RelayMode.disabled())
    builder.secret_key(secret)
    builder.alpns(alpns)
    for address in addresses:
        builder.bind_addr(address)
    return builder


def _start_confined() -> None:
    """Iroh starts its threads at the first asynchronous call: make that one from a confined thread."""
    global _started
    with _starting:
        if not _started:
            run_confined(lambda: asyncio.run(_first_call()))
            _started = True


async def _first_call() -> None:
    endpoint = await _builder(iroh.SecretKey.generate().to_bytes(), [], "127.0.0.1:0").bind()
    await endpoint.close()


def _target(endpoint_id: str, addresses: Sequence[str]) -> iroh.EndpointAddr:
    try:
        for address in addresses:
            _host(address)
        known = iroh.EndpointId.from_string(endpoint_id)
    except (iroh.IrohError, ValueError) as error:
        reason = "the id is no public key" if isinstance(error, iroh.IrohError) else str(error)
        raise ApplianceError(
            "SCR504", "The box's id or address cannot be read.", reason, "Write it as <id>@<ip>:<port>."
        ) from None
    return iroh.EndpointAddr(id=known, relay_url=None, addresses=list(addresses))


def _no_answer(endpoint_id: str, addresses: Sequence[str], error: iroh.IrohError | TimeoutError) -> ApplianceError:
    return ApplianceError(
        "SCR501",
        "The box did not answer.",
        {"box": endpoint_id, "addresses": list(addresses), "reason": _reason(error)},
        "Is `appliance up` still running there?",
    )


async def _is_near(incoming: iroh.Incoming) -> bool:
    return _is_loopback(getattr(await incoming.remote_addr(), "addr", "0.0.0.0:0"))  # a relay has no address


def _is_loopback(address: str) -> bool:
    return _host(address).is_loopback


def _reason(error: iroh.IrohError | TimeoutError) -> str:
    """What a peer said when it closed, out of the library's debug text; else that text."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    message: str = error.message()
    said = _SAID.search(message)
    return f"closed by the peer: {said[1]}" if said and said[1] else message


def _host(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address of ``"ip:port"`` or ``"[ip6]:port"``; ValueError for anything else."""
    host, _, port = address.rpartition(":")
    if not 0 <= int(port) <= 65_535:
        raise ValueError(f"{port} is not a port")
    return ipaddress.ip_address(host.strip("[]"))
