"""The one error shape of the box: a code, a sentence, details and a hint.

The shape is PostgREST's (``code``, ``message``, ``details``, ``hint``), so that an error reads the same
whether the database, the model, the bridge or a screen found it.

    >>> ApplianceError("LLM201", "The question is empty.", hint="Type a question.").shape()["code"]
    'LLM201'

Code families: ``PGF1xx`` data, ``LLM2xx`` model and questions, ``SIG3xx`` signals and frames,
``BRG4xx`` doors, transports and processes, ``SCR5xx`` screens.
"""

from __future__ import annotations

from typing import Any, Final

HTTP_STATUS: Final[dict[str, int]] = {
    "PGF100": 500,  # the data service failed in a way nobody foresaw
    "PGF101": 503,  # PostgreSQL does not answer
    "PGF102": 503,  # PostgREST does not answer
    "PGF103": 400,  # a document is not what a collection can hold
    "PGF104": 404,  # no such collection, or not for this role
    "PGF105": 400,  # a name cannot be a collection or field
    "PGF106": 403,  # this role may not do that
    "PGF107": 507,  # no room for the data folder
    "PGF108": 500,  # the data folder cannot be used
    "PGF109": 413,  # a document or list is over the limits
    "PGF110": 410,  # a feed position is too old
    "PGF111": 400,  # a feed position cannot be read
    "PGF112": 502,  # PostgREST answered with an error
    "PGF113": 404,  # no row with this id
    "PGF114": 504,  # the database took too long
    "PGF115": 400,  # a formula cannot be read or does not fit
    "PGF116": 409,  # a field is in use, or is in the way
    "PGF117": 400,  # an alert is not declared in a way the box can watch
    "PGF118": 404,  # no such alert
    "PGF119": 400,  # a shape's filter is not in its language, or names a column the role does not have
    "PGF120": 400,  # a request for a shape cannot be read
    "PGF121": 503,  # the box follows as many shapes as it may
    "PGF130": 409,  # a relation does not fit what is there, or a write breaks it
    "PGF131": 404,  # no such relation or field
    "PGF140": 400,  # a file cannot be imported: a line, its header or its text cannot be read
    "PGF141": 409,  # the collection changed while a file was being imported
    "PGF150": 404,  # no such role, or nothing declared there
    "PGF151": 400,  # a role, a condition or a mask is not declared in a way the box can keep
    "PGF152": 409,  # not a role that can be declared
    "PGF153": 404,  # no such token
    "PGF160": 404,  # nothing unusual with this id
    "LLM200": 500,  # the model failed in a way nobody foresaw
    "LLM201": 400,  # the question is empty
    "LLM202": 413,  # the question is too long
    "LLM203": 503,  # the model does not answer
    "LLM204": 422,  # the question names nothing the box holds
    "LLM205": 422,  # a question may not change data
    "LLM206": 422,  # the plan does not fit the catalog
    "LLM207": 422,  # part of the question was not understood
    "LLM208": 500,  # the model file cannot be loaded
    "LLM209": 429,  # too many questions are waiting
    "LLM210": 504,  # the question took too long
    "LLM211": 400,  # the request body cannot be read
    "LLM212": 403,  # the question is about a collection that the role may not see
    "LLM213": 403,  # what a question wants done is not for this role
    "LLM214": 422,  # the data does not tell what is asked
    "LLM215": 409,  # whoever asked the question stopped it
    "LLM216": 409,  # the answer cannot be pinned
    "LLM220": 404,  # no such model in the box
    "LLM221": 409,  # a file cannot be added as a model
    "LLM222": 409,  # there is no model that writes text
    "LLM223": 422,  # the model wrote nothing that the rows bear out
    "LLM224": 503,  # the larger model is set aside
    "LLM230": 503,  # there is no model that hears speech, or it cannot be loaded
    "LLM231": 422,  # nobody spoke, or no words were heard
    "LLM232": 413,  # an utterance is too long or no sound
    "SIG300": 400,  # the frame header cannot be read
    "SIG301": 400,  # a flag this version does not know
    "SIG302": 413,  # the payload is longer than the receiver's limit
    "SIG303": 400,  # the payload is not the JSON this frame type needs
    "SIG304": 400,  # the deflate payload cannot be read
    "SIG305": 409,  # a diff does not apply to this version
    "SIG306": 400,  # a signal name or value is not allowed
    "SIG307": 400,  # an input or control frame says something unknown
    "SIG308": 400,  # a picture or a change of one cannot be read
    "SIG309": 413,  # more signals, bytes or streams than there may be
    "SIG310": 400,  # what a screen sets cannot be read
    "SIG320": 400,  # a frame that a relay passed on is not what the box signed
    "SIG321": 409,  # a relay passes on an old state, or holds a newer one back
    "BRG400": 500,  # something failed in a way nobody foresaw
    "BRG401": 401,  # no credential, or a wrong one
    "BRG402": 403,  # this role may not
    "BRG403": 403,  # the Host or Origin is not this box
    "BRG404": 404,  # nothing at this address
    "BRG405": 405,  # not this method here
    "BRG406": 503,  # a part of the box does not answer
    "BRG407": 500,  # the port is in use
    "BRG408": 404,  # no such stream
    "BRG409": 429,  # too many receivers
    "BRG410": 422,  # a request is not what this address takes
    "BRG411": 500,  # a program the box needs is missing
    "BRG412": 500,  # a setting cannot be used
    "BRG413": 500,  # this machine cannot hold a part of the box to the building
    "BRG414": 500,  # a key file cannot be used
    "BRG415": 500,  # mDNS cannot be used on this machine
    "BRG416": 500,  # a certificate file cannot be used
    "BRG417": 404,  # this address is open over HTTPS only
    "BRG420": 400,  # a file is no update for this box
    "BRG421": 500,  # an update was not installed
    "BRG430": 401,  # a pass is not this box's, has run out, or is another screen's
    "BRG431": 409,  # the way to the box through a relay goes round or is too long
    "BRG432": 503,  # a relay has nothing to pass on yet
    "BRG434": 409,  # a letter came too late, or twice
    "BRG440": 404,  # no screen shows this code
    "BRG441": 429,  # too many screens, or too many wrong codes
    "BRG442": 404,  # no such screen
    "BRG443": 400,  # a screen's name, room or role cannot be
    "BRG444": 401,  # a ticket is no good
    "BRG445": 403,  # a screen was not let in
    "BRG446": 400,  # a stream is not declared in a way that can be kept
    "BRG450": 422,  # a picture of this size or these colors cannot be drawn
    "BRG451": 429,  # as many different pictures are drawn as may be
    "BRG452": 404,  # there is no such answer to speak
    "BRG453": 500,  # the voice failed
    "BRG460": 404,  # nothing was recorded there
    "BRG461": 500,  # a recording cannot be read
    "BRG462": 409,  # a stream has this name already
    "BRG463": 404,  # no such archive here, or not for this role
    "BRG464": 502,  # what arrived is not the archive that was asked for
    "BRG465": 429,  # too many play the past, or fetch archives
    "BRG466": 400,  # a time cannot be read
    "BRG470": 409,  # a box that is to be restored holds data already
    "BRG471": 422,  # a backup is damaged, or its passphrase is wrong
    "BRG472": 409,  # a backup was made by something newer
    "BRG473": 409,  # parts run of a box that is to be restored
    "BRG474": 500,  # the database cannot be dumped or loaded
    "BRG480": 401,  # a name or a password is wrong
    "BRG481": 429,  # too many wrong attempts
    "BRG482": 403,  # a request does not prove that the box's own page sent it
    "BRG483": 422,  # an account's name, role or password cannot be
    "BRG484": 404,  # no such account
    "BRG485": 409,  # an account of this name is there, or the last admin would go
    "BRG486": 403,  # the setup code is wrong, or none is asked for
    "BRG487": 404,  # no such job, backup or log
    "BRG488": 409,  # another job of this kind goes on
    "BRG489": 409,  # this kind of box cannot do that by itself
    "BRG490": 409,  # a setting cannot be changed here
    "SCR500": 504,  # no box was found on this network
    "SCR501": 502,  # the box was found but did not answer
    "SCR502": 410,  # the connection to the box was lost
    "SCR503": 409,  # more than one box was found and none was named
    "SCR504": 400,  # the id or address of a box cannot be read
    "SCR505": 502,  # the box's certificate is not trusted here
    "SCR506": 403,  # the screen waits to be let in
    "SCR507": 409,  # a Yes while the box is away
    "SCR508": 504,  # an input waited for too long
    "SCR509": 409,  # another kiosk has the folder
    "SCR510": 504,  # the box is silent behind the relay
    "SCR511": 429,  # as many inputs wait for the box as may
    "SCR512": 500,  # no browser for the kiosk
}
"""Every code of the box and the HTTP status it is served with."""


class ApplianceError(Exception):
    """A fault told in the one error shape.

    Args:
        code: a key of :data:`HTTP_STATUS`.
        message: one sentence for a person, ending in a full stop.
        details: what exactly was seen; any JSON value or None.
        hint: what to do about it, or None.

    Raises:
        KeyError: the code is not registered.
    """

    def __init__(self, code: str, message: str, details: Any = None, hint: str | None = None) -> None:
        self.status = HTTP_STATUS[code]
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        super().__init__(f"{code}: {message}")

    def shape(self) -> dict[str, Any]:
        """The error as JSON: ``code``, ``message``, ``details``, ``hint``."""
        return {"code": self.code, "message": self.message, "details": self.details, "hint": self.hint}

    def line(self) -> str:
        """The error for a terminal: a line, and a second one with the fix where there is one."""
        told = self.details.get("message") if isinstance(self.details, dict) else self.details
        details = f" ({printable(told)})" if isinstance(told, str) and told else ""
        hint = f"\n  fix: {self.hint}" if self.hint else ""
        return f"{self.code}: {self.message}{details}{hint}"


def printable(text: str) -> str:
    r"""A text as part of a line: with what would begin another line, or move the cursor, as blanks.

    >>> printable("a\rb\x1b[2Jc")
    'a b [2Jc'
    """
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def from_shape(shape: object, fallback: str = "BRG400") -> ApplianceError:
    """Read an error that another process sent; an unreadable one becomes `fallback`."""
    if isinstance(shape, dict) and str(shape.get("code")) in HTTP_STATUS:
        return ApplianceError(
            str(shape["code"]), str(shape.get("message", "")), shape.get("details"), shape.get("hint")
        )
    return ApplianceError(fallback, "Another part of the box sent an error that cannot be read.", shape)
