"""`heliograph opt-outs list`, `add`, `remove` and `history`: numbers on a list, one by one."""

import sys
from typing import TYPE_CHECKING

from heliograph.cli import output
from heliograph.cli.names import application, optional, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.twoway.v1.opt_out_list_pb2 import OptedOutNumber

COLUMNS = {
    "number": "name",
    "since": "opt_out_time",
    "by": "source",
    "text": "text",
    "to": "origination_identity",
    "caller": "caller",
    "comment": "comment",
}
CHANGE_COLUMNS = {
    "time": "change_time",
    "number": "destination_address",
    "what": "kind",
    "list": "opt_out_list",
    "by": "source",
    "asked": "requested_text",
    "text": "text",
    "to": "origination_identity",
    "caller": "caller",
    "comment": "comment",
}


def list_(*, app: str, list: str = "default", limit: int = 50, json: bool = False) -> None:
    """List the numbers on an opt-out list, and how each got there.

    Parameters
    ----------
    list
        The opt-out list.
    """
    from heliograph.paging import collect
    from heliograph.twoway.v1.opt_out_service_pb2 import ListOptedOutNumbersRequest

    parent = resource(app, "optOutLists", list)
    request = ListOptedOutNumbersRequest(parent=parent, page_size=min(limit, 1000))
    found = talk(
        lambda mesh: collect(
            mesh.opt_outs.ListOptedOutNumbers, request, "opted_out_numbers", limit=limit
        )
    )
    _print(found, as_json=json)


def add(
    *numbers: str, app: str, list: str = "default", comment: str = "", json: bool = False
) -> None:
    """Put numbers on an opt-out list; who is on it already stays as they are.

    Parameters
    ----------
    numbers
        As +12065550191; up to 1,000. More are imported from a file.
    list
        The opt-out list.
    comment
        Why, for the record of consent.
    """
    from heliograph.twoway.v1.opt_out_service_pb2 import BatchPutOptedOutNumbersRequest

    request = BatchPutOptedOutNumbersRequest(
        parent=resource(app, "optOutLists", list), phone_numbers=numbers, comment=comment
    )
    results = talk(lambda mesh: mesh.opt_outs.BatchPutOptedOutNumbers(request)).results
    _print([one.opted_out_number for one in results if not one.HasField("error")], as_json=json)
    refused = [
        f"{number}: {one.error.message}"
        for number, one in zip(numbers, results, strict=True)
        if one.HasField("error")
    ]
    if refused:
        sys.exit("heliograph: " + "\n".join(refused))


def remove(number: str, *, app: str, list: str = "default", comment: str = "") -> None:
    """Take a number off an opt-out list: it can be written to again.

    Parameters
    ----------
    number
        As +12065550191.
    list
        The opt-out list.
    comment
        Why, for the record of consent.
    """
    from heliograph.twoway.v1.opt_out_service_pb2 import DeleteOptedOutNumberRequest

    name = f"{resource(app, 'optOutLists', list)}/optedOutNumbers/{number}"
    request = DeleteOptedOutNumberRequest(name=name, comment=comment)
    talk(lambda mesh: mesh.opt_outs.DeleteOptedOutNumber(request))


def history(
    number: str = "", /, *, app: str, list: str = "", limit: int = 50, json: bool = False
) -> None:
    """List who went on or off which list, when, by which words or which caller; newest first.

    Parameters
    ----------
    number
        Only this person, as +12065550191.
    list
        Only this opt-out list.
    """
    from heliograph.paging import collect
    from heliograph.twoway.v1.opt_out_service_pb2 import ListConsentChangesRequest

    request = ListConsentChangesRequest(
        parent=application(app),
        page_size=min(limit, 1000),
        opt_out_list=optional(app, "optOutLists", list) or "",
        destination_address=number,
    )
    found = talk(
        lambda mesh: collect(
            mesh.opt_outs.ListConsentChanges, request, "consent_changes", limit=limit
        )
    )
    output.print_messages(found, CHANGE_COLUMNS, as_json=json)


def _print(numbers: "list[OptedOutNumber]", *, as_json: bool) -> None:
    output.print_children(numbers, COLUMNS, as_json=as_json)
