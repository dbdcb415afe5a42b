"""`heliograph keywords`: what happens when somebody writes a word to a number or pool."""

from dataclasses import dataclass
from typing import Any, Literal

from cyclopts import App, Parameter
from heliograph.cli import confirming, output, resources
from heliograph.cli.names import keyword_owner, optional
from heliograph.cli.resources import Noun
from heliograph.cli.settings import Switch, changes, fill, pairs

app = App(name="keywords", help="Keywords: create, list, show, update, delete, explain.")

KEYWORD = Noun(
    message="Keyword",
    field="keyword",
    collection="keywords",
    service="keywords",
    columns={
        "keyword": "keyword",
        "id": "name",
        "action": "action",
        "reply": "reply_text",
        "template": "template",
        "double opt-in": "double_opt_in",
        "from": "start_time",
        "until": "end_time",
    },
)
IN_A_LANGUAGE, VARIABLE = "fr=Bonjour!", "User.UserAttributes.FirstName=friend"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a keyword does.

    Parameters
    ----------
    action
        What it does besides answering; by default nothing.
    reply
        The answer, as 'Hello {{User.UserAttributes.FirstName.[0]}}'; of their text it knows
        {{Text.Keyword}} and {{Text.Rest}}. Of a double opt-in the question.
    reply_in
        The same in another language, as fr=Bonjour! May be repeated; replaces those there are.
    template
        Stored template that is the answer, instead of --reply.
    default
        Text for a variable that an endpoint lacks, as User.UserAttributes.FirstName=friend. May be
        repeated; replaces those there are.
    start
        Before this it does not match, as 2026-12-01T00:00:00Z. '' ends it.
    end
        From this on it does not match. '' ends it.
    double_opt_in
        With --action opt-in: who writes it is asked with --reply, and opted in when they confirm.
    confirm_word
        A word that confirms, by default YES and Y. May be repeated.
    confirm_window
        How long the question may be answered, as 24h.
    confirmed_reply
        What who confirmed is told; by default what START answers.
    confirmed_reply_in
        The same in another language, as fr=Bienvenue! May be repeated; replaces those there are.
    """

    action: Literal["automatic-response", "opt-out", "opt-in"] | None = None
    reply: str | None = None
    reply_in: list[str] | None = None
    template: str | None = None
    default: list[str] | None = None
    start: str | None = None
    end: str | None = None
    double_opt_in: Switch | None = None
    confirm_word: list[str] | None = None
    confirm_window: str | None = None
    confirmed_reply: str | None = None
    confirmed_reply_in: list[str] | None = None

    def fields(self, app: str) -> dict[str, Any]:
        """The fields of the contract, by path; None where nothing was said."""
        return {
            "action": self.action,
            "reply_text": self.reply,
            "localized_reply_texts": pairs(self.reply_in, "--reply-in", IN_A_LANGUAGE),
            "template": optional(app, "templates", self.template),
            "default_substitutions": pairs(self.default, "--default", VARIABLE),
            "start_time": self.start,
            "end_time": self.end,
            "double_opt_in": self.double_opt_in,
            "double_opt_in_words": self.confirm_word,
            "double_opt_in_window": self.confirm_window,
            "confirmed_reply_text": self.confirmed_reply,
            "localized_confirmed_reply_texts": pairs(
                self.confirmed_reply_in, "--confirmed-reply-in", IN_A_LANGUAGE
            ),
        }


AS_IT_IS = Answer()


@app.command(name="list")
def list_(*, of: str, app: str, limit: int = 100, json: bool = False) -> None:
    """List the keywords of a number or pool, STOP, HELP and START among them.

    Parameters
    ----------
    of
        The number or pool, as +12065550100 or support.
    """
    listed = resources.found(KEYWORD, keyword_owner(app, of), limit)
    output.print_children(listed, KEYWORD.columns, as_json=json)


@app.command
def show(keyword: str, *, of: str, app: str, json: bool = False) -> None:
    """Show a keyword by its id."""
    output.print_message(KEYWORD.call("GetKeyword", name=_name(app, of, keyword)), as_json=json)


@app.command
def create(
    keyword: str,
    *,
    of: str,
    app: str,
    id: str = "",
    answer: Answer = AS_IT_IS,
    json: bool = False,
) -> None:
    """Create a keyword of a number or pool.

    Parameters
    ----------
    keyword
        The word or phrase, in any case; a text that begins with it matches.
    of
        The number or pool, as +12065550100 or support.
    id
        Its id; by default made from the word.
    """
    made = KEYWORD.new(keyword=keyword)
    fill(made, answer.fields(app))
    output.print_message(resources.create(KEYWORD, keyword_owner(app, of), id, made), as_json=json)


@app.command
def update(
    keyword: str, *, of: str, app: str, answer: Answer = AS_IT_IS, json: bool = False
) -> None:
    """Change a keyword by its id; of stop, help and start only the texts.

    Parameters
    ----------
    of
        The number or pool, as +12065550100 or support.
    """
    changed = KEYWORD.new(name=_name(app, of, keyword))
    paths = changes(changed, answer.fields(app))
    output.print_message(resources.update(KEYWORD, changed, paths), as_json=json)


@app.command
def delete(keyword: str, *, of: str, app: str, yes: bool = False) -> None:
    """Delete a keyword by its id.

    Parameters
    ----------
    of
        The number or pool, as +12065550100 or support.
    yes
        That this is meant; without it, nothing happens.
    """
    confirming.require(yes, f"deletes keyword {keyword} of {of}")
    KEYWORD.call("DeleteKeyword", name=_name(app, of, keyword))


@app.command
def explain(text: str, *, of: str, app: str, json: bool = False) -> None:
    """Say what a text would do if somebody wrote it. Nothing is done.

    Parameters
    ----------
    of
        The number or pool that it would be written to, as +12065550100 or support.
    """
    answer = KEYWORD.call("ExplainText", name=keyword_owner(app, of), text=text)
    output.print_message(answer, as_json=json)


def _name(app: str, of: str, keyword: str) -> str:
    return f"{keyword_owner(app, of)}/keywords/{keyword}"
