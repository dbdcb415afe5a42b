"""STOP, HELP and START: on every number from its first moment, with texts an owner may change."""

from dataclasses import dataclass

from twoway.intents.understanding import HELP, START, STOP, Action


@dataclass(frozen=True, slots=True)
class Default:
    """A default keyword as it is before anybody changes its texts."""

    keyword_id: str
    keyword: str
    action: Action
    reply_text: str
    localized_reply_texts: dict[str, str]


# Only letters that GSM 03.38 has, so that each is one part; no marketing (47 CFR 64.1200(a)(12)).
DEFAULTS = {
    HELP: Default(
        HELP,
        "HELP",
        Action.HELP,
        "Reply STOP to opt out, START to opt in again. Message and data rates may apply.",
        {
            "fr": "Répondez ARRET pour ne plus recevoir de messages, START pour en recevoir à"
            " nouveau. Des frais peuvent s'appliquer.",
            "es": "Responda STOP para no recibir mensajes, START para recibirlos de nuevo.",
            "de": "Antworten Sie STOP, um keine Nachrichten mehr zu erhalten, START, um sie wieder"
            " zu erhalten.",
        },
    ),
    START: Default(
        START,
        "START",
        Action.OPT_IN,
        "You will receive messages again. Reply STOP to opt out, HELP for help.",
        {
            "fr": "Vous recevrez à nouveau nos messages. Répondez STOP pour ne plus en recevoir,"
            " HELP pour obtenir de l'aide.",
            "es": "Le enviaremos mensajes de nuevo. Responda STOP para no recibirlos, HELP para"
            " ayuda.",
            "de": "Sie erhalten wieder Nachrichten. Antworten Sie STOP, um keine mehr zu erhalten,"
            " HELP für Hilfe.",
        },
    ),
    STOP: Default(
        STOP,
        "STOP",
        Action.OPT_OUT,
        "You have opted out and will receive no more messages. Reply START to opt in again.",
        {
            "fr": "Vous ne recevrez plus de messages. Répondez START pour en recevoir à nouveau.",
            "es": "No le enviaremos otros mensajes. Responda START para recibirlos de nuevo.",
            "de": "Sie erhalten keine Nachrichten mehr. Antworten Sie START, um sie wieder zu"
            " erhalten.",
        },
    ),
}
"""By id, in the order of their ids."""
