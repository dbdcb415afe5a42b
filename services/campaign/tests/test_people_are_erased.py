"""An erased person: no run that has ended names their endpoint, and the answer says what stays."""

import asyncio
from datetime import UTC, datetime

from campaign import people
from campaign.tables import CampaignRow, RunRow
from heliograph import subjects
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import UserErased
from mesh.eventing import jetstream, publisher
from mesh.testkit import eventually
from mesh.testkit.bus import last_published
from sqlmodel import select

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def run(name, cursor, end_time=None):
    return RunRow(
        application="demo",
        campaign="spring",
        run=name,
        campaign_version=1,
        schedule_time=NOW,
        start_time=NOW,
        end_time=end_time,
        state="COMPLETED" if end_time else "PAUSED",
        cursor=cursor,
        lease_time=NOW,
    )


async def test_places_in_segments_are_forgotten_once_nobody_needs_them(room):
    async with room.sessions.begin() as session:
        session.add(
            CampaignRow(
                application="demo",
                campaign="spring",
                definition=b"",
                create_time=NOW,
                update_time=NOW,
            )
        )
        await session.flush()
        session.add_all([run("r1", "e1", NOW), run("r2", "e2", NOW), run("r3", "e1")])
    await jetstream.ensure_streams(room.js, subjects.AUDIENCE)
    taking = people.orders_of(room.sessions, room.js)
    working = asyncio.create_task(taking.run())
    told = UserErased(
        application="demo",
        user_id="ann",
        endpoints=["applications/demo/endpoints/e1"],
        operation="applications/demo/operations/o1",
    )
    told.erase_time.FromDatetime(NOW)

    subject = subjects.subject(ErasureReport, "demo")

    async with people.consumer(room.js, taking):
        await publisher.publish(room.js, told, "demo", suffix="o1")
        answer = await eventually(
            lambda: last_published(room.js, subjects.AUDIENCE.name, subject, ErasureReport)
        )
    working.cancel()
    await asyncio.wait([working])

    async with room.sessions() as session:
        rows = (await session.exec(select(RunRow).order_by(RunRow.run))).all()
    assert [row.cursor for row in rows] == ["", "e2", "e1"]
    assert (answer.service, answer.erased_rows["run"]) == ("campaign", 1)
    assert [(one.what, one.rows) for one in answer.kept] == [("run", 1)]
