"""Logs, traces and metrics, configured once by `setup` and by nobody else."""

from mesh.telemetry.setup import TelemetrySettings, setup

__all__ = ["TelemetrySettings", "setup"]
