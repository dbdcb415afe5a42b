"""Applications as messages."""

from heliograph.audience.v1 import application_pb2 as pb
from mesh.aip import etags, resource_names

from audience import names
from audience.moments import timestamp
from audience.tables import ApplicationRow


def application(row: ApplicationRow) -> pb.Application:
    """The Application of a row; without settings when none was ever given."""
    return pb.Application(
        name=resource_names.format(names.APPLICATION, application=row.application),
        display_name=row.display_name,
        labels=row.labels,
        settings=pb.ApplicationSettings.FromString(row.settings) if row.settings else None,
        create_time=timestamp(row.create_time),
        update_time=timestamp(row.update_time),
        etag=etags.render(row.revision),
    )
