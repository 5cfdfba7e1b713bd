"""Invitations: what a screen is given beforehand, so that it joins by itself when it is plugged in.

An invitation names the box and where it is, the room and the role, until when it is good and for how many screens. The
box signs it; it holds no secret of the box, but whoever has it may join: it is a credential.

    text = write(Invitation("t1", box.endpoint_id, ("192.0.2.7:4711",), "icu", "wall", until, 4), box)
    read(text, box.endpoint_id, now=time.time()).room        # "icu"
"""

from __future__ import annotations

from typing import Final

import msgspec

from appliance.bridge import identity as keys
from appliance.bridge.armor import as_bytes, as_text
from appliance.bridge.identity import Identity
from appliance.errors import ApplianceError
from appliance.types import Role

PREFIX: Final = "dreamstack-"
_PURPOSE: Final = "invitation"


class Invitation(msgspec.Struct, frozen=True, array_like=True):
    """What a ticket for a new screen says.

    Attributes:
        id: its name in the box's list.
        box: the box's EndpointId.
        addresses: where the box was when it was written, ``"ip:port"``.
        room, role: where to, and as what.
        expires: seconds since 1970.
        uses: for how many screens.
    """

    id: str
    box: str
    addresses: tuple[str, ...]
    room: str
    role: Role
    expires: float
    uses: int


def write(invitation: Invitation, box: Identity) -> str:
    """The invitation as text, signed with the box's key."""
    body = msgspec.json.encode(invitation)
    return PREFIX + as_text(body) + "." + as_text(box.sign(_PURPOSE, body))


def read(text: str, box_endpoint_id: str, now: float) -> Invitation:
    """What an invitation says, once its signature and its end are found good.

    Raises:
        ApplianceError: BRG444.
    """
    body, signature = _parts(text)
    if not keys.verify(box_endpoint_id, _PURPOSE, body, signature):
        raise unusable("The box did not write this ticket.")
    invitation = _decoded(body)
    if invitation.expires <= now:
        raise unusable("This ticket has run out.")
    return invitation


def peek(text: str) -> Invitation:
    """What an invitation says of where the box is; nothing of it is proved.

    Raises:
        ApplianceError: BRG444, it is no ticket.
    """
    return _decoded(_parts(text)[0])


def is_invitation(text: str) -> bool:
    """Whether a text is meant as an invitation."""
    return text.strip().startswith(PREFIX)


def unusable(sentence: str) -> ApplianceError:
    """That a ticket is no good."""
    return ApplianceError("BRG444", sentence, None, "Make a new one: appliance admin ticket --room ROOM")


def _parts(text: str) -> tuple[bytes, bytes]:
    body, _, signature = text.strip().removeprefix(PREFIX).partition(".")
    raw = as_bytes(body), as_bytes(signature)
    if raw[0] is None or raw[1] is None:
        raise unusable("This is no ticket of a box.")
    return raw[0], raw[1]


def _decoded(body: bytes) -> Invitation:
    try:
        return msgspec.json.decode(body, type=Invitation)
    except msgspec.DecodeError:
        raise unusable("This is no ticket of a box.") from None
