"""Which event types and keys an application has used, so that their number stays within limits.

Names are remembered in this process; PostgreSQL is asked only about a name not seen here before.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from heliograph.analytics.v1.event_pb2 import Event
from mesh.errors import Error, ResourceExhausted
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from analytics import store
from analytics.tables import ATTRIBUTE, EVENT_TYPE, METRIC

APPLICATIONS_MAX = 1_000
"""Of those whose names are remembered; the one that was read first is forgotten first."""

FULL_SECONDS = 10.0
"""How long an application that is at a limit is not asked about again."""


class Name(NamedTuple):
    """An event type, attribute key or metric key."""

    kind: str
    name: str

    @property
    def is_standard(self) -> bool:
        """Whether it is one that clients may use without its being counted."""
        return self.kind == EVENT_TYPE and self.name.startswith("_")


@dataclass(frozen=True)
class Limits:
    """How many names of a kind an application may have."""

    event_types_max: int
    attribute_keys_max: int
    metric_keys_max: int

    def of(self, kind: str) -> int:
        """The limit of a kind."""
        return {
            EVENT_TYPE: self.event_types_max,
            ATTRIBUTE: self.attribute_keys_max,
            METRIC: self.metric_keys_max,
        }[kind]


@dataclass
class Known:
    """The names of one application, as far as this process has met them."""

    names: dict[str, set[str]] = field(
        default_factory=lambda: {EVENT_TYPE: set(), ATTRIBUTE: set(), METRIC: set()}
    )
    full_until: dict[str, float] = field(default_factory=dict)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def missing(self, event: Event) -> list[Name]:
        """The names of an event that are not known yet; usually none."""
        types, attributes, metrics = self.names.values()
        if (
            event.event_type in types
            and attributes.issuperset(event.attributes)
            and metrics.issuperset(event.metrics)
        ):
            return []
        new = [] if event.event_type in types else [Name(EVENT_TYPE, event.event_type)]
        new += [Name(ATTRIBUTE, key) for key in event.attributes if key not in attributes]
        new += [Name(METRIC, key) for key in event.metrics if key not in metrics]
        return new


class Registry:
    """The names of every application of the mesh."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        limits: Limits,
        clock: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._limits = limits
        self._clock = clock
        self._known: dict[str, Known] = {}
        self._reading = asyncio.Lock()

    async def known(self, application: str) -> Known:
        """The names of an application; the first time they are read from the database."""
        found = self._known.get(application)
        return found if found is not None else await self._read(application)

    async def register(self, application: str, names: Iterable[Name]) -> frozenset[Name]:
        """Remember new names for ever; those for which there is no room any more."""
        known = await self.known(application)
        # The requests of an application that is new all bring the same names at once: the first
        # one writes them, and the others find them known.
        async with known.writing:
            wanted, refused = self._sorted_out(known, names)
            if wanted:
                refused |= await self._write(application, known, wanted)
        return frozenset(refused)

    def _sorted_out(
        self, known: Known, names: Iterable[Name]
    ) -> tuple[dict[str, set[str]], set[Name]]:
        """Names to be written, by kind, and those that need not be tried."""
        now = self._clock()
        wanted: dict[str, set[str]] = {}
        refused: set[Name] = set()
        for name in names:
            if name.name in known.names[name.kind]:
                continue
            if known.full_until.get(name.kind, 0.0) > now and not name.is_standard:
                refused.add(name)
            else:
                wanted.setdefault(name.kind, set()).add(name.name)
        return wanted, refused

    async def _write(
        self, application: str, known: Known, wanted: dict[str, set[str]]
    ) -> set[Name]:
        refused: set[Name] = set()
        async with self._sessions.begin() as session:
            kept = {
                kind: await store.keep_names(
                    session, application, kind, sorted(names), self._limits.of(kind)
                )
                for kind, names in sorted(wanted.items())
            }
        for kind, names in wanted.items():
            known.names[kind] |= kept[kind]
            if over := names - kept[kind]:
                known.full_until[kind] = self._clock() + FULL_SECONDS
                refused |= {Name(kind, name) for name in over}
        return refused

    async def _read(self, application: str) -> Known:
        async with self._reading:
            if application not in self._known:
                known = Known()
                async with self._sessions() as session:
                    for kind, name in await store.names(session, application):
                        known.names[kind].add(name)
                if len(self._known) >= APPLICATIONS_MAX:
                    del self._known[next(iter(self._known))]
                self._known[application] = known
            return self._known[application]


def refusal(name: Name) -> Error:
    """Why an event with this name cannot be taken."""
    reason = "EVENT_TYPE_LIMIT" if name.kind == EVENT_TYPE else "EVENT_KEY_LIMIT"
    return ResourceExhausted(
        reason,
        f"{name.name}: the application has as many names of kind {name.kind} as it may",
        kind=name.kind,
        name=name.name,
    )
