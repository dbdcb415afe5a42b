"""What differs between the two sides of a session."""

from collections.abc import Callable
from dataclasses import dataclass

from mesh.smpp.pdu import Bind, Command, DeliverSmResp, SubmitSmResp
from mesh.smpp.status import Status


@dataclass(frozen=True, slots=True)
class Role:
    """Which requests a side serves, and how it says that it cannot now.

    `authenticate` decides on a bind; the side that binds has none.
    """

    serves: Command
    allowed_binds: frozenset[Command]
    response: type[SubmitSmResp] | type[DeliverSmResp]
    busy: Status
    failed: Status
    system_id: str = ""
    authenticate: Callable[[Bind], Status] | None = None


ESME = Role(
    serves=Command.DELIVER_SM,
    allowed_binds=frozenset({Command.BIND_TRANSCEIVER, Command.BIND_RECEIVER}),
    response=DeliverSmResp,
    busy=Status.ESME_RX_T_APPN,
    failed=Status.ESME_RX_T_APPN,
)
"""The client takes deliver_sm; ESME_RX_T_APPN makes the carrier send it again."""


def smsc(system_id: str, authenticate: Callable[[Bind], Status]) -> Role:
    """The server takes submit_sm from whoever is bound to send."""
    return Role(
        serves=Command.SUBMIT_SM,
        allowed_binds=frozenset({Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER}),
        response=SubmitSmResp,
        busy=Status.ESME_RMSGQFUL,
        failed=Status.ESME_RSYSERR,
        system_id=system_id,
        authenticate=authenticate,
    )
