"""What the mail server answers to each command, and what it writes into the journal."""

import asyncio
from collections import Counter
from fnmatch import fnmatchcase

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from localmesh.peers.control import Control
from localmesh.peers.mailbox.behaviour import MailboxBehaviour
from localmesh.peers.mailbox.reading import read_mail

_UNKNOWN_RECIPIENT = "550 5.1.1 There is nobody of this name"
_LATER = "451 4.7.1 Try again later"
_LOGIN_NEEDED = "530 5.7.0 Authentication required"
_ACCEPTED = "250 2.0.0 Accepted"


class MailboxHandler:
    """Journal: `accepted` mails; `refused` and `deferred` recipients and mails, with `answer`."""

    def __init__(self, control: Control[MailboxBehaviour]) -> None:
        self._control = control
        self._attempts: Counter[str] = Counter()

    def authenticate(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        mechanism: str,
        credentials: object,
    ) -> AuthResult:
        """Compares with the name and password of the behaviour."""
        behaviour = self._control.behaviour
        if not isinstance(credentials, LoginPassword):
            return AuthResult(success=False, handled=False)
        wanted = (behaviour.username.encode(), behaviour.password.encode())
        known = (credentials.login, credentials.password) == wanted
        return AuthResult(success=known, handled=False)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """MAIL FROM."""
        if self._control.behaviour.username and not session.authenticated:
            return _LOGIN_NEEDED
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """RCPT TO."""
        answer = self._answer_to(address)
        if answer is not None:
            self._write_refusal(answer, envelope, [address])
            return answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The content has arrived."""
        behaviour = self._control.behaviour
        if self._count_down("fail_next"):
            self._write_refusal(behaviour.fail_with, envelope, envelope.rcpt_tos)
            return behaviour.fail_with
        await asyncio.sleep(behaviour.answer_delay_seconds)
        self._write_accepted(session, envelope)
        if self._count_down("lose_answers"):
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            raise ConnectionResetError
        return _ACCEPTED

    def _answer_to(self, recipient: str) -> str | None:
        behaviour = self._control.behaviour
        address = recipient.lower()
        if any(fnmatchcase(address, pattern.lower()) for pattern in behaviour.refuse):
            return _UNKNOWN_RECIPIENT
        if any(fnmatchcase(address, pattern.lower()) for pattern in behaviour.defer):
            return _LATER
        if behaviour.defer_first:
            self._attempts[address] += 1
            if self._attempts[address] <= behaviour.defer_first:
                return _LATER
        return None

    def _write_accepted(self, session: Session, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        self._control.journal.append(
            "accepted",
            mail_from=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            secured=session.ssl is not None,
            size=len(content),
            **read_mail(content),
        )

    def _write_refusal(self, answer: str, envelope: Envelope, recipients: list[str]) -> None:
        kind = "refused" if answer.startswith("5") else "deferred"
        self._control.journal.append(
            kind, answer=answer, mail_from=envelope.mail_from, recipients=recipients
        )

    def _count_down(self, field: str) -> bool:
        behaviour = self._control.behaviour
        left = getattr(behaviour, field)
        if left == 0:
            return False
        self._control.behaviour = behaviour.model_copy(update={field: left - 1})
        return True
