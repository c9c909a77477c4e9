"""Read the recipe key `cluster`: where the work of a run is done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Cluster", "parse_cluster"]

_LOCAL = re.compile(r"local(?::([1-9][0-9]{0,3}))?")
_RAY = re.compile(r"ray://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


@dataclass(frozen=True)
class Cluster:
    """Where work is done.

    Attributes:
        kind: `local` (this machine), `auto` (Ray on this machine, or the cluster that RAY_ADDRESS
            names), or `ray` (the Ray Client server at `host` and `port`).
        processes: With `local`: worker processes; 0 does the work in this process.
        host: With `ray`: the server's name or address.
        port: With `ray`: its port.
    """

    kind: Literal["local", "auto", "ray"]
    processes: int = 0
    host: str = ""
    port: int = 0


def parse_cluster(text: str) -> Cluster:
    """Return the cluster that a text names. Raises ValueError with the forms for any other text."""
    if text == "auto":
        return Cluster("auto")
    if found := _LOCAL.fullmatch(text):
        return Cluster("local", processes=int(found[1] or 0))
    if (found := _RAY.fullmatch(text)) and 0 < int(found[2]) < 65536:
        return Cluster("ray", host=found[1].strip("[]"), port=int(found[2]))
    raise ValueError(
        f"`{text}` names no cluster: write `local`, `local:4` (four processes of this machine), "
        "`auto` (Ray on this machine) or `ray://HOST:10001`"
    )
