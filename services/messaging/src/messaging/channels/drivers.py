"""All drivers, by the name of their field in `Channel.provider`."""

from messaging.channels.channel import DriverFactory
from messaging.channels.fcm.driver import FcmDriver
from messaging.channels.smpp.driver import SmppDriver
from messaging.channels.smtp.driver import SmtpDriver

DRIVERS: dict[str, DriverFactory] = {
    "fcm": FcmDriver,
    "smpp": SmppDriver,
    "smtp": SmtpDriver,
}
