"""The list that a number, pool or sender id points to."""

from mesh.errors import FailedPrecondition
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import names
from twoway.tables import DEFAULT_LIST, OptOutListRow


def id_of(application: str, name: str, field: str) -> str:
    """The id of the list of that name; that of `default` when there is no name.

    Refuses (APPLICATION_MISMATCH) a list of another application.
    """
    if not name:
        return DEFAULT_LIST
    names.same_application(application, name, field)
    return names.opt_out_list_key(name, field)[1]


async def require(session: AsyncSession, application: str, list_id: str) -> None:
    """Refuse (OPT_OUT_LIST_NOT_FOUND) an identity that points to no list. Keeps the list from
    going until the transaction ends."""
    if list_id == DEFAULT_LIST:
        return
    key = (application, list_id)
    if await session.get(OptOutListRow, key, with_for_update={"read": True}) is None:
        name = names.opt_out_list(*key)
        raise FailedPrecondition(
            "OPT_OUT_LIST_NOT_FOUND", f"{name} does not exist", opt_out_list=name
        )
