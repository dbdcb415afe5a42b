"""Settings of a service that takes files in and puts files out."""

from typing import Annotated

from mesh.objects.places import ObjectPlace, refuse_overlaps
from mesh.service import ServiceSettings
from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict


class FileSettings(ServiceSettings):
    """Which folders and stores are open to applications."""

    # A place that is wrong is not shown: it may hold credentials.
    model_config = SettingsConfigDict(hide_input_in_errors=True)

    import_folder: str = Field(
        default="",
        description="Folder of files to import, one subfolder an application; empty: none is open.",
    )
    export_folder: str = Field(
        default="",
        description="Folder for exported files, one subfolder an application; empty: none is open.",
    )
    object_stores: Annotated[tuple[ObjectPlace, ...], AfterValidator(refuse_overlaps)] = Field(
        default=(),
        description="Open places in object stores, as a JSON list; see the README of audience.",
    )
