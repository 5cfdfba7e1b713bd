"""The mesh: screens that serve what they receive to other screens, so that not all hang on the box's own link.

A relaying screen is trusted with nothing but to pass on. The box signs every signal frame it sends to one
(:mod:`~appliance.bridge.mesh.seal`), and every two seconds where it stands (:mod:`~appliance.bridge.mesh.alive`),
so a screen behind a relay notices what was altered, left out, held back or old. The relay keeps the signed frames
as they came (:mod:`~appliance.bridge.mesh.chain`) and hands them to peers that show a pass of the box
(:mod:`~appliance.bridge.mesh.relay`). What a screen behind it sends up is signed by that screen's own key
(:mod:`~appliance.bridge.mesh.letters`).

    box ──signed frames──► relay ──the same bytes──► wall      checks: the box's signature
    box ◄──the same letter── relay ◄──signed letter── wall     checks: the wall's signature and pass
"""

from appliance.bridge.mesh.box import Mesh, as_shown, next_generation
from appliance.bridge.mesh.chain import Chain, Link
from appliance.bridge.mesh.relay import Relay
from appliance.bridge.mesh.seal import Seal
from appliance.bridge.mesh.witness import Witness

__all__ = ["Chain", "Link", "Mesh", "Relay", "Seal", "Witness", "as_shown", "next_generation"]
