"""Who texts come from where only a pool is named, or nothing: twoway chooses, once for a chunk.

It is asked before anything is marked, and so before consent, which is asked on the list of what was
chosen. The choice is the same each time, so that a batch that comes again says the same.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.twoway.v1 import origination_pb2
from heliograph.twoway.v1 import pool_service_pb2 as pb
from mesh.errors import Error
from mesh.eventing.consumer import Later

from messaging.pipeline import decisions
from messaging.pipeline.works import Work
from messaging.purposes import PROMOTIONS

if TYPE_CHECKING:
    from heliograph.twoway.v1.pool_service_pb2_grpc import PoolServiceAsyncStub

TIMEOUT_SECONDS = 5.0
RETRY_SECONDS = 1.0

REFUSALS = frozenset({"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"})
"""Codes by which twoway says that there is no such pool, or that it is somebody else's."""


class Originating:
    """The numbers and sender ids, as far as sending needs them."""

    def __init__(self, pools: "PoolServiceAsyncStub") -> None:
        self._pools = pools

    async def choose(self, application: str, works: Sequence[Work]) -> None:
        """Gives each text the identity that it comes from, or skips it where none fits.

        Raises Later when twoway does not answer.
        """
        groups: dict[tuple[str, bool], list[Work]] = defaultdict(list)
        for work in works:
            is_text = work.row.channel_type == ChannelType.SMS and work.rendered is not None
            if is_text and decisions.is_to_be_chosen(work.row.origination):
                groups[work.row.origination, work.row.purpose in PROMOTIONS].append(work)
        for (pool, promotes), group in groups.items():
            request = _request(application, pool, group, promotes=promotes)
            await self._choose(request, group)

    async def _choose(
        self, request: pb.BatchSelectOriginationIdentitiesRequest, works: Sequence[Work]
    ) -> None:
        try:
            answer = await self._pools.BatchSelectOriginationIdentities(
                request, timeout=TIMEOUT_SECONDS
            )
        except Error as error:
            if error.code not in REFUSALS:
                raise Later(RETRY_SECONDS, "twoway does not choose now") from error
            for work in works:
                work.skip(Reason.NO_ORIGINATION_IDENTITY, str(error))
            return
        if not request.pool and not answer.candidate_count:
            # Who has registered nothing leaves it to the carrier.
            return
        for work, chosen in zip(works, answer.selections, strict=True):
            if chosen.origination_identity:
                work.row.origination = decisions.identity(chosen.origination_identity)
            else:
                work.skip(Reason.NO_ORIGINATION_IDENTITY, chosen.explanation)


def _request(
    application: str, pool: str, works: Sequence[Work], *, promotes: bool
) -> pb.BatchSelectOriginationIdentitiesRequest:
    """The question. A pool is named for what it carries; of all identities only those count that
    are registered for such messages."""
    kind = origination_pb2.MESSAGE_TYPE_UNSPECIFIED
    if not pool:
        kind = origination_pb2.PROMOTIONAL if promotes else origination_pb2.TRANSACTIONAL
    return pb.BatchSelectOriginationIdentitiesRequest(
        parent=f"applications/{application}",
        destination_addresses=[work.row.address for work in works],
        pool=pool,
        message_type=kind,
    )
