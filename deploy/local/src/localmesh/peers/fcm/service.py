"""FCM's two calls: an access token for an assertion, and a message for an access token."""

import asyncio
import re
import uuid
from typing import Any
from urllib.parse import parse_qs

from mesh.embedded.http_server import Request, Response

from localmesh.peers.control import Control
from localmesh.peers.fcm import answers
from localmesh.peers.fcm.accounts import GRANT_TYPE, GrantRefusedError, ServiceAccount
from localmesh.peers.fcm.behaviour import ErrorCode, FcmBehaviour
from localmesh.peers.fcm.messages import InvalidMessageError, read_message

_SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
TOKEN_PATH = "/token"


class FcmService:
    """Journal: `accepted`, `refused` (with `code`), `unauthenticated`, `token_issued` and
    `token_refused`."""

    def __init__(self, control: Control[FcmBehaviour], account: ServiceAccount) -> None:
        self._control = control
        self._account = account

    async def answer(self, request: Request) -> Response:
        """The response to any request."""
        if request.method == "POST" and request.path == TOKEN_PATH:
            return self._grant(request)
        send = _SEND.fullmatch(request.path)
        if request.method == "POST" and send:
            return await self._send(request, send.group(1))
        return answers.not_found(request.path)

    def _grant(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        lifetime_seconds = self._behaviour.access_token_seconds
        try:
            if form.get("grant_type") != GRANT_TYPE:
                raise GrantRefusedError(f"grant_type must be {GRANT_TYPE}")
            token = self._account.grant(form.get("assertion", ""), lifetime_seconds)
        except GrantRefusedError as refusal:
            self._control.journal.append("token_refused", words=str(refusal))
            return answers.oauth_error("invalid_grant", str(refusal))
        self._control.journal.append("token_issued", expires_in=lifetime_seconds)
        return answers.ok(
            {"access_token": token, "expires_in": lifetime_seconds, "token_type": "Bearer"}
        )

    async def _send(self, request: Request, project: str) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self._account.knows(token) or project != self._account.project:
            self._control.journal.append("unauthenticated", project=project)
            return answers.unauthenticated()
        try:
            message = read_message(request.body)
        except InvalidMessageError as error:
            self._control.journal.append("refused", code="INVALID_ARGUMENT", words=str(error))
            return answers.invalid(error.field, str(error))
        return await self._decide(message, project)

    async def _decide(self, message: dict[str, Any], project: str) -> Response:
        code = self._error_for(message)
        if code is not None:
            self._control.journal.append("refused", code=code, message=message)
            await asyncio.sleep(self._behaviour.answer_delay_seconds)
            return answers.failure(code, self._behaviour.retry_after_seconds)
        name = f"projects/{project}/messages/{uuid.uuid4()}"
        self._control.journal.append("accepted", name=name, message=message)
        await asyncio.sleep(self._behaviour.answer_delay_seconds)
        if self._count_down("lose_answers"):
            raise ConnectionAbortedError
        return answers.ok({"name": name})

    def _error_for(self, message: dict[str, Any]) -> ErrorCode | None:
        behaviour = self._behaviour
        of_token = behaviour.errors_by_token.get(message.get("token", ""))
        if of_token is not None:
            return of_token
        return behaviour.fail_with if self._count_down("fail_next") else None

    def _count_down(self, field: str) -> bool:
        left = getattr(self._behaviour, field)
        if left == 0:
            return False
        self._control.behaviour = self._behaviour.model_copy(update={field: left - 1})
        return True

    @property
    def _behaviour(self) -> FcmBehaviour:
        return self._control.behaviour
