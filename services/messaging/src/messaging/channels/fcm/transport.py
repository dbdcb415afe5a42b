"""HTTP/2 to FCM, and which of its failures leave a message's fate open."""

from mesh import web
from pyreqwest.client import Client
from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError

from messaging.channels.fcm.configuration import REQUEST_SECONDS_MAX

CONNECT_SECONDS_MAX = 10.0

_NO_CONNECTION = "client error (Connect)"


def is_unsent(error: PyreqwestError) -> bool:
    """Whether there was no connection, so that FCM has not heard of the message.

    The class does not tell: ConnectError is raised also when a connection breaks after the request
    has left. The cause does, and whatever has another cause may have arrived.
    """
    details = error.details if isinstance(error, DetailedPyreqwestError) else {"causes": None}
    return any(cause["message"] == _NO_CONNECTION for cause in details["causes"] or [])


def client() -> Client:
    """A client that speaks HTTP/2."""
    return web.builder(REQUEST_SECONDS_MAX, CONNECT_SECONDS_MAX).http2(True).build()
