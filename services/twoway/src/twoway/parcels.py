"""Events cut so that each fits on the bus, however long the texts in them are. Pure."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from google.protobuf.message import Message

COUNT_MAX = 500
BYTES_MAX = 512 * 1024
"""Half of what a NATS server takes when nobody configures it."""

Item = TypeVar("Item", bound=Message)


def parcels(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in their order, in lists that are bounded in number and in bytes."""
    parcel: list[Item] = []
    size = 0
    for item in items:
        item_bytes = item.ByteSize()
        if parcel and (len(parcel) == COUNT_MAX or size + item_bytes > BYTES_MAX):
            yield parcel
            parcel, size = [], 0
        parcel.append(item)
        size += item_bytes
    if parcel:
        yield parcel
