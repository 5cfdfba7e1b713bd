"""Keeps a library's threads from opening anything but plain UDP sockets.

Iroh starts a port mapper with every endpoint: it multicasts UPnP requests on the default interface, even
from an endpoint that is bound to loopback, and where a router answers it opens a port of the box to the
internet (n0-computer/iroh issues 2871 and 3811). Its Python binding has no switch for that, and nothing may
leave the building. So Iroh's threads are started under a seccomp filter in which ``socket()`` gives IPv4 and
IPv6 sockets for the UDP protocol by name, as Iroh's own endpoint asks for them, and refuses the rest: the
port mapper's sockets, TCP (UPnP, relays) and DNS. No privilege is needed, and other threads stay as they are.

    >>> run_confined(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))  # doctest: +SKIP
    PermissionError: [Errno 1] Operation not permitted

A thread started by a confined one is confined as well; the filter cannot be taken off again (seccomp(2)).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import threading
from collections.abc import Callable
from typing import Final

from appliance.errors import ApplianceError

_NUMBERS: Final = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""Per machine: its AUDIT_ARCH number and the number of the system call ``socket`` (linux/audit.h, unistd.h)."""

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUALS: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_AT_NUMBER, _AT_ARCH, _AT_DOMAIN, _AT_PROTOCOL = 0, 4, 16, 32  # struct seccomp_data, little-endian


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def run_confined(work: Callable[[], None]) -> None:
    """Run `work` in a confined thread of its own and wait for it; blocks.

    Raises:
        ApplianceError: BRG413, this kernel or machine cannot confine a thread.
        Exception: whatever `work` raises.
    """
    raised: list[BaseException] = []

    def body() -> None:
        try:
            _confine_this_thread()
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=body, name="confined-start")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _confine_this_thread() -> None:
    code = _filter(platform.machine())
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _check(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0))


def _filter(machine: str) -> bytes:
    """The filter as BPF; a jump counts the instructions it skips."""
    if machine not in _NUMBERS:
        raise _cannot(f"no filter is known for {machine}")
    arch, socket_call = _NUMBERS[machine]
    steps = (
        (_LOAD, 0, 0, _AT_ARCH),
        (_EQUALS, 0, 8, arch),
        (_LOAD, 0, 0, _AT_NUMBER),
        (_EQUALS, 0, 6, socket_call),
        (_LOAD, 0, 0, _AT_DOMAIN),
        (_EQUALS, 1, 0, socket.AF_INET),
        (_EQUALS, 0, 3, socket.AF_INET6),
        (_LOAD, 0, 0, _AT_PROTOCOL),
        (_EQUALS, 1, 0, socket.IPPROTO_UDP),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    )
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def _check(result: int) -> None:
    if result != 0:
        raise _cannot(os.strerror(ctypes.get_errno()))


def _cannot(details: str) -> ApplianceError:
    return ApplianceError(
        "BRG413",
        "This machine cannot hold the screen transport to the building.",
        details,
        "Use Linux 3.5 or newer on x86_64 or aarch64 with seccomp.",
    )
