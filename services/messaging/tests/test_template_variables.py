"""Variables that a template reads, whichever of its branches is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messaging.rendering import paths, reading
from messaging.rendering.contents import parse_texts
from messaging.rendering.engine import TemplateError
from messaging.rendering.handlebars import HandlebarsEngine
from messaging.rendering.plain import compile_plain

ENGINE = HandlebarsEngine()

FRAGMENTS = [
    "{{Id}}", "{{Nmae}}", "{{{User.UserId}}}", "{{#if Attributes.a}}", "{{else}}", "{{/if}}",
    "{{#each Attributes}}", "{{/each}}", "{{this}}", "{{../Id}}", "{{#with User}}", "{{/with}}",
    "{{@index}}", "{{@root.Id}}", "{{lookup Attributes Id}}", "{{^Metrics.x}}", "{{/Metrics.x}}",
    r"\{{Id}}", "{{! x }}", "{{Attributes.[a b].[0]}}", "{{a.b/c}}", "{{'x'}}", "{{7}}", " } {",
    "{{",
]  # fmt: skip


def read(source):
    return [paths.show(path) for path in reading.variables_of(source)]


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ("Hello", []),
        ("{{Id}} {{{User.UserId}}}", ["Id", "User.UserId"]),
        ("{{#if Metrics.visits}}{{A}}{{else}}{{B}}{{/if}}", ["Metrics.visits", "A", "B"]),
        ("{{#unless A}}{{B}}{{/unless}}", ["A", "B"]),
        ("{{#if A}}x{{else if B}}{{C}}{{/if}}", ["A", "B", "C"]),
        ("{{#with User}}{{UserId}} {{../Id}}{{else}}{{B}}{{/with}}",
         ["User", "User.UserId", "Id", "B"]),
        ("{{#with User}}{{#with UserAttributes}}{{a}}{{../../Id}}{{/with}}{{/with}}",
         ["User", "User.UserAttributes", "User.UserAttributes.a", "Id"]),
        ("{{#with User as |u|}}{{u.UserId}}{{/with}}", ["User", "User.UserId"]),
        ("{{#each Attributes.color}}{{this}} {{@index}} {{@root.Id}}{{/each}}",
         ["Attributes.color", "Attributes.color", "Id"]),
        ("{{#each Attributes.color as |one key|}}{{one}} {{key}}{{/each}}",
         ["Attributes.color", "Attributes.color"]),
        ("{{#Attributes.color}}{{.}}{{/Attributes.color}}",
         ["Attributes.color", "Attributes.color"]),
        ("{{^Attributes.color}}{{Id}}{{/Attributes.color}}", ["Attributes.color", "Id"]),
        ("{{lookup Attributes.color 0}}", ["Attributes.color"]),
        ("{{#if (lookup Attributes.a Id)}}{{B}}{{/if}}", ["Attributes.a", "Id", "B"]),
        (r"\{{Id}} {{! {{Id}} }} {{'quoted'}} {{@index}} {{true}} {{../Id}}", []),
    ],
)  # fmt: skip
def test_every_branch_is_read_and_names_begin_where_their_block_says(source, variables):
    assert read(source) == variables


@pytest.mark.parametrize(
    ("source", "unknown"),
    [
        ("{{Attributes.a}} {{Id}} {{Metrics.x}} {{User.UserAttributes.[b c].[0]}}", []),
        ("{{#if Attributes.a}}{{Attribute.a}}{{/if}}", ["Attribute.a"]),
        ("{{#if Attribute.a}}x{{/if}}", ["Attribute.a"]),
        ("{{#if Id}}{{Text.Rest}} {{Text.Keyword}} {{Text.Word}}{{/if}}", ["Text.Word"]),
        ("{{#with Text}}{{Rest}} {{Word}}{{/with}}", ["Text.Word"]),
        ("{{#each Attributes}}{{this}} {{@key}}{{/each}}", []),
        ("{{#each User}}{{this}}{{/each}}", []),
        ("{{#each Attributes.a}}{{User.UserId}}{{/each}}", ["Attributes.a.User.UserId"]),
        ("{{#each Attributes.a}}{{../User.UserId}}{{/each}}", []),
        ("{{#with User}}{{UserId}} {{UserID}}{{/with}}", ["User.UserID"]),
        ("{{#each Sizes}}{{this}}{{/each}} {{Sizes.[0]}}", []),
        ("{{A}} {{#if Id}}{{A}}{{/if}}", ["A"]),
    ],
)
def test_what_nobody_can_have_is_unknown(source, unknown):
    given = [parse_texts(one) for one in ({"Text.Rest": "", "Text.Keyword": ""}, {"Sizes": "M"})]

    assert reading.unknown([source], *given) == unknown


@pytest.mark.parametrize(
    "hidden", ["{{upper Id}}", "{{#each Id}}{{#if (eq Id 1)}}{{/if}}{{/each}}"]
)
def test_a_helper_that_there_is_not_is_found_in_a_branch_that_nobody_takes(hidden):
    source = "{{#if Attributes.a}}" + hidden + "{{/if}}"
    assert ENGINE.compile(source, html=False)

    with pytest.raises(TemplateError, match="Missing helper"):
        read(source)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12))
def test_whatever_compiles_can_be_read(fragments):
    source = "".join(fragments)
    try:
        ENGINE.compile(source, html=False)
    except TemplateError:
        return
    variables = read(source)

    if compile_plain(source, html=False):
        assert len(variables) == source.count("{{") - source.count("{{!")
