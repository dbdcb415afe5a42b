"""SMPP 3.4, both sides: a fast codec and sessions that acknowledge only what was persisted."""

from mesh.smpp.esme import Carrier, Esme, probe
from mesh.smpp.failures import (
    BindRefusedError,
    BindUnansweredError,
    LinkError,
    LinkLostError,
    UnreachableError,
)
from mesh.smpp.inbox import Reply
from mesh.smpp.limits import Limits
from mesh.smpp.pdu import Bind, Command, DeliverSm, EsmClass, SubmitSm, Ton
from mesh.smpp.receipts import MessageState, Receipt
from mesh.smpp.session import Session
from mesh.smpp.smsc import Smsc
from mesh.smpp.status import Status
from mesh.smpp.tlv import FieldError, Tag
from mesh.smpp.window import Answer, Outcome

__all__ = [
    "Answer",
    "Bind",
    "BindRefusedError",
    "BindUnansweredError",
    "Carrier",
    "Command",
    "DeliverSm",
    "EsmClass",
    "Esme",
    "FieldError",
    "Limits",
    "LinkError",
    "LinkLostError",
    "MessageState",
    "Outcome",
    "Receipt",
    "Reply",
    "Session",
    "Smsc",
    "Status",
    "SubmitSm",
    "Tag",
    "Ton",
    "UnreachableError",
    "probe",
]
