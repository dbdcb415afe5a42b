"""Where files of opt-out lists come from and go to: folders and stores that the operator opened."""

import asyncio
from typing import Final

from mesh.objects import sources, targets
from mesh.objects.opening import Objects
from mesh.objects.sources import FileFacts

FOLDER: Final = "file:"
"""How an address below an application's folder begins."""


class Places:
    """The folders, and the stores behind `objects`."""

    def __init__(
        self, objects: Objects | None = None, *, import_folder: str = "", export_folder: str = ""
    ) -> None:
        self.objects = objects or Objects()
        self._import_folder = import_folder
        self._export_folder = export_folder

    async def source(self, application: str, uri: str) -> FileFacts:
        """The file of an address; refuses one that is not open, or cannot be read now."""
        if not uri.startswith(FOLDER):
            return await sources.find_object(self.objects, application, uri)
        path = uri.removeprefix(FOLDER).lstrip("/")
        found = await asyncio.to_thread(sources.find, self._import_folder, application, path)
        return found._replace(name=uri)

    async def target(self, application: str, uri: str) -> str:
        """The folder of an address, made if need be; refuses one that is not open, or in which
        something is."""
        if not uri.startswith(FOLDER):
            return await targets.find_objects(self.objects, application, uri)
        path = uri.removeprefix(FOLDER).lstrip("/")
        return str(await asyncio.to_thread(targets.find, self._export_folder, application, path))
