"""`heliograph imports` and `heliograph exports`: the jobs that move files, seen, held and ended."""

from typing import Any

from cyclopts import App
from heliograph.cli import output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

IMPORT_COLUMNS = {
    "import": "name",
    "state": "state",
    "file": "source",
    "imported": "imported_count",
    "bad rows": "failed_count",
    "began": "start_time",
}
EXPORT_COLUMNS = {
    "export": "name",
    "state": "state",
    "to": "target",
    "endpoints": "exported_count",
    "of": "total_count",
    "began": "start_time",
}


def _group(noun: str, columns: dict[str, str]) -> App:
    """The commands about jobs of one kind; `noun` is `Import` or `Export`."""
    words = noun.lower()
    group = App(name=f"{words}s", help=f"{noun}s of endpoints: list, show, pause, resume, cancel.")

    def verb(name: str, job: str, app: str, json: bool) -> None:
        request = _request(f"{name}{noun}Job", name=resource(app, f"{words}Jobs", job))
        answer = talk(lambda mesh: getattr(mesh.transfers, f"{name}{noun}Job")(request))
        output.print_message(answer, as_json=json)

    @group.command(name="list")
    def list_(*, app: str, limit: int = 20, json: bool = False) -> None:
        """List jobs, newest first."""
        from heliograph.paging import collect

        request = _request(f"List{noun}Jobs", parent=application(app), page_size=min(limit, 1000))
        found = talk(
            lambda mesh: collect(
                *(getattr(mesh.transfers, f"List{noun}Jobs"), request, f"{words}_jobs"), limit=limit
            )
        )
        output.print_messages(found, columns, as_json=json)

    @group.command
    def show(job: str, *, app: str, json: bool = False) -> None:
        """Show a job: how far it is, and why it failed."""
        verb("Get", job, app, json)

    @group.command
    def pause(job: str, *, app: str, json: bool = False) -> None:
        """Hold a job; what it has done stays."""
        verb("Pause", job, app, json)

    @group.command
    def resume(job: str, *, app: str, json: bool = False) -> None:
        """Go on with a held job, from where it was."""
        verb("Resume", job, app, json)

    @group.command
    def cancel(job: str, *, app: str, json: bool = False) -> None:
        """End a job; what it has done stays."""
        verb("Cancel", job, app, json)

    return group


def _request(method: str, **fields: Any) -> Any:
    from heliograph.audience.v1 import transfer_service_pb2

    return getattr(transfer_service_pb2, f"{method}Request")(**fields)


imports = _group("Import", IMPORT_COLUMNS)
exports = _group("Export", EXPORT_COLUMNS)
