"""What must be known before a text can have its effects: the numbers written to, and where the
writers stand."""

from dataclasses import dataclass, field
from datetime import datetime

from twoway.consent.changes import Person
from twoway.inbound.loop_guard import LoopGuard
from twoway.intents import Keyword, Meaning, RuleSet, rule_sets
from twoway.keywords import answers
from twoway.keywords.answers import Wording
from twoway.keywords.tables import KeywordRow, OptInQuestionRow
from twoway.tables import DEFAULT_LIST


@dataclass(frozen=True, slots=True)
class Number:
    """A number as its texts are treated. The defaults are those of one that is not registered.

    `keeper` keeps its keywords: the number itself, or the id of its pool.
    """

    registered: bool = False
    keeper: str = ""
    opt_out_list: str = DEFAULT_LIST
    two_way: bool = True
    self_managed: bool = False
    rules: RuleSet = rule_sets.EVERY
    keywords: tuple[Keyword, ...] = ()
    keyword_rows: tuple[KeywordRow, ...] = ()
    has_webhook: bool = False
    _wordings: dict[tuple[str, str, bool], Wording] = field(default_factory=dict, compare=False)

    def keyword(self, keyword_id: str) -> KeywordRow | None:
        """The keyword of that id; None for a default one that nobody has changed."""
        for row in self.keyword_rows:
            if row.keyword_id == keyword_id:
                return row
        return None

    def wording(self, meaning: Meaning, *, confirmed: bool) -> Wording:
        """What a text of this meaning is answered with. Thousands mean the same, so it is kept."""
        key = (meaning.keyword_id, meaning.language, confirmed)
        found = self._wordings.get(key)
        if found is None:
            found = answers.wording(self.keyword_rows, meaning, confirmed=confirmed)
            self._wordings[key] = found
        return found


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands on a list.

    `last_time` is when the latest text about consent was received that has been dealt with before.
    """

    opted_out: bool = False
    confirmed: bool = False
    last_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """All of it, for the texts of one application."""

    application: str
    numbers: dict[str, Number]
    standings: dict[Person, Standing] = field(default_factory=dict)
    questions: tuple[OptInQuestionRow, ...] = ()
    """Questions to the writers that are open."""
    guard: LoopGuard | None = None

    def number(self, address: str) -> Number:
        """The number of that address."""
        return self.numbers.get(address, _UNREGISTERED)

    def standing(self, person: Person) -> Standing:
        """Where that person stands."""
        return self.standings.get(person, _UNKNOWN)


_UNREGISTERED = Number()
_UNKNOWN = Standing()
