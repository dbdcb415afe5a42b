"""What the members of a pool must have in common, and the named refusals when they do not. Pure.

A sender id is compared in what it has: nobody can write to it, so that two-way settings and
keywords say nothing about it.
"""

from collections.abc import Iterable, Mapping

from mesh.errors import FailedPrecondition, ResourceExhausted

from twoway import names
from twoway.keywords.tables import KeywordRow
from twoway.tables import PhoneNumberRow, PoolRow, SenderIdRow

MEMBERS_MAX = 100
"""Identities of a pool (Pinpoint's quota)."""

SENDER_ID_CAPABILITIES = ("SMS",)

_UNSAID = {
    "application",
    "phone_number",
    "keyword_id",
    "keyword",
    "words",
    "revision",
    "create_time",
    "update_time",
}

GOVERNED = {
    "message_type": "MESSAGE_TYPE_MISMATCH",
    "two_way_enabled": "TWO_WAY_CONFIG_MISMATCH",
    "rule_set": "TWO_WAY_CONFIG_MISMATCH",
    "webhook_uri": "TWO_WAY_CONFIG_MISMATCH",
    "self_managed_opt_outs_enabled": "SELF_MANAGED_OPT_OUTS_MISMATCH",
    "opt_out_list": "OPT_OUT_LIST_MISMATCH",
}
"""Settings that the numbers of a pool share, and how one that differs is refused."""


def check_number(
    pool: PoolRow,
    number: PhoneNumberRow,
    pool_keywords: Iterable[KeywordRow],
    keywords: Iterable[KeywordRow],
) -> None:
    """Refuse a number that is not as the pool is."""
    for setting, reason in GOVERNED.items():
        ours, theirs = getattr(pool, setting), getattr(number, setting)
        if ours != theirs:
            raise _mismatch(pool, number.phone_number, setting, reason, ours, theirs)
    check_capabilities(pool, number.phone_number, number.capabilities)
    if said(pool_keywords) != said(keywords):
        differing = sorted(said(pool_keywords).keys() ^ said(keywords).keys())
        raise FailedPrecondition(
            "KEYWORD_MISMATCH",
            f"{number.phone_number} does not have the keywords of {_name(pool)}, or their answers"
            + (f": {', '.join(differing)}" if differing else ""),
            pool=_name(pool),
            origination_identity=number.phone_number,
        )


def check_sender_id(pool: PoolRow, sender_id: SenderIdRow) -> None:
    """Refuse a sender id that is not as the pool is."""
    name, list_id = sender_id.sender_id, sender_id.opt_out_list
    if pool.message_type not in sender_id.message_types:
        theirs = ", ".join(sender_id.message_types)
        raise _mismatch(
            pool, name, "message_types", "MESSAGE_TYPE_MISMATCH", pool.message_type, theirs
        )
    if pool.opt_out_list != list_id:
        raise _mismatch(
            pool, name, "opt_out_list", "OPT_OUT_LIST_MISMATCH", pool.opt_out_list, list_id
        )
    check_capabilities(pool, name, SENDER_ID_CAPABILITIES)


def check_capabilities(pool: PoolRow, identity: str, capabilities: Iterable[str]) -> None:
    """Refuse an identity that cannot carry what the pool carries."""
    missing = set(pool.capabilities) - set(capabilities)
    if missing:
        wanted, has = ", ".join(sorted(pool.capabilities)), ", ".join(sorted(capabilities))
        reason = "NUMBER_CAPABILITIES_MISMATCH"
        raise _mismatch(pool, identity, "capabilities", reason, wanted, has)


def check_governed(pool: PoolRow, number: PhoneNumberRow) -> None:
    """Refuse (PHONE_NUMBER_ASSOCIATED_TO_POOL) that a member gets settings of its own."""
    for setting in (*GOVERNED, "webhook_secrets"):
        if getattr(pool, setting) != getattr(number, setting):
            raise FailedPrecondition(
                "PHONE_NUMBER_ASSOCIATED_TO_POOL",
                f"{number.phone_number} belongs to {_name(pool)}: change {setting} there",
                pool=_name(pool),
                phone_number=number.phone_number,
            )
    check_capabilities(pool, number.phone_number, number.capabilities)


def check_room(pool: PoolRow, count: int) -> None:
    """Refuse (TOO_MANY_POOL_MEMBERS) an identity above the quota."""
    if count >= MEMBERS_MAX:
        raise ResourceExhausted(
            "TOO_MANY_POOL_MEMBERS",
            f"{_name(pool)} has {MEMBERS_MAX} members already",
            pool=_name(pool),
        )


def check_not_last(pool: PoolRow, count: int) -> None:
    """Refuse (LAST_PHONE_NUMBER) that a pool becomes empty."""
    if count <= 1:
        raise FailedPrecondition(
            "LAST_PHONE_NUMBER",
            f"the last member cannot leave {_name(pool)}; delete the pool instead",
            pool=_name(pool),
        )


def said(keywords: Iterable[KeywordRow]) -> Mapping[str, object]:
    """What keywords do and answer, by their words: their ids and ages do not matter."""
    return {row.words: row.model_dump(exclude=_UNSAID) for row in keywords}


def _mismatch(
    pool: PoolRow, identity: str, setting: str, reason: str, ours: object, theirs: object
) -> FailedPrecondition:
    return FailedPrecondition(
        reason,
        f"{identity} has {setting} {theirs!r}, and {_name(pool)} has {ours!r}",
        pool=_name(pool),
        origination_identity=identity,
    )


def _name(pool: PoolRow) -> str:
    return names.pool(pool.application, pool.pool)
