"""What the demo acts in: the mesh through the public client, the peers by their doors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heliograph.client import Client

from localmesh.demo.account import Account
from localmesh.peers.remote import RemotePeer
from localmesh.sample.people import Person

APP = "demo"
PARENT = f"applications/{APP}"
NUMBER = "+12125550100"
"""The number that the demo sends from and people answer to."""
CONFIRMATION = "You have been unsubscribed from Sample Shop and will get no more messages."
WELCOME_BACK = "Welcome back to Sample Shop. Reply STOP to leave again."
HELP_TEXT = "Sample Shop: help at shop.example.com. Reply STOP to leave."
KEYWORD = "JOIN"
KEYWORD_REPLY = "You joined the Sample Shop raffle. Good luck!"


@dataclass
class World:
    """Everything a step of the demo needs."""

    mesh: Client
    carrier: RemotePeer
    mailbox: RemotePeer
    fcm: RemotePeer
    people: list[Person]
    folder: Path
    account: Account

    async def texts(self, after: int = 0) -> list[dict[str, Any]]:
        """The text messages that the carrier has accepted, in its order."""
        return [entry async for entry in self.carrier.log(after, kind="message")]
