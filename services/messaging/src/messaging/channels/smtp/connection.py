"""One connection to a mail server, kept for many mails."""

import asyncio
from dataclasses import dataclass

import aiosmtplib

from messaging.channels.outcomes import Later, Outcome, Refused, Sent, Unknown
from messaging.channels.smtp import answers
from messaging.channels.smtp.configuration import (
    COMMAND_TIMEOUT_SECONDS,
    IDLE_SECONDS_MAX,
    Configuration,
)

_ATTEMPTS = 2
_RETRY_SECONDS = 1.0
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Mail:
    """An envelope and what is in it; `reference` comes back in Sent."""

    sender: str
    recipient: str
    octets: bytes
    reference: str
    needs_utf8: bool = False
    """Whether an address has characters that only SMTPUTF8 (RFC 6531) can carry."""


class Connection:
    """Sends one mail at a time; connects when it has to."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._client: aiosmtplib.SMTP | None = None
        self._used_seconds = 0.0
        self.failure = ""
        """Why there was no connection the last time one was wanted; empty when there was."""

    async def connect(self) -> bool:
        """Whether there is a connection, an old one or a new one."""
        if self._is_fresh():
            return True
        await self.close()
        try:
            self._client = await self._connected()
        except (aiosmtplib.SMTPException, OSError) as error:
            self.failure = str(error) or type(error).__name__
            return False
        self.failure = ""
        return True

    async def deliver(self, mail: Mail) -> Outcome:
        """Sends a mail. A connection that the server has closed meanwhile is made once more."""
        for _ in range(_ATTEMPTS):
            outcome = await self._deliver(mail)
            if outcome is not None:
                return outcome
        return _not_taken("the mail server closes connections at once")

    async def close(self) -> None:
        """Says goodbye, and does not wait long for the answer."""
        client, self._client = self._client, None
        if client is None or not client.is_connected:
            return
        try:
            await client.quit(timeout=_CLOSE_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            client.close()

    def drop(self) -> None:
        """Ends the connection at once."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _deliver(self, mail: Mail) -> Outcome | None:
        """None when the connection was gone before the server had heard of the mail."""
        if not await self.connect() or self._client is None:
            return _not_taken(self.failure)
        client = self._client
        try:
            refusal = await self._envelope(client, mail)
            if refusal is None:
                return await self._content(client, mail)
        except aiosmtplib.SMTPServerDisconnected:
            self.drop()
            return None
        except (aiosmtplib.SMTPTimeoutError, OSError) as error:
            self.drop()
            return _not_taken(str(error))
        return refusal

    async def _envelope(self, client: aiosmtplib.SMTP, mail: Mail) -> Outcome | None:
        """None when sender and recipient were accepted."""
        utf8 = mail.needs_utf8
        if utf8 and not client.supports_extension("smtputf8"):
            return answers.refusal(553, "5.6.7 the mail server cannot carry this address")
        encoding = "utf-8" if utf8 else "ascii"
        options = ["SMTPUTF8"] if utf8 else []
        try:
            await client.mail(mail.sender, options=options, encoding=encoding)
            await client.rcpt(mail.recipient, encoding=encoding)
        except aiosmtplib.SMTPResponseException as error:
            return await self._refused(client, error)
        return None

    async def _content(self, client: aiosmtplib.SMTP, mail: Mail) -> Outcome:
        """Once the content is on its way, only an answer tells what became of it."""
        try:
            await client.data(mail.octets)
        except aiosmtplib.SMTPResponseException as error:
            return await self._refused(client, error)
        except (aiosmtplib.SMTPException, OSError) as error:
            self.drop()
            return Unknown(str(error) or "the mail server did not answer")
        self._used_seconds = asyncio.get_running_loop().time()
        return Sent(mail.reference)

    async def _refused(
        self, client: aiosmtplib.SMTP, error: aiosmtplib.SMTPResponseException
    ) -> Later | Refused:
        if answers.closes(error.code):
            self.drop()
        else:
            await self._reset(client)
        return answers.refusal(error.code, error.message)

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        """Clears the envelope for the next mail."""
        try:
            await client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self.drop()

    async def _connected(self) -> aiosmtplib.SMTP:
        configuration = self._configuration
        client = aiosmtplib.SMTP(
            hostname=configuration.host,
            port=configuration.port,
            username=configuration.username or None,
            password=configuration.password or None,
            local_hostname=configuration.local_hostname,
            timeout=COMMAND_TIMEOUT_SECONDS,
            use_tls=configuration.use_tls,
            start_tls=configuration.start_tls,
            tls_context=configuration.tls,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        self._used_seconds = asyncio.get_running_loop().time()
        return client

    def _is_fresh(self) -> bool:
        if self._client is None or not self._client.is_connected:
            return False
        return asyncio.get_running_loop().time() - self._used_seconds < IDLE_SECONDS_MAX


def _not_taken(words: str) -> Later:
    return Later(_RETRY_SECONDS, words)
