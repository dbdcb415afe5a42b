"""Ids as people type them, as resource names of the contract."""


def application(app: str) -> str:
    """`demo` or `applications/demo` as `applications/demo`."""
    return app if app.startswith("applications/") else f"applications/{app}"


def resource(app: str, collection: str, identity: str) -> str:
    """An id within an application as a resource name; a whole name stays as it is."""
    if identity.startswith("applications/"):
        return identity
    return f"{application(app)}/{collection}/{identity}"


def is_number(identity: str) -> bool:
    """Whether it is a phone number or a short code, and not a name."""
    return identity.removeprefix("+").isdecimal()


def identity(app: str, text: str) -> str:
    """A number (`+12065550100`, `12345`) or a sender id (`DE-ACME`) as a resource name."""
    return resource(app, "phoneNumbers" if is_number(text) else "senderIds", text)


def keyword_owner(app: str, text: str) -> str:
    """What has keywords, a number or a pool, as a resource name."""
    return resource(app, "phoneNumbers" if is_number(text) else "pools", text)


def optional(app: str, collection: str, identity: str | None) -> str | None:
    """As `resource`; nothing stays nothing, and '' takes a setting back."""
    return resource(app, collection, identity) if identity else identity


def origination(app: str, given: str) -> str:
    """What a text comes from: a number or sender id as it is, `pool:ID` as a pool's name."""
    pool = given.removeprefix("pool:")
    return given if pool == given else resource(app, "pools", pool)
