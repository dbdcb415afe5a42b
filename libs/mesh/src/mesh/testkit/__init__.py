"""Real servers, keys and channels for tests, as a pytest plugin (`mesh.testkit.plugin`)."""

from mesh.testkit.waiting import eventually

__all__ = ["eventually"]
