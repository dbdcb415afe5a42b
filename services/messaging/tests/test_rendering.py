"""Templates: Pinpoint's variables, defaults, escaping, guards."""

import pytest
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.content_pb2 import (
    EmailContent,
    MessageContent,
    PushContent,
    SmsContent,
)
from hypothesis import given
from hypothesis import strategies as st
from messaging.rendering import paths
from messaging.rendering.contents import compile_content, parse_texts
from messaging.rendering.engine import Scope, TemplateError
from messaging.rendering.handlebars import HandlebarsEngine
from messaging.rendering.plain import compile_plain

ENGINE = HandlebarsEngine()


def someone():
    endpoint = Endpoint(name="applications/shop/endpoints/e1", address="+14155550123")
    endpoint.attributes["color"].values.extend(["red", "blue"])
    endpoint.attributes["empty"].values.append("")
    endpoint.user.user_id = "u1"
    endpoint.user.attributes["FirstName"].values.append("Ann & Co")
    endpoint.user.attributes["Last Name"].values.append("Lee")
    endpoint.metrics["visits"] = 3
    endpoint.metrics["score"] = 1.5
    endpoint.location.city = "Paris"
    endpoint.location.latitude = 48.9
    endpoint.channel_type = ChannelType.SMS
    endpoint.opt_out = Endpoint.NONE
    return endpoint


def rendered(source, html=False, defaults=(), substitutions=()):
    scope = Scope(someone(), parse_texts(dict(substitutions)), parse_texts(dict(defaults)))
    text = ENGINE.compile(source, html=html)(scope)
    return text, scope.missing


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("no variable", "no variable"),
        ("{{Address}}", "+14155550123"),
        ("{{Id}} {{User.UserId}} {{ChannelType}} {{OptOut}}", "e1 u1 SMS NONE"),
        ("{{User.UserAttributes.FirstName.[0]}}", "Ann & Co"),
        ("{{User.UserAttributes.[Last Name]}}", "Lee"),
        ("{{User.UserAttributes.[Last Name].[0]}}!", "Lee!"),
        ("{{Attributes.color}}", "red,blue"),
        ("{{Attributes.color.[1]}}", "blue"),
        ("{{Metrics.visits}} {{Metrics.score}}", "3 1.5"),
        ("{{Location.City}} {{Location.Latitude}}", "Paris 48.9"),
        ("{{ Location.City }} {{{Location.City}}}", "Paris Paris"),
        ("{{#if Attributes.color}}has{{else}}lacks{{/if}}", "has"),
        ("{{#each Attributes.color}}<{{this}}>{{/each}}", "<red><blue>"),
        ("{{#unless Attributes.size}}any size{{/unless}}", "any size"),
        ("{{! a comment }}x", "x"),
        (r"\{{Address}}", "{{Address}}"),
        ("curly } { braces", "curly } { braces"),
    ],
)
def test_a_variable_prints_what_the_endpoint_has(source, text):
    assert rendered(source) == (text, [])


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("{{Attributes.size}}", "Attributes.size"),
        ("{{Attributes.empty}}", "Attributes.empty"),
        ("{{Attributes.color.[7]}}", "Attributes.color.[7]"),
        ("{{Location.Region}}", "Location.Region"),
        ("{{nonsense}}", "nonsense"),
        ("{{#if Address}}{{Attributes.size}}{{/if}}", "Attributes.size"),
    ],
)
def test_a_variable_without_a_value_is_left_out_and_noted(source, missing):
    assert rendered(source) == ("", [missing])


@pytest.mark.parametrize("wrapped", ["{}", "{{{{#if Address}}}}{}{{{{/if}}}}"])
def test_a_default_stands_in_and_a_substitution_wins(wrapped):
    source = wrapped.format("{{Attributes.size}} {{Location.City}} {{code}}")
    defaults = {"Attributes.size": "M", "Location.City": "home"}
    substitutions = {"code": "7", "Attributes.size": "L"}

    assert rendered(source, defaults=defaults, substitutions={"code": "7"}) == ("M Paris 7", [])
    assert rendered(source, substitutions=substitutions)[0] == "L Paris 7"


def test_a_default_of_the_list_stands_in_for_each_value():
    source, defaults = "{{Attributes.size.[0]}}", {"Attributes.size": "M"}

    assert rendered(source, defaults=defaults) == ("M", [])


@pytest.mark.parametrize("wrapped", ["{}", "{{{{#if Address}}}}{}{{{{/if}}}}"])
def test_values_are_escaped_in_html_only(wrapped):
    source = wrapped.format("<b>{{User.UserAttributes.FirstName}}</b>")
    raw = source.replace("{{User", "{{{User").replace("FirstName}}", "FirstName}}}")

    assert rendered(source, html=True)[0] == "<b>Ann &amp; Co</b>"
    assert rendered(source)[0] == "<b>Ann & Co</b>"
    assert rendered(raw, html=True)[0] == "<b>Ann & Co</b>"


@pytest.mark.parametrize(
    "source",
    [
        "{{#if",
        "{{#if x}}",
        "{{/if}}",
        "{{{Address}}",
        "a { {{{Address}}",
        "{{upper Address}}",
        "{{> partial}}",
        '{{#* inline "x"}}{{/inline}}',
        "{{#each a}}{{#each b}}{{#each c}}{{/each}}{{/each}}{{/each}}",
        "x" * 600_001,
    ],
)
def test_what_does_not_compile_or_could_run_away_is_refused(source):
    with pytest.raises(TemplateError):
        ENGINE.compile(source, html=False)


@pytest.mark.parametrize("name", ["__class__", "DESCRIPTOR", "SerializeToString", "ListFields"])
def test_nothing_but_data_is_reached(name):
    assert rendered("{{" + name + "}}")[0] == ""
    assert rendered("{{#if Address}}{{User." + name + "}}{{/if}}")[0] == ""


@given(st.text(alphabet=st.characters(exclude_characters="{}\\"), max_size=100))
def test_text_without_braces_is_itself(text):
    assert rendered(text) == (text, [])


@given(st.text(min_size=1, max_size=50))
def test_a_substituted_text_is_never_a_template(text):
    value = text + "{{Address}}"

    assert rendered("{{code}}", substitutions={"code": value})[0] == value


@given(st.lists(st.text(alphabet="abcXYZ_ é'", min_size=1, max_size=8), min_size=1, max_size=4))
def test_a_path_that_is_shown_is_parsed_back(segments):
    path = tuple(segments)

    assert paths.parse(paths.show(path)) == path or path in {("this",)} or path[0] == "this"


@given(st.text(alphabet="{}[].#/ abA1\"'=@!>&^~\\", max_size=30))
def test_any_source_compiles_or_is_refused_and_then_renders(source):
    try:
        template = ENGINE.compile(source, html=True)
        template(Scope(someone()))
    except TemplateError:
        pass


def test_the_short_cut_says_the_same_as_the_language():
    source = "{{Attributes.color}}-{{User.UserAttributes.FirstName.[0]}}-{{Metrics.visits}}-{{No}}"
    plain = compile_plain(source, html=True)
    whole = ENGINE.compile(source + "{{#if No}}{{/if}}", html=True)

    assert plain is not None
    assert plain(Scope(someone())) == whole(Scope(someone()))


def test_content_is_compiled_once_and_a_line_break_adds_no_header():
    content = MessageContent(
        sms=SmsContent(body="Hi {{Location.City}}"),
        email=EmailContent(subject="Hi {{x}}", html_body="<p>{{x}}</p>", text_body="{{x}}"),
        push=PushContent(title="{{x}}", data={"deep": "{{x}}"}),
    )
    scope = Scope(someone(), parse_texts({"x": "a\r\nBcc: <b>"}))

    compiled = compile_content(content)

    assert compile_content(content) is compiled
    email = compiled.parts[ChannelType.EMAIL].render(scope)
    assert email.subject == "Hi a Bcc: <b>"
    assert email.html_body == "<p>a\r\nBcc: &lt;b&gt;</p>"
    push = compiled.parts[ChannelType.PUSH_FCM].render(scope)
    assert push.data == {"deep": "a\r\nBcc: <b>"}
    sms = compiled.parts[ChannelType.SMS].render(scope)
    assert (sms.text, len(sms.segments.parts)) == ("Hi Paris", 1)


@pytest.mark.parametrize("length", [0, 1601])
def test_a_text_message_that_renders_too_short_or_too_long_is_refused(length):
    content = MessageContent(sms=SmsContent(body="{{x}}"))
    scope = Scope(someone(), parse_texts({"x": "x" * length}))

    with pytest.raises(TemplateError):
        compile_content(content).parts[ChannelType.SMS].render(scope)
