"""A screen's part in the mesh: checks what comes over relays, feeds its own relay, and knows how old its picture is.

    side = Side(identity, relay=Relay(identity.endpoint_id), pass_path=folder / "pass")
    side.begin(box_id, via=None)                  # a road to the box itself; else the relay's EndpointId
    side.signal(frame)                            # raises where a relay passed on what the box did not sign
    side.doubt(epoch, version)                    # once a second behind a relay

Behind a relay the screen is live only while the box's own signed word arrives: the relay's word counts for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from appliance.bridge import passes
from appliance.bridge.frame import INPUT, Frame, FrameType, control, input_frame
from appliance.bridge.identity import Identity
from appliance.bridge.mesh import Relay, Witness, letters
from appliance.bridge.mesh.alive import EVERY_S, Alive
from appliance.bridge.mesh.relay import HOPS, Up, circle
from appliance.bridge.mesh.seal import Place
from appliance.bridge.mesh.witness import replayed
from appliance.bridge.rooms import own_stream
from appliance.errors import ApplianceError
from appliance.screen import cache

SILENT_S: Final = 3 * EVERY_S
"""The box's last word may be so old before it counts as away."""
RENEW_EVERY_S: Final = 3600.0
LAG_S: Final = 3.0
"""A relay may lag so long behind the box's word before its picture counts as old."""
HELD_BACK_S: Final = 15.0
"""And so long before it is left."""


class Side:
    """What a screen knows and does besides keeping its copy.

    Args:
        identity: the screen's key: its letters are signed with it.
        relay: what serves its peers, or None where it serves none.
        pass_path: where its pass is kept, or None.
        pass_text: a pass it was given otherwise. One that is kept counts more.

    Attributes:
        identity: the screen's key.
        via: the EndpointId of the relay the present road leads to; None: the box's own.
        upward: whether the relay says that it has a road to the box.
    """

    def __init__(
        self, identity: Identity, *, relay: Relay | None = None, pass_path: Path | None = None, pass_text: str = ""
    ) -> None:
        self.relay = relay
        self.via: str | None = None
        self.upward = True
        self.pass_text = pass_text
        self.identity = identity
        self._pass_path = pass_path
        self._forgot = False
        self._witness: Witness | None = None
        self._box_name = ""
        self._word: tuple[Alive, float] | None = None
        self._ahead_since: float | None = None
        self._offset: float | None = None
        self._asked: tuple[str, float] | None = None
        self._renew_at = 0.0

    def load(self) -> None:
        """Take up the pass that was kept. Blocks on the disk."""
        if self._pass_path is not None:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                self.pass_text = self._pass_path.read_text().strip() or self.pass_text

    def begin(self, box_id: str, via: str | None) -> None:
        """A road is there: to the box of this EndpointId, or to the relay of that one."""
        if self._witness is None or self._witness.box_id != box_id:
            self._witness, self._offset = Witness(box_id), None
        self.via, self.upward = via, True
        self._word = self._ahead_since = self._asked = None
        self._witness.place = None

    def hello(self, said: dict[str, Any]) -> dict[str, Any]:
        """The hello for the present road: a relay gets the pass and never the credential."""
        if self.via is None:
            return said
        return {**said, "credential": "", "pass": self.pass_text}

    def subscribe(self, stream: str, epoch: str | None, version: int | None) -> Frame:
        """What to subscribe with: signed frames where somebody needs them, from the beginning where none is held."""
        if self.relay is not None and self.relay.chain.version is None:
            epoch = version = None
        sealed = self.via is not None or self.relay is not None
        return control("subscribe", stream=stream, e=epoch, v=version, **({"seal": True} if sealed else {}))

    async def met(self, said: dict[str, Any], stream: str, up: Up) -> None:
        """The hello came: who the box is, which view this is, and over which relays."""
        place = Place(self._meant(stream, said), str(said.get("role", "")))
        self._checker().begin(place, direct=self.via is None)
        self._box_name = str(said.get("box", ""))
        if self.via is None:
            self._offset = time.time() - said["t"] / 1000 if isinstance(said.get("t"), int) else self._offset
            await self._keep_pass(str(said.get("pass") or ""))
        await self.way(said, up)

    def _meant(self, stream: str, said: dict[str, Any]) -> str:
        """The stream that is got for a name: ``main`` is that of the room. A relay is not asked which that is."""
        if stream != "main":
            return stream
        room = said.get("room") if self.via is None else passes.verify(self.pass_text, self._checker().box_id).room
        return own_stream(str(room or ""))

    async def way(self, said: dict[str, Any], up: Up) -> None:
        """How the relay hangs on the box; raises BRG431 where that leads back here.

        Raises:
            ApplianceError: BRG431.
        """
        told = said.get("path", [])
        path = tuple(str(each) for each in told) if isinstance(told, list) else ()
        if self.identity.endpoint_id in path or len(path) > HOPS:
            raise circle(path)
        self.upward = said.get("up") is not False
        place = self._checker().place
        if self.relay is not None and place is not None:
            await self.relay.attach(self._checker().box_id, self._box_name, place, path, up)
            if not self.upward:
                self.relay.detach()

    def lost(self) -> None:
        """The road is lost."""
        if self.relay is not None:
            self.relay.detach()

    def signal(self, frame: Frame) -> None:
        """A signal frame came; checked where it was asked for signed, and kept for peers.

        Raises:
            ApplianceError: SIG320, SIG321, SIG303.
        """
        if self.via is None and self.relay is None:
            return
        link = self._checker().check(frame)
        if self.relay is not None:
            self.relay.add(link)

    @property
    def wants_keyframe(self) -> bool:
        """Whether newcomers would be better served with a newer keyframe."""
        return self.relay is not None and (self.relay.chain.is_long or self.relay.chain.keyframe is None)

    def control(self, said: dict[str, Any], frame: Frame) -> bool:
        """Take a control frame of the mesh's own; False for any other.

        Raises:
            ApplianceError: SIG320, SIG321.
        """
        kind = said.get("type")
        if kind == "seal":
            self._checker().sealed(said)
        elif kind == "alive":
            self._hear(said, frame)
        elif kind in ("error", "pass", "ack") and "n" in said:
            return self.relay is not None and self.relay.answer(str(said["n"]), frame)
        else:
            return False
        return True

    def renewal(self, epoch: str | None) -> Frame | None:
        """The letter that asks for a new pass over a relay, once half of the old one's time is over; at most hourly."""
        if self.via is None or time.monotonic() < self._renew_at:
            return None
        self._renew_at = time.monotonic() + RENEW_EVERY_S
        if passes.verify(self.pass_text, self._checker().box_id).expires - time.time() > passes.VALID_S / 2:
            return None
        return self.ask({"type": "renew"}, epoch)

    async def renewed(self, text: str) -> None:
        """A new pass came over a relay; one that is not the box's, or not this screen's, is not kept."""
        with contextlib.suppress(ApplianceError):
            if passes.verify(text, self._checker().box_id).screen == self.identity.endpoint_id:
                await self._keep_pass(text)

    def _hear(self, said: dict[str, Any], frame: Frame) -> None:
        word = self._checker().alive(said)
        if word.n and self._asked is not None and word.n == self._asked[0]:
            self._offset, self._asked = (self._asked[1] + time.time()) / 2 - word.t / 1000, None
        elif self.relay is not None:
            self.relay.hear(word, frame)
        if self._word is None or word.t > self._word[0].t:
            self._word = word, time.monotonic()

    def prove(self) -> Frame:
        """Ask the box for a word that cannot be older than this."""
        self._asked = (secrets.token_hex(8), time.time())
        return control("prove", n=self._asked[0])

    def doubt(self, epoch: str | None, version: int | None) -> ApplianceError | None:
        """What stands against taking the picture for the box's present one, behind a relay.

        Returns:
            None; or SCR510, the box is silent, or what it spoke of has not come.

        Raises:
            ApplianceError: SIG321, the relay holds back what the box has said.
        """
        true_at = self.true_at()
        if self._word is None or true_at is None or time.time() - true_at > SILENT_S:
            return silent()
        word = self._word[0]
        if word.e == epoch and version is not None and version >= word.v:
            self._ahead_since = None
            return None
        now = time.monotonic()
        self._ahead_since = self._ahead_since or now
        if now - self._ahead_since > HELD_BACK_S:
            raise replayed({"box": [word.e, word.v], "given": [epoch, version]})
        return silent() if now - self._ahead_since > LAG_S else None

    def true_at(self) -> float | None:
        """When the box last said that this is how things stand, on this screen's clock; None: not on this road."""
        if self._word is None:
            return None
        # Where the box's clock was never compared with this one, the two are taken to agree.
        return min(time.time(), self._word[0].t / 1000 + (self._offset or 0.0))

    def forget(self) -> None:
        """The box does not let this screen in: neither its pass nor what it passes on holds any more."""
        self.pass_text, self._forgot = "", True
        if self.relay is not None:
            self.relay.forget()

    async def tidy(self) -> None:
        """Take the pass from the disk where it was forgotten, and none was given since."""
        forgot, self._forgot = self._forgot, False
        if forgot and not self.pass_text and self._pass_path is not None:
            await asyncio.to_thread(self._pass_path.unlink, missing_ok=True)

    def ask(self, said: Mapping[str, Any], epoch: str | None) -> Frame:
        """An input frame for the present road: as it is to the box, as a letter to a relay."""
        if self.via is None:
            return Frame(FrameType.INPUT, msgspec.json.encode(said), INPUT)
        return input_frame("letter", **letters.write(self.identity, self.pass_text, epoch, dict(said)))

    def _checker(self) -> Witness:
        assert self._witness is not None
        return self._witness

    async def _keep_pass(self, given: str) -> None:
        if not given or given == self.pass_text:
            return
        self.pass_text = given
        if self._pass_path is not None:
            with contextlib.suppress(OSError):  # it is given again at the next meeting
                await asyncio.to_thread(cache.write, self._pass_path, given.encode())


def silent() -> ApplianceError:
    """The error SCR510."""
    return ApplianceError("SCR510", "The box is silent; what is shown came through a relay.")
