"""A file that comes in as the body of a request, written down as it comes."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import BinaryIO

from starlette.requests import ClientDisconnect, Request

from appliance.errors import ApplianceError

__all__ = ["receive"]


async def receive(request: Request, path: Path, limit: int) -> Path:
    """Write a request's body to a file; only the owner may read it, and half of one does not stay.

    Raises:
        ApplianceError: PGF109, it is over the limit; PGF107, there is no room; BRG410, it is empty or broke off.
    """
    await asyncio.to_thread(path.parent.mkdir, 0o700, True, True)
    draft = path.with_name(f".{path.name}.coming")
    size = 0
    try:
        with await asyncio.to_thread(_open, draft) as out:
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    raise ApplianceError("PGF109", "The file is over the limit.", {"limit": limit}, None)
                await asyncio.to_thread(out.write, piece)
        if not size:
            raise ApplianceError("BRG410", "The request has no file in it.", None, "Send it as the body.")
        await asyncio.to_thread(draft.replace, path)
    except ClientDisconnect:
        raise ApplianceError("BRG410", "The file broke off.", None, "Send it again.") from None
    except OSError as error:
        code = "PGF107" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "PGF108"
        raise ApplianceError(code, "The file cannot be written down.", str(error), "Free some space.") from None
    finally:
        await asyncio.to_thread(draft.unlink, True)
    return path


def _open(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
