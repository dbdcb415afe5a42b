"""Whose keywords are meant: those of a number, of a pool, or of the pool that a number is in."""

from dataclasses import dataclass

from mesh.aip import resource_names
from mesh.errors import FailedPrecondition
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import names
from twoway.phone_numbers import store as phone_numbers
from twoway.pools import store as pools


@dataclass(frozen=True, slots=True)
class Owner:
    """A number or pool that was named, and who keeps the keywords that it answers to.

    Both are the number, or the id of the pool, as rows of keywords have it.
    """

    application: str
    named: str
    keeper: str
    rule_set: str


async def get(session: AsyncSession, name: str, field: str = "name") -> Owner:
    """The owner of keywords that has this name, or NOT_FOUND."""
    if resource_names.match(names.POOL, name):
        pool = await pools.get(session, name, field)
        return Owner(pool.application, pool.pool, pool.pool, pool.rule_set)
    number = await phone_numbers.get(session, name, field=field)
    keeper = number.pool or number.phone_number
    return Owner(number.application, number.phone_number, keeper, number.rule_set)


def check_changeable(owner: Owner) -> None:
    """Refuse (PHONE_NUMBER_ASSOCIATED_TO_POOL) that a number in a pool gets keywords of its own."""
    if owner.named != owner.keeper:
        pool = names.pool(owner.application, owner.keeper)
        raise FailedPrecondition(
            "PHONE_NUMBER_ASSOCIATED_TO_POOL",
            f"{owner.named} answers to the keywords of {pool}: change them there",
            pool=pool,
            phone_number=owner.named,
        )
