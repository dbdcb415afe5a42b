"""Users as messages."""

from heliograph.audience.v1 import user_pb2 as pb
from mesh.aip import etags, resource_names

from audience import names
from audience.moments import timestamp
from audience.users.profiles import Profile


def user(application: str, user_id: str, profile: Profile | None, count: int) -> pb.UserProfile:
    """The UserProfile of a user with so many endpoints; without attributes it has no times."""
    message = pb.UserProfile(
        name=resource_names.format(names.USER, application=application, user=user_id),
        endpoint_count=count,
        etag=etags.render(profile.revision if profile else 0),
    )
    if profile is not None:
        for name, values in profile.attributes.items():
            message.attributes[name].values.extend(values)
        message.create_time.CopyFrom(timestamp(profile.create_time))
        message.update_time.CopyFrom(timestamp(profile.update_time))
    return message
