"""Single `UpdateEndpoint` calls a second, against an empty grpc.aio handler in its own process.

One client makes them from one process, many at a time, about people that are there: an attribute
and a metric change. The empty handler gets the same calls and does nothing. A core is a second that
audience itself computes; the next line counts what everybody computes meanwhile, the client too.
"""

import asyncio
from itertools import count

from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.endpoint_service_pb2 import UpdateEndpointRequest
from heliograph.client import Client

from localmesh.bench.costs import Costs
from localmesh.bench.nobody import answered_by_nobody
from localmesh.bench.rounds import Round, middle_of, stopwatch
from localmesh.bench.stage import PARENT, PEOPLE, Stage

METHOD = "heliograph.audience.v1.EndpointService.UpdateEndpoint"
A_CORE_MIN = 1_000
CALLS = 6_000
ROUNDS = 3
CONCURRENCY = 64
STRIDE = 7
"""Coprime to the people, so that calls that come together are about different ones."""


async def measure(stage: Stage) -> None:
    """First nothing, then an endpoint that is read, merged and stored."""
    await stage.people()
    costs = Costs(stage.pids)

    async def one(number: int) -> Round:
        async with answered_by_nobody(stage.client, "audience", METHOD) as nobody:
            yardstick = await update_rate(nobody, number)
        with costs.paying(CALLS):
            return Round(await update_rate(stage.client, number), yardstick)

    middle = await middle_of(ROUNDS, one)
    stage.note("an empty grpc.aio handler (update)", middle.yardstick, "calls/s")
    stage.note(
        "single endpoint updates",
        middle.rate,
        "updates/s",
        yardstick=middle.yardstick,
        process="audience",
    )
    computing = costs.microseconds()
    stage.note(
        "  for each core of audience",
        1e6 / computing["audience"],
        "updates/s",
        limit=A_CORE_MIN,
    )
    stage.note("  for each core of everybody", 1e6 / sum(computing.values()), "updates/s")
    stage.note_costs(costs, "update")


async def update_rate(client: Client, number: int) -> float:
    """Calls a second; each round writes something else."""
    serials = count()

    async def caller() -> None:
        while (serial := next(serials)) < CALLS:
            await client.endpoints.UpdateEndpoint(_request(number * CALLS + serial))

    with stopwatch() as calling:
        await asyncio.gather(*(caller() for _ in range(CONCURRENCY)))
    return CALLS / calling.seconds


def _request(serial: int) -> UpdateEndpointRequest:
    endpoint = Endpoint(
        name=f"{PARENT}/endpoints/e{serial * STRIDE % PEOPLE:06}", metrics={"visits": serial}
    )
    endpoint.attributes["last_seen"].values.append(f"page {serial}")
    return UpdateEndpointRequest(endpoint=endpoint)
