"""A certificate authority of the sandbox's own, kept over restarts so that clients need not learn a new one."""

from __future__ import annotations

from pathlib import Path

import trustme


def ensure_certificates(home: Path) -> tuple[Path, Path]:
    """Makes `ca.pem` and the server's certificate chain with key once; returns their paths."""
    ca_path, server_path = home / "ca.pem", home / "server.pem"
    if not (ca_path.exists() and server_path.exists()):
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1", "localhost")
        authority.cert_pem.write_to_path(str(ca_path))
        server_path.touch(mode=0o600)
        server.private_key_and_cert_chain_pem.write_to_path(str(server_path))
    return ca_path, server_path
