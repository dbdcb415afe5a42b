"""Direct sends in batches: whole, few, and none that keeps an urgent one waiting."""

from datetime import UTC, datetime, timedelta

from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from hypothesis import given
from hypothesis import strategies as st
from messaging.direct.packing import RECIPIENTS_MAX, Request, pack
from messaging.purposes import PROMOTIONS
from messaging.render import timestamp
from messaging_samples import content, endpoint

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def request(key, purpose, count=1, application="shop", lives_hours=0):
    return Request(
        application=application,
        key=key,
        content=content(f"for {key}"),
        purpose=purpose,
        recipients={i: SendBatch.Recipient(endpoint=endpoint(i)) for i in range(count)},
        expire_time=timestamp(NOW + timedelta(hours=lives_hours)) if lives_hours else None,
    )


def test_answers_of_all_purposes_share_a_batch_and_each_keeps_its_own():
    purposes = [Purpose.OPT_OUT_CONFIRMATION, Purpose.HELP_REPLY, Purpose.TRANSACTIONAL]

    [batch] = pack([request(str(purpose), purpose) for purpose in purposes], NOW)

    assert [treatment.purpose for treatment in batch.treatments] == purposes
    assert [recipient.treatment_index for recipient in batch.recipients] == [0, 1, 2]


def test_nobody_shares_a_batch_with_what_may_wait():
    batches = pack([request("a", Purpose.PROMOTIONAL), request("b", Purpose.HELP_REPLY)], NOW)

    assert [len(batch.recipients) for batch in batches] == [1, 1]


requests = st.lists(
    st.builds(
        request,
        key=st.uuids().map(str),
        purpose=st.sampled_from(Purpose.values()),
        count=st.sampled_from([0, 1, 3, RECIPIENTS_MAX + 1]),
        application=st.sampled_from(["shop", "bank"]),
        lives_hours=st.sampled_from([0, 1, 24]),
    ),
    max_size=6,
)


@given(requests)
def test_every_recipient_is_in_one_batch_of_its_request_as_the_request_said(packed):
    found = {}
    for batch in pack(packed, NOW):
        promote = {treatment.purpose in PROMOTIONS for treatment in batch.treatments}
        assert len(promote) == 1
        assert 0 < len(batch.recipients) <= RECIPIENTS_MAX
        for recipient in batch.recipients:
            said = batch.treatments[recipient.treatment_index]
            assert recipient.key not in found
            found[recipient.key] = (batch, said)

    assert len(found) == sum(len(one.recipients) for one in packed)
    for one in packed:
        for index in one.recipients:
            batch, said = found[f"{one.key}/{index}"]
            assert batch.batch_id in one.batch_ids
            assert (batch.application, said.purpose) == (one.application, one.purpose)
            assert said.content == one.content
            expires = batch.expire_time if batch.HasField("expire_time") else None
            assert expires == one.expire_time
