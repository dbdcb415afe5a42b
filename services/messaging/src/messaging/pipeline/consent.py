"""Asking twoway who must not be written to. Without an answer nothing is sent."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from heliograph.twoway.v1.opt_out_service_pb2 import CheckConsentRequest

from messaging.ledger.rows import Row

if TYPE_CHECKING:
    from heliograph.twoway.v1.opt_out_service_pb2_grpc import OptOutServiceAsyncStub

TIMEOUT_SECONDS = 5.0


class Consent:
    """The opt-out lists, as far as sending needs them."""

    def __init__(self, opt_outs: "OptOutServiceAsyncStub") -> None:
        self._opt_outs = opt_outs

    async def refusing(self, rows: Sequence[Row]) -> set[UUID]:
        """The ids of messages whose recipients have opted out; one call for each origination.

        They are messages that need consent (`asks_consent`), and must be `HANDING`, and committed,
        before this is asked: then whoever confirms an
        opt-out later either sees the row and waits for it, or has been seen here. Raises what the
        call raises, and then nothing may be sent.
        """
        groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            groups[row.application, row.origination].append(row)
        refusing: set[UUID] = set()
        for (application, origination), group in groups.items():
            refused = await self._refused(application, origination, group)
            refusing.update(row.message_id for row in group if row.address in refused)
        return refusing

    async def _refused(self, application: str, origination: str, rows: list[Row]) -> set[str]:
        answer = await self._opt_outs.CheckConsent(
            CheckConsentRequest(
                parent=f"applications/{application}",
                origination_identity=origination,
                destination_addresses=[row.address for row in rows],
            ),
            timeout=TIMEOUT_SECONDS,
        )
        return set(answer.opted_out_addresses)
