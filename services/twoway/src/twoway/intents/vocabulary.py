"""The words and phrases that opt out, opt in or ask for help, as data, with their sources.

All are in normalised form; which of them count where is said in `rule_sets`. Where a word has
other uses, the words allowed around it are fewer.
"""

from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FCC_WORDS = frozenset({"stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"})
"""Per se revocations, 47 CFR 64.1200(a)(10)."""

CTIA_WORDS = _words("stop end cancel unsubscribe quit")
"""CTIA Messaging Principles and Best Practices, May 2023."""

AWS_WORDS = _words("arret cancel end optout quit remove stop td unsubscribe") | {"opt out"}
"""Amazon Pinpoint, keywords-required."""

TWILIO_WORDS = _words("stop stopall unsubscribe cancel end quit revoke optout")
"""Twilio, default opt-out keywords."""

SPELLINGS = {
    "stop": _words("stopp stoppp stopppp st0p 5top"),
    "unsubscribe": _words("unsub unsuscribe unsubcribe unsubscibe unsubscribed")
    | {"unsubscribe me", "unsubscribe us"},
    "revoke": frozenset({"revoked"}),
    "optout": frozenset({"opt out", "opting out", "opted out", "opt me out"}),
}
"""The same words as people type them, by the word they mean."""

REASONABLE_WORDS = _words("optout remove stopall cease desist") | {"no more"}
"""No authority of the United States or Canada names them, but a reasonable person understands."""

FRENCH_WORDS = _words(
    "arret arreter arretez arretes arrete desabonner desabonnez desabonnement desinscrire"
    " desinscription"
) | {"me desabonner", "me desinscrire", "desabonnez moi", "ne plus recevoir"}
FRENCH_REQUESTS = frozenset(
    f"{verb} {what}"
    for verb in ("arretez de", "arrete de", "cessez de", "cesse de")
    for what in ("menvoyer", "me texter", "mecrire", "me contacter", "me harceler", "nous ecrire")
) | {
    "ne menvoyez plus", "ne menvoie plus", "ne mecrivez plus", "ne mecris plus",
    "ne me textez plus", "ne me texte plus", "ne me contactez plus", "ne me contacte plus",
    "enlevez moi", "enleve moi", "retirez moi", "retire moi", "supprimez moi",
    "enlevez mon numero", "retirez mon numero", "supprimez mon numero", "effacez mon numero",
    "je ne veux plus de messages", "je ne veux plus de textos", "je ne veux plus recevoir",
    "je veux plus recevoir", "je retire mon consentement", "laissez moi tranquille",
}  # fmt: skip
"""The same in French, as it is written without apostrophes and accents."""

SPANISH_WORDS = _words("parar cancelar detener") | {
    "darme de baja",
    "dar de baja",
    "no mas mensajes",
}
SPANISH_NARROW_WORDS = _words("alto pare baja") | {"no mas"}
GERMAN_WORDS = _words("abmelden abbestellen austragen") | {
    "keine sms mehr",
    "keine nachrichten mehr",
}

REQUESTS = frozenset(
    f"{verb} {whom}"
    for verb in (
        "stop texting", "stop messaging", "stop sending", "stop contacting", "stop spamming",
        "stop calling", "stop bothering", "stop harassing", "stop writing", "quit texting",
        "quit messaging", "quit sending", "quit contacting", "unsubscribe", "remove", "delete",
    )
    for whom in ("me", "us", "this number", "my number", "my phone")
) | {
    "opt me out", "opt us out", "take me off", "take us off", "get me off", "take my number off",
    "take this number off",
    "lose my number", "lose this number", "erase my number", "leave me alone", "stop the texts",
    "stop the messages", "stop these messages", "stop these texts", "stop your messages",
    "stop your texts", "stop all messages", "stop all texts", "no more texts", "no more messages",
    "no more sms", "revoke consent", "revoke my consent", "withdraw consent", "cease and desist",
    "withdraw my consent", "no longer wish to receive", "no longer want to receive",
}  # fmt: skip
"""What a reasonable person would understand so (FCC; CTIA: normal language), anywhere in a text."""

DO_NOT = frozenset(
    f"{negation} {verb}"
    for negation in ("dont", "do not", "never", "no longer", "please dont", "please do not")
    for verb in ("text", "txt", "message", "msg", "contact", "send", "write", "call", "spam",
                 "bother", "disturb")
)  # fmt: skip
DO_NOT_WANT = frozenset(
    f"{refusal} {want}"
    for refusal in ("dont", "do not", "no longer", "didnt")
    for want in ("want", "wish", "need", "want to receive", "wish to receive", "want to get",
                 "ask for", "want any", "want any more", "want your", "want these")
)  # fmt: skip
SEND_OFF = frozenset({"go away", "get lost", "fuck off", "piss off", "fuck you", "fuck u"})
SUBSCRIPTIONS = frozenset(
    f"{verb} {what}"
    for verb in ("end", "cancel", "stop")
    for what in ("subscription", "my subscription", "messages", "texts", "alerts", "notifications")
)

POLITE = _words(
    """
    please pls plz plse kindly thanks thank thx ty you u ok okay hi hey hello now just asap
    immediately sir madam maam dear so and again forever merci svp sil vous plait por favor
    gracias bitte danke fucking damn ffs
    """
)
"""Words that change nothing, before or after."""

TYPED = _words("reply replying text txt send type to yes no")
"""What people repeat of "Reply STOP to end"."""

WISHES = _words(
    """
    i id im ill we want wanna need would like wish can could will must should ask asking say guys
    yall how do
    """
)
WILLING = POLITE | TYPED | WISHES
"""Words of somebody who wants something; none of them negates."""

TALK = _words(
    """
    texting text texts txt txts messaging message messages msg msgs sms mms spam spamming spams
    promos promotions promotional marketing ads offers updates alerts alert notifications
    notification subscription subscriptions
    """
)
"""What an opt-out is about."""

OBJECT_WORDS = _words(
    """
    all it 2 this these that those everything the your ur yr my me us any anything more anymore
    ever sending send contacting contact writing bothering harassing calling calls call emailing
    emails service services communication communications to from of on for number phone cell list
    lists database mailing further future receiving receive getting get stuff crap shit bs right
    away end cancel unsubscribe quit optout opt out stop consent moi vos messages mensajes mehr
    """
)
OBJECTS = POLITE | TALK | OBJECT_WORDS
"""Words that may come after an opt-out and leave it one."""

NARROW_WORDS_AFTER = _words(
    "all the your my these me from to service stop quit end cancel unsubscribe optout opt out"
)
NARROW_OBJECTS = POLITE | TALK | NARROW_WORDS_AFTER


@dataclass(frozen=True, slots=True)
class Family:
    """Phrases that opt out when only these words stand before and after them."""

    phrases: frozenset[str]
    before: frozenset[str]
    after: frozenset[str]
    about: frozenset[str] = frozenset()
    """Of these at least one must follow: "I don't want" what?"""


PLAIN_LANGUAGE = (
    Family(DO_NOT, POLITE - _words("you u"), OBJECTS, about=TALK | _words("me us anything")),
    Family(DO_NOT_WANT, WILLING, OBJECTS, about=TALK),
    Family(SUBSCRIPTIONS, WILLING, OBJECTS),
    Family(SEND_OFF, POLITE, OBJECTS),
)
"""What a reasonable person would understand so, of whole texts. No phrase is in two families."""

# Words with other uses: a text that is nothing but one of them is an opt-out, "the end" is not.
NARROW_WORDS = _words("quit end cancel remove td cease desist") | {"no more"} | SPANISH_NARROW_WORDS

NEGATIONS = _words(
    "not dont never cant wont didnt doesnt cannot isnt why did does if unless when pourquoi"
)
"""Before a request, they turn it: "don't stop texting me"."""

OPT_IN_WORDS = _words("start unstop optin subscribe resubscribe resume") | {
    "opt in",
    "opt me in",
    "subscribe me",
}
"""CTIA. Only a whole text counts, and "restart" is none of them."""

FRENCH_OPT_IN_WORDS = _words("demarrer commencer reprendre reabonner")
SPANISH_OPT_IN_WORDS = _words("empezar iniciar")

OPT_IN_OBJECTS = POLITE | _words("messages texts sms texting messaging sending me")

HELP_LANGUAGES = {"help": "", "info": "", "aide": "fr", "ayuda": "es", "hilfe": "de"}
"""HELP words with their languages: CTIA HELP; CWTA 3.9 HELP, AIDE, INFO. A text that begins with
one asks for help."""

MENTIONS = _words(
    "stop stopp stopping stopped stops unsubscribe unsubscribed unsub optout revoke arret"
    " desabonner spam spamming harassment lawyer sue quit"
)
"""A text that mentions one of these without being an opt-out is ambiguous."""

FRENCH_MENTIONS = frozenset({"plus de messages"})
MENTIONED_PHRASES = (
    frozenset({"opt out", "wrong number", "not interested", "leave me"}) | FRENCH_MENTIONS
)


def language_of(phrase: str) -> str:
    """The language of an opt-out, as BCP 47; empty for English and for words of many languages."""
    if phrase in FRENCH_WORDS | FRENCH_REQUESTS | FRENCH_MENTIONS:
        return "fr"
    if phrase in SPANISH_WORDS | SPANISH_NARROW_WORDS:
        return "es"
    return "de" if phrase in GERMAN_WORDS else ""


def language_of_opt_in(phrase: str) -> str:
    """The language of an opt-in; empty for English."""
    if phrase in FRENCH_OPT_IN_WORDS:
        return "fr"
    return "es" if phrase in SPANISH_OPT_IN_WORDS else ""


def language_of_word(word: str) -> str:
    """The language of a word that stands for opting out, opting in or help; else empty."""
    return HELP_LANGUAGES.get(word) or language_of_opt_in(word) or language_of(word)


def with_spellings(words: frozenset[str]) -> frozenset[str]:
    """The words and all the ways in which people type them."""
    return words.union(*(SPELLINGS[word] for word in words & SPELLINGS.keys()))


def of_words(words: frozenset[str]) -> tuple[Family, ...]:
    """Words that opt out, as families: around those with other uses fewer words may stand."""
    narrow = words & NARROW_WORDS
    return (
        Family(narrow, POLITE | TYPED, NARROW_OBJECTS),
        Family(words - narrow, WILLING, OBJECTS),
    )
