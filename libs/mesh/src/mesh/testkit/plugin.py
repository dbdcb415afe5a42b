"""The pytest plugin: fixtures for real servers, isolated per test and safe under xdist."""

from mesh.testkit.waiting import eventually

__all__ = ["eventually"]
