"""The command's entry: its groups, and how a failure is shown."""

import sys

from cyclopts import App, Parameter
from heliograph.cli import (
    alarms,
    applications,
    campaigns,
    conversations,
    endpoints,
    events,
    inbound,
    jobs,
    keywords,
    local,
    messages,
    numbers,
    operations,
    opt_out_lists,
    opt_outs,
    pools,
    reports,
    reviews,
    segments,
    sender_ids,
    users,
    webhooks,
)

app = App(
    name="heliograph",
    help="Talk to a Heliograph mesh: audiences, campaigns, messages, answers and reports.",
    # Markdown would load a parser of its own at each start.
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
)
app.command(local.up)
app.command(local.demo)
app.command(local.setup)
app.command(local.token)
app.command(local.addresses)
app.command(applications.app)
app.command(endpoints.app)
app.command(users.app)
app.command(jobs.imports)
app.command(jobs.exports)
app.command(operations.app)
app.command(segments.app)
app.command(campaigns.app)
app.command(messages.send)
app.command(messages.messages)
app.command(numbers.app)
app.command(pools.app)
app.command(sender_ids.app)
app.command(keywords.app)
app.command(webhooks.app)
app.command(inbound.inbound)
app.command(reviews.app)
app.command(conversations.app)
app.command(opt_outs.app)
app.command(opt_out_lists.app)
app.command(alarms.app)
app.command(events.app)
app.command(reports.report)


def main() -> None:
    """Run the command; a failure is a sentence and a next step, never a stack trace."""
    from heliograph.connection import NoMeshError

    try:
        app()
    except NoMeshError as error:
        sys.exit(f"heliograph: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()


if __name__ == "__main__":
    main()
