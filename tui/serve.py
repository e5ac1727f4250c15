"""The dashboard in a browser, through textual-serve."""

import ipaddress
import shlex
import socket
import sys

from pipeline.errors import UnrollError


class ServeError(UnrollError):
    """The address can't be served on."""


def serve(host: str, port: int, public_url: str | None) -> None:
    """Serve the dashboard until Ctrl-C, each browser tab with a dashboard of its own.

    Args:
        host: address to listen on; everyone who reaches it can run builds.
        port: TCP port.
        public_url: how browsers reach it, when that is not ``http://host:port``.

    Raises:
        ServeError: the address is not this machine's, or the port is taken.

    """
    _check(host, port)
    from tui.web_server import WebServer  # noqa: PLC0415 - needs a web server, which nothing else does

    if not _is_loopback(host):
        print(f"WARNING: whoever reaches {host}:{port} can run builds and read results here.", file=sys.stderr)  # noqa: T201
    WebServer(
        f"{shlex.quote(sys.executable)} -m tui", host=host, port=port, title="Unroll", public_url=public_url
    ).serve()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check(host: str, port: int) -> None:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError, TypeError) as error:  # TypeError: never a machine's name
        message = (
            f"{host}:{port} can't be served on: {getattr(error, 'strerror', None) or error}; name another with --port"
        )
        raise ServeError(message) from None
