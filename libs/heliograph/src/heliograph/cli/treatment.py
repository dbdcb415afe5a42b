"""How texts to a number, or to all numbers of a pool, are treated, as options of the command."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cyclopts import Parameter
from heliograph.cli.names import optional
from heliograph.cli.settings import Switch


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Treatment:
    """How texts are treated.

    Parameters
    ----------
    display_name
        Label for people.
    two_way
        Whether custom keywords are answered and what people write is announced. STOP, HELP and
        START work in any case.
    webhook
        Where texts are posted too: https://… '' ends it.
    webhook_secret_file
        File with the key that posts are signed with (whsec_… or any text); - reads it from
        standard input.
    opt_out_list
        The list that a STOP goes on and that is asked before anything is sent. '' for default.
    self_managed_opt_outs
        The application honours STOP, HELP and START itself: nothing is answered or put on a list.
    rule_set
        Whose words count as STOP, HELP and START; all of every set's when it is not said.
    deletion_protection
        While on, it can be neither released nor deleted.
    """

    display_name: str | None = None
    two_way: Switch | None = None
    webhook: str | None = None
    webhook_secret_file: str | None = None
    opt_out_list: str | None = None
    self_managed_opt_outs: Switch | None = None
    rule_set: Literal["us", "ca", "aws", "twilio", "custom", ""] | None = None
    deletion_protection: Switch | None = None

    def fields(self, app: str) -> dict[str, Any]:
        """The fields of the contract, by path; None where nothing was said."""
        return {
            "display_name": self.display_name,
            "two_way_enabled": self.two_way,
            "two_way_webhook.uri": self.webhook,
            "two_way_webhook.signing_secret": _secret(self.webhook_secret_file),
            "opt_out_list": optional(app, "optOutLists", self.opt_out_list),
            "self_managed_opt_outs_enabled": self.self_managed_opt_outs,
            "rule_set": self.rule_set,
            "deletion_protection_enabled": self.deletion_protection,
        }


AS_IT_IS = Treatment()


def _secret(file: str | None) -> str | None:
    """A secret from a file, as arguments of a command can be read by everybody on the machine."""
    if file is None:
        return None
    try:
        return (sys.stdin.read() if file == "-" else Path(file).read_text()).strip()
    except (OSError, UnicodeError) as error:
        sys.exit(f"heliograph: {file} cannot be read: {getattr(error, 'strerror', None) or error}")
