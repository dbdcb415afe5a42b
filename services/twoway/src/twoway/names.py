"""Resource names of this room, and the ids in them."""

from mesh.aip import resource_names
from mesh.errors.refusals import invalid

APPLICATION = "applications/{application}"
PHONE_NUMBER = "applications/{application}/phoneNumbers/{phone_number}"
KEYWORD = "applications/{application}/phoneNumbers/{phone_number}/keywords/{keyword}"
POOL = "applications/{application}/pools/{pool}"
POOL_KEYWORD = "applications/{application}/pools/{pool}/keywords/{keyword}"
SENDER_ID = "applications/{application}/senderIds/{sender_id}"
OPT_OUT_LIST = "applications/{application}/optOutLists/{opt_out_list}"
OPTED_OUT_NUMBER = (
    "applications/{application}/optOutLists/{opt_out_list}/optedOutNumbers/{opted_out_number}"
)
CONSENT_CHANGE = "applications/{application}/consentChanges/{consent_change}"
OPT_OUT_ALARM = "applications/{application}/optOutAlarms/{opt_out_alarm}"
CAMPAIGN = "applications/{application}/campaigns/{campaign}"
INBOUND_MESSAGE = "applications/{application}/inboundMessages/{inbound_message}"
CONVERSATION = "applications/{application}/conversations/{conversation}"


def application_of(parent: str) -> str:
    """The application id in `applications/{application}`."""
    return resource_names.parse(APPLICATION, parent, field="parent")["application"]


def application_in(name: str) -> str:
    """The application id that any resource name begins with."""
    parts = name.split("/", 2)
    if len(parts) < 2 or parts[0] != "applications" or not parts[1]:
        raise resource_names.invalid(f"{APPLICATION}/…", name, "name")
    return parts[1]


def phone_number_key(name: str, field: str = "name") -> tuple[str, str]:
    """Application and number."""
    ids = resource_names.parse(PHONE_NUMBER, name, field=field)
    return ids["application"], ids["phone_number"]


def pool_key(name: str, field: str = "name") -> tuple[str, str]:
    """Application and pool id."""
    ids = resource_names.parse(POOL, name, field=field)
    return ids["application"], ids["pool"]


def sender_id_key(name: str, field: str = "name") -> tuple[str, str]:
    """Application and sender id, its country included."""
    ids = resource_names.parse(SENDER_ID, name, field=field)
    return ids["application"], ids["sender_id"]


def keyword_key(name: str) -> tuple[str, str, str]:
    """Application, number or pool, and keyword id."""
    ids = resource_names.match(POOL_KEYWORD, name) or resource_names.parse(KEYWORD, name)
    return ids["application"], ids.get("pool") or ids["phone_number"], ids["keyword"]


def opt_out_list_key(name: str, field: str = "name") -> tuple[str, str]:
    """Application and list id."""
    ids = resource_names.parse(OPT_OUT_LIST, name, field=field)
    return ids["application"], ids["opt_out_list"]


def opted_out_number_key(name: str) -> tuple[str, str, str]:
    """Application, list id and number."""
    ids = resource_names.parse(OPTED_OUT_NUMBER, name)
    return ids["application"], ids["opt_out_list"], ids["opted_out_number"]


def inbound_message_key(name: str) -> tuple[str, str]:
    """Application and inbound message id."""
    ids = resource_names.parse(INBOUND_MESSAGE, name)
    return ids["application"], ids["inbound_message"]


def conversation_key(name: str, field: str = "name") -> tuple[str, str]:
    """Application and conversation id."""
    ids = resource_names.parse(CONVERSATION, name, field=field)
    return ids["application"], ids["conversation"]


def phone_number(application: str, number: str) -> str:
    """Name of a number."""
    return f"applications/{application}/phoneNumbers/{number}"


def pool(application: str, pool_id: str) -> str:
    """Name of a pool; empty when there is none."""
    return f"applications/{application}/pools/{pool_id}" if pool_id else ""


def sender_id(application: str, sender_id_id: str) -> str:
    """Name of a sender id."""
    return f"applications/{application}/senderIds/{sender_id_id}"


def keywords_parent(application: str, number: str) -> str:
    """Name of a number or pool, of which only numbers begin with a plus or a digit."""
    pooled = number[:1].isalpha()
    return pool(application, number) if pooled else phone_number(application, number)


def keyword(application: str, number: str, keyword_id: str) -> str:
    """Name of a keyword of a number or pool."""
    return f"{keywords_parent(application, number)}/keywords/{keyword_id}"


def opt_out_list(application: str, list_id: str) -> str:
    """Name of an opt-out list."""
    return f"applications/{application}/optOutLists/{list_id}"


def consent_change(application: str, change_id: str) -> str:
    """Name of an entry in the record of consent."""
    return f"applications/{application}/consentChanges/{change_id}"


def inbound_message(application: str, inbound_id: str) -> str:
    """Name of an inbound message; empty when there is none."""
    return f"applications/{application}/inboundMessages/{inbound_id}" if inbound_id else ""


def conversation(application: str, conversation_id: str) -> str:
    """Name of a conversation."""
    return f"applications/{application}/conversations/{conversation_id}"


def opt_out_alarm_key(name: str) -> tuple[str, str]:
    """Application and alarm id."""
    ids = resource_names.parse(OPT_OUT_ALARM, name)
    return ids["application"], ids["opt_out_alarm"]


def opt_out_alarm(application: str, alarm_id: str) -> str:
    """Name of an alarm."""
    return f"applications/{application}/optOutAlarms/{alarm_id}"


def campaign(application: str, campaign_id: str) -> str:
    """Name of a campaign of campaign's."""
    return f"applications/{application}/campaigns/{campaign_id}"


def same_application(application: str, name: str, field: str) -> None:
    """Refuse (APPLICATION_MISMATCH) a reference into another application than the request's."""
    if application_in(name) == application:
        return
    description = f"{name} does not belong to {APPLICATION.format(application=application)}"
    raise invalid("APPLICATION_MISMATCH", field, description, name=name, application=application)
