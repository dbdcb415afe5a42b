"""All drivers, by the name of their field in `Channel.provider`."""

from messaging.channels.channel import DriverFactory
from messaging.channels.smpp.driver import SmppDriver

DRIVERS: dict[str, DriverFactory] = {
    "smpp": SmppDriver,
}
