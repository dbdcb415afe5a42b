"""The phones behind the carrier: what they are told to say, and what they say by themselves."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count

from mesh.smpp import DeliverSm, EsmClass
from mesh.sms import Concatenation, segment, udh

from localmesh.peers.carrier.addresses import to_wire
from localmesh.peers.carrier.behaviour import Reply
from localmesh.peers.carrier.chance import sticky
from localmesh.peers.carrier.postbox import Item
from localmesh.peers.carrier.saying import Saying


class Phones:
    """Cuts what phones say into messages; remembers how often each has replied to what."""

    def __init__(self) -> None:
        self._references = count(1)
        self._replied: Counter[tuple[int, str]] = Counter()

    def say(self, saying: Saying, account: str) -> list[Item]:
        """Returns the parts of a text to a number of that account, ready for the postbox."""
        segments = segment(saying.text)
        saying.parts = saying.open = len(segments.parts)
        contents: Sequence[bytes] = segments.parts
        if saying.parts > 1:
            reference = next(self._references) & 0xFF
            contents = [
                udh.encode(Concatenation(reference, saying.parts, number)) + part
                for number, part in enumerate(segments.parts, start=1)
            ]
        data_coding = segments.encoding.data_coding
        return [
            Item(_deliver_sm(saying, content, data_coding), saying, account) for content in contents
        ]

    def replies(
        self, rules: Sequence[Reply], seed: int, phone: str, sender: str, text: str
    ) -> Iterator[tuple[Saying, float]]:
        """Yields what a phone says after a text, and after how many seconds."""
        for number, rule in enumerate(rules):
            willing = sticky(seed, "willing", number, phone) < rule.share
            spent = self._replied[number, phone] >= rule.times_max
            if not willing or spent or not rule.text.search(text):
                continue
            self._replied[number, phone] += 1
            choice = int(sticky(seed, "answer", number, phone) * len(rule.answers))
            span = rule.delay_seconds_max - rule.delay_seconds_min
            delay = rule.delay_seconds_min + span * sticky(seed, "delay", number, phone)
            yield Saying(phone, sender, rule.answers[choice]), delay

    def forget_replies(self) -> None:
        """Lets every phone reply again, as when the rules change."""
        self._replied.clear()


def _deliver_sm(saying: Saying, content: bytes, data_coding: int) -> DeliverSm:
    source, destination = to_wire(saying.source), to_wire(saying.destination)
    return DeliverSm(
        source.value,
        destination.value,
        content,
        data_coding,
        EsmClass.UDHI if saying.parts > 1 else 0,
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
    )
