"""All drivers, by the name of their field in `Channel.provider`."""

from messaging.channels.channel import DriverFactory

DRIVERS: dict[str, DriverFactory] = {}
