"""A service as a process: its settings, its commands, its wiring, its end."""

from mesh.service.commands import main
from mesh.service.lifetimes import background
from mesh.service.settings import ServiceSettings

__all__ = ["ServiceSettings", "background", "main"]
