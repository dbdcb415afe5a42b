"""Rows as the messages clients read. Pure."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.messaging.v1.channel_pb2 import Channel
from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.suppression_pb2 import Suppression
from heliograph.messaging.v1.template_pb2 import Template, TemplateContent, TemplateVersion
from mesh.aip import etags

from messaging import names
from messaging.ledger.rows import Row, run_name
from messaging.tables import ChannelRow, SuppressionRow, TemplateRow, TemplateVersionRow


def message(row: Row) -> Message:
    """A message of the ledger."""
    endpoint = names.ENDPOINT.format(application=row.application, endpoint=row.endpoint_id)
    return Message(
        name=names.MESSAGE.format(application=row.application, message=row.message_id),
        endpoint=endpoint if row.endpoint_id else "",
        run=run_name(row.application, row.run),
        treatment=row.treatment,
        channel_type=row.channel_type,  # type: ignore[arg-type]  # stored as its number
        address=row.address,
        purpose=Purpose.ValueType(row.purpose),
        state=row.state,
        reason=row.reason,
        detail=row.detail,
        provider_message_id=row.provider_message_id,
        origination_identity=row.origination,
        parts=row.parts,
        create_time=timestamp(row.create_time),
        update_time=timestamp(row.update_time),
        user_id=row.user_id,
        context=row.context,
        send_time=timestamp(row.sent_time) if row.sent_time else None,
    )


def channel(row: ChannelRow) -> Channel:
    """A channel; its secrets are not in what is stored of it in clear."""
    rendered = Channel.FromString(row.config)
    rendered.name = names.CHANNEL.format(application=row.application, channel=row.id)
    rendered.enabled = row.enabled
    rendered.create_time.CopyFrom(timestamp(row.create_time))
    rendered.update_time.CopyFrom(timestamp(row.update_time))
    rendered.etag = etags.render(row.revision)
    return rendered


def template(row: TemplateRow, version: TemplateVersionRow) -> Template:
    """A template with the content of one of its versions."""
    return Template(
        name=names.TEMPLATE.format(application=row.application, template=row.id),
        content=TemplateContent.FromString(version.content),
        description=row.description,
        tags=row.tags,
        active_version=row.active_version,
        latest_version=row.latest_version,
        create_time=timestamp(row.create_time),
        update_time=timestamp(row.update_time),
        etag=etags.render(row.revision),
    )


def template_version(row: TemplateVersionRow, active_version: int) -> TemplateVersion:
    """One version of a template."""
    return TemplateVersion(
        name=names.TEMPLATE_VERSION.format(
            application=row.application, template=row.template_id, version=row.version
        ),
        content=TemplateContent.FromString(row.content),
        description=row.description,
        active=row.version == active_version,
        create_time=timestamp(row.create_time),
        update_time=timestamp(row.update_time),
    )


def suppression(row: SuppressionRow) -> Suppression:
    """An entry of the suppression list."""
    return Suppression(
        name=names.SUPPRESSION.format(application=row.application, suppression=row.id),
        address=row.address,
        channel_type=row.channel_type,  # type: ignore[arg-type]  # stored as its number
        cause=Suppression.Cause.ValueType(row.cause),
        note=row.note,
        source_message=row.source_message,
        create_time=timestamp(row.create_time),
        expire_time=timestamp(row.expire_time) if row.expire_time else None,
    )


def timestamp(time: datetime) -> Timestamp:
    """A point in time."""
    rendered = Timestamp()
    rendered.FromDatetime(time)
    return rendered
