"""What every area of the sandbox shares."""

from __future__ import annotations

from typing import Any

from sandbox.clock import Clock
from sandbox.config import Config
from sandbox.connections import Connections
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.recording import Recording
from sandbox.state import State


class Core:
    """Config, clock, state, journal, faults and connections; areas offer themselves to one another in `services`."""

    def __init__(self, config: Config, state: State, ca_pem: bytes) -> None:
        self.config = config
        self.clock = Clock(config.speed)
        self.state = state
        self.journal = Journal(state.connection)
        self.faults = Faults()
        self.recording = Recording()
        self.connections = Connections()
        self.ca_pem = ca_pem
        self.services: dict[str, Any] = {}
