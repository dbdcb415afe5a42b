"""What an endpoint says against a message: each reason alone, all together, and their order."""

from itertools import product

import pytest
from heliograph.audience.v1.channel_type_pb2 import EMAIL, PUSH_APNS_VOIP, PUSH_FCM, SMS
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.contents import reached
from heliograph.messaging.v1.content_pb2 import (
    HELP_REPLY,
    PROMOTIONAL,
    TRANSACTIONAL,
    MessageContent,
)
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.obstacles import obstacles

ANN = "+14155550123"


def named(endpoint, *, purpose=PROMOTIONAL, said=(SMS,), configured=(SMS,), topic=""):
    return [Reason.Name(one) for one in obstacles(endpoint, purpose, said, configured, topic)]


@pytest.mark.parametrize(
    ("fields", "context", "expected"),
    [
        ({}, {}, []),
        ({"status": Endpoint.INACTIVE}, {}, ["ENDPOINT_INACTIVE"]),
        ({"opt_out": Endpoint.ALL}, {}, ["ENDPOINT_OPTED_OUT"]),
        ({"opt_out": Endpoint.ALL}, {"purpose": HELP_REPLY}, []),
        ({"refused_topics": ["news", "sale"]}, {"topic": "sale"}, ["TOPIC_REFUSED"]),
        ({"refused_topics": ["sale"]}, {"topic": "Sale"}, []),
        ({"refused_topics": ["sale"]}, {"topic": "sale "}, []),
        ({"refused_topics": ["sales"]}, {"topic": "sale"}, []),
        ({"refused_topics": ["sale", ""]}, {}, []),
        (
            {"refused_topics": ["sale"]},
            {"topic": "sale", "purpose": TRANSACTIONAL},
            ["TOPIC_REFUSED"],
        ),
        ({"refused_topics": ["sale"]}, {"topic": "sale", "purpose": HELP_REPLY}, []),
        ({}, {"topic": "sale"}, []),
        ({"address": ""}, {}, ["MISSING_ADDRESS"]),
        ({"address": "ann"}, {}, ["INVALID_ADDRESS"]),
        ({}, {"said": (EMAIL,)}, ["CHANNEL_MISMATCH"]),
        ({}, {"configured": ()}, ["CHANNEL_NOT_CONFIGURED"]),
        (
            {
                "status": Endpoint.INACTIVE,
                "opt_out": Endpoint.ALL,
                "refused_topics": ["sale"],
                "address": "ann",
            },
            {"said": (), "configured": (), "topic": "sale"},
            [
                "ENDPOINT_INACTIVE",
                "ENDPOINT_OPTED_OUT",
                "TOPIC_REFUSED",
                "CHANNEL_MISMATCH",
                "INVALID_ADDRESS",
                "CHANNEL_NOT_CONFIGURED",
            ],
        ),
    ],
)
def test_every_obstacle_is_named(fields, context, expected):
    endpoint = Endpoint(**{"channel_type": SMS, "address": ANN, **fields})

    assert named(endpoint, **context) == expected


def test_each_obstacle_is_told_whatever_else_there_is():
    for status, opt_out, said, configured in product(
        (Endpoint.ACTIVE, Endpoint.INACTIVE),
        (Endpoint.NONE, Endpoint.ALL),
        ((SMS,), ()),
        ((SMS,), ()),
    ):
        endpoint = Endpoint(channel_type=SMS, address=ANN, status=status, opt_out=opt_out)

        found = named(endpoint, said=said, configured=configured)

        assert ("ENDPOINT_INACTIVE" in found) == (status == Endpoint.INACTIVE)
        assert ("ENDPOINT_OPTED_OUT" in found) == (opt_out == Endpoint.ALL)
        assert ("CHANNEL_MISMATCH" in found) == (not said)
        assert ("CHANNEL_NOT_CONFIGURED" in found) == (not configured)


def test_a_push_message_reaches_every_kind_of_push_and_nothing_else():
    content = MessageContent()
    content.push.body = "Hello"

    assert {PUSH_FCM, PUSH_APNS_VOIP} <= reached([content])
    assert not {SMS, EMAIL} & reached([content])
