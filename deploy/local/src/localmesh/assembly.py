"""What a mesh on one machine is made of: each part in its folder, on its port, with its log."""

from collections.abc import Mapping
from dataclasses import dataclass

from mesh.embedded.clickhouse import ClickHouseServer
from mesh.embedded.nats import NatsServer
from mesh.embedded.ports import LOOPBACK
from mesh.embedded.postgres import PostgresServer

from localmesh import environment
from localmesh.environment import EVENT_DATABASE, SERVICES, Surroundings
from localmesh.keys import Keys
from localmesh.layout import Layout
from localmesh.peers.authority import Authority
from localmesh.peers.running import PeerProcess
from localmesh.ports import PortBook
from localmesh.providers import PEERS
from localmesh.service_process import ServiceProcess
from localmesh.tokens import LONG_HOURS, mint_with


@dataclass(frozen=True)
class Servers:
    """Where data is kept."""

    postgres: PostgresServer
    nats: NatsServer
    clickhouse: ClickHouseServer


def servers(layout: Layout, ports: PortBook, durable: bool) -> Servers:
    """The servers, not yet started."""
    return Servers(
        PostgresServer(
            layout.postgres,
            ports.port("postgres"),
            durable=durable,
            log_path=layout.log("postgres"),
        ),
        NatsServer(layout.nats, ports.port("nats"), log_path=layout.log("nats")),
        ClickHouseServer(
            layout.clickhouse, ports.port("clickhouse"), log_path=layout.log("clickhouse")
        ),
    )


def peers(layout: Layout, ports: PortBook) -> dict[str, PeerProcess]:
    """The peers by name, not yet started."""
    return {
        name: PeerProcess(
            name,
            layout.peers / name,
            port=ports.port(name),
            control_port=ports.port(f"{name} control"),
            authority_dir=layout.authority,
            log_path=layout.log(name),
        )
        for name in PEERS
    }


async def surroundings(
    layout: Layout,
    ports: PortBook,
    keys: Keys,
    running: Servers,
    settings: Mapping[str, str],
) -> Surroundings:
    """What services are told, with their databases made."""
    return Surroundings(
        addresses={name: f"{LOOPBACK}:{ports.port(name)}" for name in SERVICES},
        databases={name: await running.postgres.create_database(name) for name in SERVICES},
        nats_url=running.nats.url,
        clickhouse_url=await running.clickhouse.create_database(EVENT_DATABASE),
        public_key=keys.public_pem,
        service_token=mint_with(keys, ["*"], "service", "mesh", LONG_HOURS),
        secrets_key=keys.secrets_key,
        erasure_key=keys.erasure_key,
        authority_file=Authority(layout.authority).certificate_file,
        imports=layout.imports,
        exports=layout.exports,
        settings=settings,
    )


def services(layout: Layout, ports: PortBook, around: Surroundings) -> dict[str, ServiceProcess]:
    """The services by name, not yet started."""
    return {name: _service(layout, ports, around, name, name) for name in SERVICES}


def replica(layout: Layout, ports: PortBook, around: Surroundings, name: str) -> ServiceProcess:
    """A second process of a service, not yet started."""
    return _service(layout, ports, around, name, f"{name}-2")


def _service(
    layout: Layout, ports: PortBook, around: Surroundings, name: str, process: str
) -> ServiceProcess:
    return ServiceProcess(
        name,
        layout.services / process,
        ports.port(process),
        environment.of_service(name, around, ports.port(f"{process} metrics")),
        layout.log(process),
    )
