"""The servicers of this room by the names of their services."""

from typing import Any

from google.longrunning import operations_pb2
from heliograph.twoway.v1 import (
    conversation_service_pb2,
    keyword_service_pb2,
    opt_out_alarm_service_pb2,
    opt_out_service_pb2,
    phone_number_service_pb2,
    pool_service_pb2,
    sender_id_service_pb2,
)
from mesh.aip.operations_servicer import OperationsServicer
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway.alarms.servicer import OptOutAlarmServicer
from twoway.consent.servicer import OptOutServicer
from twoway.conversations.conversation_servicer import ConversationServicer
from twoway.keywords.servicer import KeywordServicer
from twoway.phone_numbers.servicer import PhoneNumberServicer
from twoway.places import Places
from twoway.pools.servicer import PoolServicer
from twoway.sender_ids.servicer import SenderIdServicer
from twoway.wakeups import Wakeups
from twoway.webhooks.rules import Webhooks


def services(
    sessions: async_sessionmaker[AsyncSession],
    pool: Any,
    wakeups: Wakeups,
    places: Places | None = None,
    *,
    messaging: Any,
    templates: Any,
    webhooks: Webhooks | None = None,
) -> dict[str, object]:
    """Every service of the contract; one without a servicer answers UNIMPLEMENTED by descriptor."""
    return {
        _name(operations_pb2, "Operations"): OperationsServicer(sessions),
        _name(phone_number_service_pb2, "PhoneNumberService"): PhoneNumberServicer(
            sessions, webhooks
        ),
        _name(keyword_service_pb2, "KeywordService"): KeywordServicer(sessions, templates),
        _name(opt_out_service_pb2, "OptOutService"): OptOutServicer(
            sessions, pool, wakeups, places
        ),
        _name(conversation_service_pb2, "ConversationService"): ConversationServicer(
            sessions, wakeups, pool, messaging
        ),
        _name(pool_service_pb2, "PoolService"): PoolServicer(sessions, webhooks),
        _name(sender_id_service_pb2, "SenderIdService"): SenderIdServicer(sessions),
        _name(opt_out_alarm_service_pb2, "OptOutAlarmService"): OptOutAlarmServicer(sessions),
    }


def _name(module: Any, service: str) -> str:
    full_name: str = module.DESCRIPTOR.services_by_name[service].full_name
    return full_name
