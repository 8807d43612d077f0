"""What a door answers, before it becomes HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body as the contract has it (bytes are HTML), and headers of its own."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
