"""Row to message."""

from collections.abc import Iterable

from heliograph.twoway.v1 import origination_pb2, sender_id_pb2
from mesh.aip import etags

from twoway import clock, names
from twoway.tables import SenderIdRow


def sender_id(row: SenderIdRow, pools: Iterable[str]) -> sender_id_pb2.SenderId:
    """A sender id as clients read it."""
    return sender_id_pb2.SenderId(
        name=names.sender_id(row.application, row.sender_id),
        sender_id=row.sender_id.partition("-")[2],
        country_code=row.country_code,
        message_types=[origination_pb2.MessageType.Value(one) for one in row.message_types],
        opt_out_list=names.opt_out_list(row.application, row.opt_out_list),
        pools=[names.pool(row.application, pool) for pool in pools],
        deletion_protection_enabled=row.deletion_protection_enabled,
        create_time=clock.stamp(row.create_time),
        update_time=clock.stamp(row.update_time),
        etag=etags.render(row.revision),
    )
