"""What lies where in the data folder of a mesh."""

from pathlib import Path


class Layout:
    """Names of the files and folders below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.mesh_file = self.root / "mesh.json"
        self.ports_file = self.root / "ports.json"
        self.keys = self.root / "keys"
        self.authority = self.root / "authority"
        self.logs = self.root / "logs"
        self.services = self.root / "services"
        self.peers = self.root / "peers"
        self.imports = self.root / "imports"
        self.exports = self.root / "exports"
        self.postgres = self.root / "postgres"
        self.nats = self.root / "nats"
        self.clickhouse = self.root / "clickhouse"

    def log(self, name: str) -> Path:
        """The log of one process."""
        return self.logs / f"{name}.log"
