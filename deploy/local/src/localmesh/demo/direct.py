"""A transactional push to some of the people."""

from heliograph.messaging.v1 import message_service_pb2 as pb
from heliograph.messaging.v1.content_pb2 import TRANSACTIONAL, MessageContent, PushContent
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.paging import collect

from localmesh.demo import outcomes
from localmesh.demo.receipts import until
from localmesh.demo.world import PARENT, World
from localmesh.sample.people import PUSH

RECIPIENTS = 500


async def push(world: World) -> None:
    """Send a push to five hundred devices by endpoint, and follow it to FCM."""
    chosen = [person for person in world.people if person.channel == PUSH][:RECIPIENTS]
    request = pb.SendMessagesRequest(
        parent=PARENT,
        request_id="demo-push",
        purpose=TRANSACTIONAL,
        content=MessageContent(
            push=PushContent(
                title="Your order is on its way",
                body="Dear {{User.UserAttributes.FirstName.[0]}}, track it in the app.",
                data={"order": "4711"},
            )
        ),
        recipients=[
            pb.Recipient(endpoint=f"{PARENT}/endpoints/{person.endpoint_id}") for person in chosen
        ],
    )
    answer = await world.mesh.messages.SendMessages(request)
    again = await world.mesh.messages.SendMessages(request)
    accepted = {result.message for result in answer.results if not result.error.code}
    tokens = await _arrived(world, len(accepted))
    states = await _states(world, accepted)
    account = world.account
    account.step(
        "Transactional push, sent twice with one request id",
        accepted=len(accepted),
        at_fcm=len(tokens),
        states=states,
    )
    account.twice += len(outcomes.copies(tokens))
    account.expect("accepted pushes", len(accepted), len(chosen))
    account.expect("the answer to the repeated request", list(again.results), list(answer.results))
    account.expect("pushes at FCM", sorted(tokens), sorted(person.address for person in chosen))


async def _arrived(world: World, count: int) -> list[str]:
    async def look() -> list[str]:
        return [entry["message"]["token"] async for entry in world.fcm.log(kind="accepted")]

    return await until(look, lambda seen: len(seen) >= count)


async def _states(world: World, names: set[str]) -> dict[str, int]:
    found = await collect(
        world.mesh.messages.ListMessages,
        pb.ListMessagesRequest(parent=PARENT, page_size=1000),
        "messages",
        limit=2 * RECIPIENTS,
    )
    states: dict[str, int] = {}
    for message in found:
        if message.name in names:
            state = Message.State.Name(message.state)
            states[state] = states.get(state, 0) + 1
    return states
