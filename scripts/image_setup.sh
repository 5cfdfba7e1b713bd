#!/usr/bin/env bash
# Makes a machine ready to build disk images (scripts/image_setup.sh) or to test them too (scripts/image_setup.sh test):
# Docker, mmdebstrap, and for tests QEMU with UEFI firmware. Installs what is missing when run as root, else names it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PATH=$PATH:/usr/sbin:/sbin
missing=()
need() { # program, package
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}

need mmdebstrap mmdebstrap
need gpg gnupg
need zstd zstd
if [ "${1:-}" = test ]; then
    need qemu-system-x86_64 qemu-system-x86
    need mke2fs e2fsprogs
    [ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || missing+=(ovmf)
fi
case "${TARGET:-}" in jetson | *-arm64) emulated=1 ;; *) emulated= ;; esac
if [ "$emulated" ]; then
    need qemu-aarch64-static qemu-user-static
fi
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ]; then
        printf 'Some packages are missing. Paste this line, then run it again:\n\n    sudo apt-get install -y --no-install-recommends %s\n\n' "${missing[*]}" >&2
        exit 1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ "$emulated" ] && ! grep -qs enabled /proc/sys/fs/binfmt_misc/qemu-aarch64; then # programs of arm64 run
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    update-binfmts --enable qemu-aarch64 || {
        echo "Programs of arm64 cannot be run here: apt-get install binfmt-support qemu-user-static" >&2
        exit 1
    }
fi
scripts/docker.sh
