"""What a channel must be told to reach the peers, in the words of messaging's Channel."""

import json
from pathlib import Path
from typing import Any

from localmesh.peers.control import LOOPBACK
from localmesh.peers.running import PeerProcess

PEERS = ("carrier", "mailbox", "fcm")


def of_peers(peers: dict[str, PeerProcess]) -> dict[str, dict[str, Any]]:
    """Provider settings by the field of Channel.provider."""
    fcm_url = f"https://{LOOPBACK}:{peers['fcm'].ports['https']}"
    account_file = peers["fcm"].data_dir / "service_account.json"
    return {
        "smpp": {
            "host": LOOPBACK,
            "port": peers["carrier"].ports["smpp"],
            "system_id": "heliograph",
            "password": "secret",
        },
        "smtp": {
            "host": LOOPBACK,
            "port": peers["mailbox"].ports["smtp"],
            "security": "STARTTLS",
        },
        "fcm": {
            "project_id": _project(account_file),
            "service_account_json": account_file.read_text(),
            "base_url": fcm_url,
            "token_url": f"{fcm_url}/token",
        },
    }


def _project(account_file: Path) -> str:
    return str(json.loads(account_file.read_text())["project_id"])
