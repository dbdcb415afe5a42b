"""Makes the keys, passwords and tokens of a mesh, as files of variables for containers.

`python deploy/make_secrets.py FOLDER` writes what is missing and keeps what is there, so that a
line may be edited (the address of a managed database) or deleted (to have it made anew).
"""

import argparse
import base64
import os
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from localmesh.environment import EVENT_DATABASE, SERVICES
from localmesh.keys import Keys
from localmesh.tokens import mint_with

PASSWORD_BYTES = 24
KEY_BYTES = 32
HOST_PORTS = {service: 7001 + number for number, service in enumerate(SERVICES)}
"""Where the containers of compose.yaml are reached on this machine."""

Variables = Mapping[str, Callable[[], str]]


def make(folder: Path, token_days: float) -> None:
    """Fill `folder`: keys/, a file for each server, each service, the whole mesh and its users."""
    keys = Keys(folder / "keys")
    hours = 24 * token_days

    def token(subject: str, role: str) -> Callable[[], str]:
        return lambda: mint_with(keys, ["*"], role, subject, hours)

    passwords = _servers(folder)
    fill(
        folder / "mesh.env",
        {
            "HELIOGRAPH_AUTH_PUBLIC_KEY": lambda: _public(keys),
            "HELIOGRAPH_NATS_URL": lambda: f"nats://mesh:{passwords['NATS_PASSWORD']}@nats:4222",
        },
    )
    for service in SERVICES:
        own = {
            "HELIOGRAPH_DATABASE_URL": _database(service, passwords),
            "HELIOGRAPH_SERVICE_TOKEN": token(service, "service"),
            **_of_its_own(service, keys, passwords),
        }
        fill(folder / f"{service}.env", own)
    fill(folder / "client.env", {"HELIOGRAPH_TOKEN": token("operator", "admin"), **_addresses()})


def fill(path: Path, variables: Variables) -> dict[str, str]:
    """The variables in the file, after those that it lacks were made and added."""
    known = _read(path)
    made = {name: make() for name, make in variables.items() if name not in known}
    if made:
        _write(path, known | made)
    return known | made


def _servers(folder: Path) -> dict[str, str]:
    """The variables of PostgreSQL, NATS and ClickHouse."""
    roles = ["POSTGRES", *(service.upper() for service in SERVICES)]
    return {
        **fill(folder / "postgres.env", {f"{role}_PASSWORD": _password for role in roles}),
        **fill(folder / "nats.env", {"NATS_PASSWORD": _password}),
        **fill(
            folder / "clickhouse.env",
            {"CLICKHOUSE_USER": lambda: "analytics", "CLICKHOUSE_PASSWORD": _password},
        ),
    }


def _of_its_own(service: str, keys: Keys, passwords: Mapping[str, str]) -> Variables:
    if service == "messaging":
        return {"HELIOGRAPH_SECRETS_KEY": lambda: keys.secrets_key}
    if service == "twoway":
        return {"HELIOGRAPH_SECRETS_KEY": _key}
    if service == "audience":
        return {"HELIOGRAPH_ERASURE_KEY": lambda: keys.erasure_key}
    if service == "analytics":
        login = f"{passwords['CLICKHOUSE_USER']}:{passwords['CLICKHOUSE_PASSWORD']}"
        return {
            "HELIOGRAPH_CLICKHOUSE_URL": lambda: f"http://{login}@clickhouse:8123/{EVENT_DATABASE}"
        }
    return {}


def _database(service: str, passwords: Mapping[str, str]) -> Callable[[], str]:
    login = f"{service}:{passwords[f'{service.upper()}_PASSWORD']}"
    return lambda: f"postgresql://{login}@postgres:5432/{service}"


def _addresses() -> Variables:
    return {
        f"HELIOGRAPH_{service.upper()}_ADDRESS": partial(str, f"127.0.0.1:{port}")
        for service, port in HOST_PORTS.items()
    }


def _public(keys: Keys) -> str:
    return base64.b64encode(keys.signing_key.public_key().public_bytes_raw()).decode()


def _password() -> str:
    # NATS reads variables as it reads its configuration: digits in front would be a number.
    return f"p{secrets.token_hex(PASSWORD_BYTES)}"


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines())
    return {name: value for name, _, value in lines if name and not name.startswith("#")}


def _write(path: Path, variables: Mapping[str, str]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in variables.items())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--token-days", type=float, default=365, help="how long tokens are good")
    arguments = parser.parse_args()
    make(arguments.folder, arguments.token_days)
