"""What texts mean, case by case."""

import pytest
from twoway.intents import Action, Keyword, Meaning, rule_sets, understand
from twoway.intents.understanding import Intent, language_of_mention

OPT_OUTS = [
    # 47 CFR 64.1200(a)(10), per se revocations
    *("STOP", "stop", "Quit", "end", "revoke", "opt out", "Cancel", "unsubscribe"),
    # CTIA Messaging Principles, Amazon Pinpoint, Twilio
    *("OPT-OUT", "optout", "REMOVE", "TD", "STOPALL", "Unsubscribe.", "QUIT!"),
    # Canadian common short codes
    *("ARRET", "Arrêt", "arrêt.", "ARRÊTER", "désabonner"),
    # as people type them
    *("Stop.", "STOP please", "stop all", "stop!!!", '"STOP"', "“stop”", "'stop'", "«STOP»"),
    *("stop 🛑", "😡stop😡", "S.T.O.P.", "S T O P", "s-t-o-p", "stop\n", "  stop  ", "Stopp"),
    *("STOP/END", "STOP STOP STOP", "Reply STOP to end", "STOP 2 END", "stop to cancel", "5TOP"),
    *("ＳＴＯＰ", "ЅТОР", "ѕtop", "S\u200bT\u200bO\u200bP", "\ufeffstop", "st\u00adop", "STÓP"),
    *("stop now", "please stop", "Pls stop thx", "ok stop", "hey stop it", "Stop texting"),
    # what a reasonable person would understand (FCC; CTIA: normal language)
    *("please stop texting me", "unsubscribe me", "please opt me out", "I want to opt out"),
    *("remove me from your list", "Take me off your list!", "stop sending me messages"),
    *("Don't text me", "do not contact me again", "dont text this number anymore"),
    *("no more messages please", "I don't want these messages", "never text me again"),
    *("cancel my subscription", "leave me alone", "stop or I will call my lawyer"),
    *("Wrong person, stop texting me already", "I revoke my consent", "how do I unsubscribe?"),
    *("would you please stop", "lose my number", "stop all messages from this number"),
    *("no more", "cease and desist", "end subscription", "I no longer wish to receive these texts"),
    # other languages
    *("parar", "alto", "BAJA", "no más", "abmelden", "Desabonnez-moi"),
]
OPT_INS = ["START", "start", "Start.", "UNSTOP", "unstop please", "opt in", "OPT-IN", "subscribe"]
OPT_INS += [
    "start sending messages",
    "please start",
    "resume",
    "“START”",
    "ＳＴＡＲＴ",
    "reprendre",
]
HELPS = [
    "HELP",
    "help",
    "Help!",
    "help me",
    "INFO",
    "info?",
    "AIDE",
    "aide svp",
    "ayuda",
    "ＨＥＬＰ",
]
AMBIGUOUS = [
    *("don't stop", "dont ever stop", "stop by tomorrow", "never stop", "I can't stop laughing"),
    *("the bus stop", "Did it stop raining?", "stop start", "cancel my appointment", "end it all"),
    *("I need to cancel", "My ex won't stop texting me", "quit smoking", "why did you stop?"),
    *("don't unsubscribe me", "wrong number", "not interested", "remove the cake from the oven"),
    *("nonstop or stop", "is this spam?", "opt out of what", "you never stop"),
]
CHATTER = [
    *(
        "restart",
        "Restart please",
        "yes",
        "no",
        "ok",
        "",
        "   ",
        "!!!",
        "🙂",
        "👍🏽",
        "unstoppable",
    ),
    *("the end", "You don't text me anymore :(", "start of what?", "restarting now", "stopwatch"),
    *("weekend", "backend", "I will send it", "when do we start", "information desk", "helpful"),
    *("don't want to go", "take me with you", "get me a coffee", "tdap", "friend", "nonstop"),
    *("quitter", "cancelled", "this is great", "see you tomorrow", "\u200b", "\x00", "12345"),
]


@pytest.mark.parametrize("text", OPT_OUTS)
def test_a_wish_for_silence_is_an_opt_out(text: str) -> None:
    assert understand(text).intent is Intent.OPT_OUT


@pytest.mark.parametrize("text", OPT_INS)
def test_only_a_whole_start_opts_in(text: str) -> None:
    assert understand(text).intent is Intent.OPT_IN


@pytest.mark.parametrize("text", HELPS)
def test_help_in_every_spelling_is_help(text: str) -> None:
    assert understand(text).intent is Intent.HELP


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_what_only_mentions_stopping_is_flagged_for_a_person(text: str) -> None:
    assert understand(text) == Meaning(Intent.AMBIGUOUS, flagged=True)


@pytest.mark.parametrize("text", CHATTER)
def test_everything_else_is_chatter(text: str) -> None:
    assert understand(text) == Meaning(Intent.CHATTER)


@pytest.mark.parametrize(
    ("text", "language"),
    [("ARRET", "fr"), ("Arrêt", "fr"), ("STOP", ""), ("AIDE", "fr"), ("HELP", ""), ("parar", "es")],
)
def test_the_word_says_the_language(text: str, language: str) -> None:
    assert understand(text).language == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Arrêter demain ?", "fr"),
        ("Bonjour, arrêt du bus ?", "fr"),
        ("Plus de messages le dimanche", "fr"),
        ("Hé, arrêtez de m'envoyer ça sinon", "fr"),
        ("Stop? Darme de baja mañana", "es"),
        ("baja el precio", "es"),
        ("abmelden oder nicht", "de"),
        # "alto" is also a name: only where it begins, it is a word of Spanish
        ("stop by Palo Alto", ""),
        ("I can't, stop it all ok", ""),
        ("wrong number", ""),
    ],
)
def test_what_speaks_of_opting_out_says_the_language(text: str, language: str) -> None:
    assert language_of_mention(text) == language
    assert understand(text, rules=rule_sets.CUSTOM).flagged


JOIN = Keyword("join", ("join",), Action.OPT_IN)
JOIN_VIP = Keyword("join-vip", ("join", "vip"), Action.AUTOMATIC_RESPONSE)
PLEASE = Keyword("please", ("please",), Action.AUTOMATIC_RESPONSE)
BASTA = Keyword("basta", ("basta",), Action.OPT_OUT)
INFO = Keyword("info", ("info",), Action.AUTOMATIC_RESPONSE)
HELP_CHOOSE = Keyword("choose", ("help", "me", "choose"), Action.AUTOMATIC_RESPONSE)
STOP_ALERTS = Keyword("alerts", ("stop", "alerts"), Action.OPT_OUT)
KEYWORDS = (JOIN, JOIN_VIP, PLEASE, BASTA, INFO, HELP_CHOOSE, STOP_ALERTS)


@pytest.mark.parametrize(
    ("text", "intent", "keyword_id"),
    [
        ("JOIN", Intent.OPT_IN, "join"),
        ("join us today", Intent.OPT_IN, "join"),
        ("Join VIP now", Intent.KEYWORD_MATCH, "join-vip"),
        ("joining", Intent.CHATTER, ""),
        ("let me join", Intent.CHATTER, ""),
        ("basta!", Intent.OPT_OUT, "basta"),
        ("please", Intent.KEYWORD_MATCH, "please"),
        ("please stop", Intent.OPT_OUT, "stop"),
        ("please join", Intent.KEYWORD_MATCH, "please"),
        ("STOP", Intent.OPT_OUT, "stop"),
        ("stop alerts", Intent.OPT_OUT, "alerts"),
        ("help", Intent.HELP, "help"),
        ("Help me choose a hat", Intent.KEYWORD_MATCH, "choose"),
        ("start", Intent.OPT_IN, "start"),
    ],
)
def test_the_longest_keyword_wins_but_never_over_stop(
    text: str, intent: Intent, keyword_id: str
) -> None:
    meaning = understand(text, KEYWORDS)

    assert (meaning.intent, meaning.keyword_id) == (intent, keyword_id)


def test_a_custom_info_keyword_still_counts_as_asking_for_help() -> None:
    assert understand("INFO", KEYWORDS).asks_help
    assert not understand("join", KEYWORDS).asks_help


def test_a_text_of_any_length_is_understood() -> None:
    assert understand("stop " * 2_000).intent is Intent.OPT_OUT
    assert understand("x" * 1_000_000).intent is Intent.CHATTER
