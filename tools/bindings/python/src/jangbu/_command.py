"""Commands as mappings, to be submitted together: `command.charge(wallet="W1", charge="C1", amount=1000)`."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._made import Commands


class _Command(Commands[dict[str, Any]]):
    """A method for each op that gives the command as a dict: for `submit`, and for `atomic`."""

    def _command(self, op: str, members: Mapping[str, Any]) -> dict[str, Any]:
        return {"op": op, **{k: v for k, v in members.items() if v is not None}}


command = _Command()
