"""Texts answered a second, from the carrier's deliver_sm to our submit_sm, over SMPP.

Each phone writes once: STOP, HELP, a keyword or START, and each is understood, stored with what
follows from it (half of them change consent), and answered through messaging. The clocks are those
of the carrier's journal. The yardstick is the same carrier with an SMPP session that answers each
text where it reads it. How long an answer takes is measured at half the rate that was reached.
"""

from heliograph.twoway.v1.keyword_pb2 import Keyword
from heliograph.twoway.v1.keyword_service_pb2 import CreateKeywordRequest

from localmesh.bench.conversing import Carrying, Phones
from localmesh.bench.costs import Costs
from localmesh.bench.phones_alone import echo_rate
from localmesh.bench.rounds import Round, middle_of
from localmesh.bench.stage import NUMBER, PARENT, Stage

REPLY = "Welcome to the Sample Shop. Reply STOP to leave."
TEXTS = 10_000
ROUNDS = 3
WARMING = 500
RATE_MIN = 2_000
A_CORE_MIN = 1_000
"""The same where other programs have a part of two cores: what all processes compute for a text,
the carrier and the bench among them."""
P99_MILLISECONDS_MAX = 300


async def measure(stage: Stage) -> None:
    """As fast as it goes, and then at half of that."""
    await _create_keyword(stage)
    carrying = Carrying(stage.mesh.peer("carrier"))
    smpp = stage.mesh.description.providers["smpp"]
    costs = Costs(stage.pids)
    written = WARMING
    await carrying.round_trips(Phones(0, WARMING), NUMBER)

    def fresh(count: int) -> Phones:
        nonlocal written
        written += count
        return Phones(written - count, count)

    async def one(_: int) -> Round:
        yardstick = await echo_rate(carrying, smpp, fresh(TEXTS), REPLY)
        with costs.paying(TEXTS):
            return Round((await carrying.round_trips(fresh(TEXTS), NUMBER)).rate, yardstick)

    middle = await middle_of(ROUNDS, one)
    stage.note("the carrier answered by a bare session", middle.yardstick, "texts/s")
    stage.note("texts answered over SMPP", middle.rate, "texts/s", limit=RATE_MIN, process="twoway")
    everybody = 1e6 / sum(costs.microseconds().values())
    stage.note("  for each core of everybody", everybody, "texts/s", limit=A_CORE_MIN)
    stage.note(
        "  of what the bare session answers", middle.rate, "texts/s", yardstick=middle.yardstick
    )
    half = await carrying.round_trips(fresh(TEXTS), NUMBER, middle.rate / 2)
    stage.note("  at half of it, an answer takes", half.milliseconds(0.5), "ms (p50)")
    stage.note(
        "  at half of it, an answer takes",
        half.milliseconds(0.99),
        "ms (p99)",
        limit=P99_MILLISECONDS_MAX,
        is_ceiling=True,
    )
    stage.note_costs(costs, "text")


async def _create_keyword(stage: Stage) -> None:
    await stage.client.keywords.CreateKeyword(
        CreateKeywordRequest(
            parent=f"{PARENT}/phoneNumbers/{NUMBER}",
            keyword=Keyword(keyword="JOIN", action=Keyword.AUTOMATIC_RESPONSE, reply_text=REPLY),
        )
    )
