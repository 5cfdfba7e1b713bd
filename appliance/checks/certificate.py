"""The door's certificate is good for a while, for every name and address of the box, and the clock is right."""

from __future__ import annotations

from appliance.checks import Finding, Probe

NAME = "certificate"
SOON = 14
LAST_YEAR = 365


async def check(probe: Probe) -> Finding:
    """Down when it has run out; warn when it is not renewed, lacks a name, or the authority ends within a year."""
    told = probe.certificate()
    if told is None:
        return Finding(NAME, "ok", "The door is plain HTTP and needs no certificate.")
    days, ca_days = told["days"], told["ca_days"]
    if told["clock"]:
        return Finding(NAME, "warn", f"The clock says {told['clock']}, which cannot be.", "Set the machine's clock.")
    if days < 0:
        return Finding(NAME, "down", f"The certificate ran out {-days} days ago.", _fix(ca_days))
    if days < SOON:
        return Finding(NAME, "warn", f"The certificate ends in {days} days.", _fix(ca_days))
    if ca_days < LAST_YEAR:
        return Finding(NAME, "warn", f"The box's authority ends in {ca_days} days.", _ANEW)
    if told["lacks"]:
        return Finding(NAME, "warn", f"The certificate cannot be good for {', '.join(told['lacks'])}.", _ANEW)
    return Finding(
        NAME,
        "ok",
        f"The certificate is good for {days} days and renews itself; its authority is {told['fingerprint']}.",
    )


_ANEW = "Move keys/ca.pem out of the data folder, start the box again, and trust the new authority on every device."


def _fix(ca_days: int) -> str:
    return "It is renewed by itself: is the data folder writable?" if ca_days > SOON else _ANEW
