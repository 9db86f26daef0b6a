"""A certificate authority of the sandbox's own, kept over restarts so that clients need not learn a new one."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


def ensure_certificates(home: Path) -> tuple[Path, Path]:
    """Makes `ca.pem` with its key, and the server's certificate chain with key, once; returns CA and server."""
    ca_path, server_path = home / "ca.pem", home / "server.pem"
    if not all(path.exists() for path in (ca_path, _key_path(home), server_path)):
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(ca_path))
        _write_private(_key_path(home), authority.private_key_pem)
        server = authority.issue_cert("127.0.0.1", "localhost")
        _write_private(server_path, server.private_key_and_cert_chain_pem)
    return ca_path, server_path


def server_context(home: Path, host: str) -> ssl.SSLContext:
    """What a listener on another of the sandbox's addresses shows: a certificate of its own, made for this process."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority(home).issue_cert(host).configure_cert(context)
    return context


def authority(home: Path) -> trustme.CA:
    """The sandbox's own, which the portal's profile trusts."""
    return trustme.CA.from_pem((home / "ca.pem").read_bytes(), _key_path(home).read_bytes())


def _key_path(home: Path) -> Path:
    return home / "ca-key.pem"


def _write_private(path: Path, content: trustme.Blob) -> None:
    path.touch(mode=0o600)
    content.write_to_path(str(path))
