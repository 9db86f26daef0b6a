"""A portal's front door and a mail server, as far as a doctor looks at them."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import trustme


@contextmanager
def front_door(certificate: trustme.LeafCert, status: int = 200) -> Iterator[str]:
    """Serves https at localhost with that certificate; each page answers with the status."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _running(server):
        yield f"https://localhost:{server.server_port}/"


@contextmanager
def mail_server(greeting: bytes = b"220 ready\r\n") -> Iterator[int]:
    """Greets, and takes whatever it is told."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(greeting)
            for line in self.rfile:
                self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
    server.daemon_threads = True
    with _running(server):
        yield server.server_address[1]


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join(5)


def authority(folder: Path) -> trustme.CA:
    """One whose certificate lies in the folder's `ca.pem`."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(folder / "ca.pem"))
    return made
