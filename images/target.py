"""What is built: the targets, and how each differs from the others."""

from __future__ import annotations

from typing import Final, NamedTuple

from images.mirror import Refused


class Target(NamedTuple):
    """One kind of image.

    Attributes:
        name: as in ``make image TARGET=name``.
        architecture: Debian's word for it.
        mkosi: mkosi's word for it.
        kind: what Ansible makes of it: a box or a screen.
        kernel: the kernel's package.
        packages: Debian packages of this target alone.
        variables: Ansible's, of this target alone.
    """

    name: str
    architecture: str
    mkosi: str
    kind: str
    kernel: str
    packages: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


TARGETS: Final = {
    target.name: target
    for target in (
        Target("nuc", "amd64", "x86-64", "box", "linux-image-amd64", ("intel-microcode", "amd64-microcode")),
        Target("screen", "amd64", "x86-64", "screen", "linux-image-amd64", ("intel-microcode", "amd64-microcode")),
        Target("screen-arm64", "arm64", "arm64", "screen", "linux-image-arm64"),
        Target("jetson", "arm64", "arm64", "box", "linux-image-arm64", (), ("jetson_enabled=true",)),
    )
}


def target(name: str) -> Target:
    """The target of that name.

    Raises:
        Refused: there is none.
    """
    if name not in TARGETS:
        raise Refused(f"There is no target {name}; there are {', '.join(TARGETS)}.")
    return TARGETS[name]
