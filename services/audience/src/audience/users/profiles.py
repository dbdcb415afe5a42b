"""A user's attributes, and the rule by which a write changes them."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from mesh.errors.refusals import invalid

from audience.endpoints.checks import ATTRIBUTES_MAX
from audience.endpoints.patches import Checked
from audience.endpoints.records import Record, json_text, refuse_large
from audience.endpoints.states import Attributes


class Profile(msgspec.Struct, gc=False):
    """What is stored of one user."""

    user_id: str
    attributes: Attributes
    create_time: datetime
    update_time: datetime
    revision: int


def merge(
    profile: Profile | None,
    user_id: str,
    supplied: Mapping[str, list[str]],
    now: datetime,
    *,
    replaced: bool = False,
) -> Profile:
    """The user after the write: each supplied attribute replaces its list, an empty one goes."""
    stored = {} if profile is None or replaced else profile.attributes
    attributes = {**stored, **supplied} if stored else _unshared(supplied)
    if not all(attributes.values()):
        attributes = {name: values for name, values in attributes.items() if values}
    if len(attributes) > ATTRIBUTES_MAX:
        description = f"more than {ATTRIBUTES_MAX} attributes"
        raise invalid("ATTRIBUTES_TOO_MANY", "user.attributes", description)
    return Profile(
        user_id=user_id,
        attributes=attributes,
        create_time=profile.create_time if profile else now,
        update_time=now,
        revision=profile.revision + 1 if profile else 1,
    )


def _unshared(supplied: Mapping[str, list[str]]) -> Attributes:
    """The map itself if nobody changes it, else a copy."""
    return supplied if isinstance(supplied, Checked) else dict(supplied)


def record(application: str, profile: Profile) -> Record:
    """The row of a user; refuses one that is too large or cannot be stored."""
    attributes = json_text("user.attributes", profile.attributes)
    refuse_large("user.attributes", attributes)
    return (
        application,
        profile.user_id,
        attributes,
        profile.create_time,
        profile.update_time,
        profile.revision,
    )
