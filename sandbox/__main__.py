"""`python -m sandbox`: serves the simulated world until it is told to stop."""

from __future__ import annotations

import os
import sys

import uvicorn

from sandbox import app, portal_files, tls
from sandbox.config import Config
from sandbox.core import Core
from sandbox.server import PromptServer
from sandbox.state import State


def main() -> None:
    config = Config.from_environment(os.environ)
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_path, server_path = tls.ensure_certificates(config.home)
    portal_files.write(config, ca_path)
    core = Core(config, State(config.home / "state.sqlite3"), ca_path.read_bytes())
    sys.stdout.write(f"sandbox: {config.origin}, hubs on port {config.hub_port}, speed {config.speed:g}\n")
    sys.stdout.flush()
    settings = uvicorn.Config(
        app.build(core),
        host=config.host,
        port=config.port,
        ssl_certfile=str(server_path),
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=90,  # a 5 s keep-alive may race Helm's last PUT
        timeout_graceful_shutdown=1,
    )
    server = PromptServer(settings)
    core.connections.watch(server.server_state)
    server.run()


if __name__ == "__main__":
    main()
