"""Ids as people type them, as resource names of the contract."""


def application(app: str) -> str:
    """`demo` or `applications/demo` as `applications/demo`."""
    return app if app.startswith("applications/") else f"applications/{app}"


def resource(app: str, collection: str, identity: str) -> str:
    """An id within an application as a resource name; a whole name stays as it is."""
    if identity.startswith("applications/"):
        return identity
    return f"{application(app)}/{collection}/{identity}"
