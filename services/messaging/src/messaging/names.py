"""Resource names of messaging, as patterns, and ids out of them."""

from uuid import UUID

from mesh.aip import resource_names

APPLICATION = "applications/{application}"
MESSAGE = "applications/{application}/messages/{message}"
CHANNEL = "applications/{application}/channels/{channel}"
TEMPLATE = "applications/{application}/templates/{template}"
TEMPLATE_VERSION = TEMPLATE + "/versions/{version}"
SUPPRESSION = "applications/{application}/suppressions/{suppression}"
ENDPOINT = "applications/{application}/endpoints/{endpoint}"


def application_of(parent: str) -> str:
    """The application of a parent. INVALID_ARGUMENT for anything else."""
    return resource_names.parse(APPLICATION, parent, field="parent")["application"]


def message_of(name: str, *, field: str = "name") -> tuple[str, UUID]:
    """Application and id of a message. INVALID_ARGUMENT for anything else."""
    ids = resource_names.parse(MESSAGE, name, field=field)
    try:
        return ids["application"], UUID(ids["message"])
    except ValueError:
        raise resource_names.invalid(MESSAGE, name, field) from None


def endpoint_of(application: str, name: str, *, field: str) -> str:
    """Id of an endpoint of that application. INVALID_ARGUMENT for anything else."""
    ids = resource_names.parse(ENDPOINT, name, field=field)
    if ids["application"] != application:
        raise resource_names.invalid(f"applications/{application}/endpoints/*", name, field)
    return ids["endpoint"]


def version_of(name: str, *, field: str = "name") -> tuple[str, str, int]:
    """Application, template and number of a version. INVALID_ARGUMENT for anything else."""
    ids = resource_names.parse(TEMPLATE_VERSION, name, field=field)
    if not (ids["version"].isdecimal() and len(ids["version"]) <= 6):
        raise resource_names.invalid(TEMPLATE_VERSION, name, field)
    return ids["application"], ids["template"], int(ids["version"])
