"""Machines with addresses of their own on this one: network namespaces on a bridge."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress


class Network:
    """A hub and some machines, each in a namespace; the hub is 10.213.7.1, they count on from 11.

    Args:
        machines: How many, beside the hub.

    Raises:
        OSError: that is not permitted here, or there is no ``ip``.
    """

    def __init__(self, machines: int) -> None:
        self._mark = f"hb{os.getpid() % 100000}"
        self.hub = f"{self._mark}hub"
        self._names = [self.hub]
        if shutil.which("ip") is None:
            raise OSError("there is no program ip")
        try:
            _ip("netns", "add", self.hub)
            _ip("-n", self.hub, "link", "set", "lo", "up")
            _ip("-n", self.hub, "link", "add", "bridge", "type", "bridge")
            _ip("-n", self.hub, "addr", "add", "10.213.7.1/24", "dev", "bridge")
            _ip("-n", self.hub, "link", "set", "bridge", "up")
            for number in range(machines):
                self._add(number)
        except BaseException:
            self.close()
            raise

    def _add(self, number: int) -> None:
        name, port = self.name(number), f"port{number}"
        _ip("netns", "add", name)
        self._names.append(name)
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", self.hub, "link", "add", port, "type", "veth", "peer", "eth0", "netns", name)
        _ip("-n", self.hub, "link", "set", port, "master", "bridge")
        _ip("-n", self.hub, "link", "set", port, "up")
        _ip("-n", name, "addr", "add", f"{self.address(number)}/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")

    def name(self, number: int) -> str:
        """Of a machine's namespace."""
        return f"{self._mark}m{number}"

    def address(self, number: int) -> str:
        """Of a machine."""
        return f"10.213.7.{11 + number}"

    def inside(self, name: str) -> tuple[str, ...]:
        """Words in front of a command that is to run in a namespace."""
        return ("ip", "netns", "exec", name)

    def cut(self, number: int) -> None:
        """Pull a machine's cable: nobody is told, packets only do not arrive."""
        _ip("-n", self.hub, "link", "set", f"port{number}", "nomaster")

    def mend(self, number: int) -> None:
        """Plug it in again."""
        _ip("-n", self.hub, "link", "set", f"port{number}", "master", "bridge")

    def close(self) -> None:
        """Take everything away."""
        for name in self._names:
            with suppress(OSError):
                _ip("netns", "delete", name)


def _ip(*words: str) -> None:
    ended = subprocess.run(["ip", *words], capture_output=True, text=True)
    if ended.returncode:
        raise OSError(f"ip {' '.join(words)}: {ended.stderr.strip()}")
