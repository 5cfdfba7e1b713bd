"""Runs modules in a root file system that is not started, with chroot: what Ansible itself has no connection for."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: tree
short_description: A root file system that is not started
description:
  - Runs commands in a folder that holds a root file system, with chroot. The controller has to be root.
options:
  tree:
    description: The folder, an absolute path.
    vars:
      - name: ansible_host
  chroot:
    description: The program that enters it; C(mkosi-chroot) takes no folder.
    default: chroot
    vars:
      - name: dreamstack_chroot
"""


class Connection(ConnectionBase):  # type: ignore[misc]  # Ansible has no types
    """A root file system as a host."""

    transport = "tree"
    has_pipelining = True
    default_user = "root"

    def _connect(self) -> Connection:
        tree = self._tree()
        if not os.path.isabs(tree) or not os.path.exists(os.path.join(tree, "bin/sh")):
            raise AnsibleError(f"{tree!r} holds no root file system: name it by an absolute path.")
        if os.geteuid() != 0:
            raise AnsibleError("Only root may enter a root file system.")
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = False) -> tuple[int, bytes, bytes]:
        """Run a shell command in the tree; gives its status, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        program = str(self.get_option("chroot"))
        where = [] if os.path.basename(program) == "mkosi-chroot" else [self._tree()]
        done = subprocess.run(
            [program, *where, "/bin/sh", "-c", cmd],
            input=in_data or b"",
            capture_output=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"},
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the controller into the tree."""
        self._copy(in_path, self._inside(out_path))

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the tree to the controller."""
        self._copy(self._inside(in_path), out_path)

    def close(self) -> None:
        """Nothing is held open."""
        self._connected = False

    def _tree(self) -> str:
        return str(self.get_option("tree") or "")

    def _inside(self, path: str) -> str:
        inside = os.path.normpath(os.path.join("/", path)).lstrip("/")
        return os.path.join(self._tree(), inside)

    @staticmethod
    def _copy(source: Any, target: Any) -> None:
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise AnsibleConnectionFailure(f"{source} cannot be copied: {error}") from None
