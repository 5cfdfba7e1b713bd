"""HTTPS for browsers from an authority of the box's own, made at the first start and kept in the data folder.

    authority   the box's own certificate authority: ten years, good for this network's names only
    leaf        the door's certificate, at most 397 days, for every name and address the box is reached by
    keeper      renews the leaf by itself and hands the door the newest, while it is open
    listening   one port: a connection that begins with TLS gets the box, any other the trust page
    serving     the gateway's server on top of it

Screen agents need none of this: their key pins the box's key.
"""

from __future__ import annotations

from appliance.services.tls.keeper import Keeper
from appliance.services.tls.names import encrypted

__all__ = ["Keeper", "encrypted"]
