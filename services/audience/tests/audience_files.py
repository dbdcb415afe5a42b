"""Files to import: plain ones, and awkward ones, as people have them."""

HEADER = (
    "\ufeffChannelType,address,ID,OptOut,User.UserId,Attributes.interest,Attributes.interest,"
    "Metrics.age,Demographic.Timezone,Location.Country,Location.Latitude,Location.Longitude,"
    "User.UserAttributes.first,EndpointStatus\r\n"
)


def row(**cells: str) -> str:
    """A good row, but for the cells that are given."""
    given = {
        "channel": "SMS",
        "address": "+14155550100",
        "id": "",
        "opt_out": "",
        "user": "",
        "first_interest": "",
        "second_interest": "",
        "age": "",
        "zone": "",
        "country": "",
        "latitude": "",
        "longitude": "",
        "name": "",
        "status": "ACTIVE",
    }
    return ",".join({**given, **cells}.values()) + "\r\n"


# Line, field and reason of every row that is refused.
AWKWARD_FAILURES = [
    (6, "Address", "ADDRESS_INVALID"),
    (7, "ChannelType", "CHANNEL_TYPE_INVALID"),
    (8, "", "ENCODING_INVALID"),
    (9, "", "CELL_COUNT_MISMATCH"),
    (10, "", "CELL_COUNT_MISMATCH"),
    (11, "Metrics.age", "METRIC_INVALID"),
    (12, "Demographic.Timezone", "TIMEZONE_INVALID"),
    (13, "Location.Country", "COUNTRY_INVALID"),
    (14, "Location.Latitude", "COORDINATE_INVALID"),
    (15, "Location", "COORDINATE_INCOMPLETE"),
    (16, "User.UserId", "USER_ID_MISSING"),
    (17, "Attributes.interest", "ATTRIBUTE_VALUE_TOO_LONG"),
    (18, "OptOut", "OPT_OUT_INVALID"),
    (19, "", "QUOTE_INVALID"),
    (20, "Attributes", "NUL_CHARACTER"),
    (23, "Id", "ENDPOINT_ID_INVALID"),
    (25, "", "QUOTE_INVALID"),
]


# As Pinpoint's export job writes a file: gzip of EndpointResponse, one a line.
PINPOINT_EXPORT = [
    {
        "Id": "0dd7c9b9",
        "ApplicationId": "4fd1a1bf",
        "ChannelType": "EMAIL",
        "Address": "ann@example.com",
        "OptOut": "NONE",
        "EndpointStatus": "ACTIVE",
        "RequestId": "93fd5fe2",
        "CohortId": "39",
        "CreationDate": "2023-01-01T00:00:00.000Z",
        "EffectiveDate": "2023-06-01T00:00:00.000Z",
        "Attributes": {"interest": ["golf", "chess"]},
        "Metrics": {"age": 31.0},
        "Demographic": {"Make": "LG", "Platform": "Android", "Timezone": "Europe/Berlin"},
        "Location": {"Country": "DEU", "PostalCode": "10115"},
        "User": {"UserId": "u1", "UserAttributes": {"first": ["Ann"]}},
    },
    {
        "Id": "7a1",
        "ApplicationId": "4fd1a1bf",
        "ChannelType": "APNS",
        "Address": "ab" * 32,
        "OptOut": "ALL",
        "EndpointStatus": "INACTIVE",
        "CohortId": "0",
        "Attributes": {},
        "Metrics": {},
        "Demographic": {},
        "Location": {},
        "User": {"UserId": "u1"},
    },
]


def awkward() -> bytes:
    """BOM, CRLF, repeated and mixed-case headers, quoted line breaks, every kind of bad row."""
    lines = [
        HEADER,
        row(id="plain", first_interest="golf", second_interest="chess", age="31"),  # line 2
        row(address='"+1 (415) 555-0101"', id="quoted", name="Ann", user="u1", country="usa"),
        row(channel="gcm", address="token", id='"two\nlines"'.replace("\n", " "), age='"1e2"'),
        row(channel="EMAIL", address="Ünï@Example.COM", id="mail", zone="Europe/Berlin"),
        row(address="555"),  # line 6
        row(channel="FAX"),
        row(id="latin", name="JOS\xc9", user="u2"),
        "SMS,+14155550102\r\n",
        row(status="ACTIVE,more"),
        row(age='"12,5"'),
        row(zone="Mars/Olympus"),
        row(country="Germany"),
        row(latitude="north", longitude="1"),
        row(latitude="52.5"),
        row(name="Ann"),
        row(first_interest="x" * 101),
        row(opt_out="maybe"),
        row(id='"closed"again'),
        row(first_interest="nul\0"),
        row(address="+14155550103", id="line-break", first_interest='"two\r\nlines"'),  # 21, 22
        row(id="a/b"),
        "\r\n",
        row(address="+14155550104", id="last", first_interest='"never closed'),
    ]
    text = "".join(lines)
    return text.replace("JOS\xc9", "JOS\udcc9").encode(errors="surrogateescape")


def people(count: int) -> bytes:
    """A plain file of so many endpoints, each of a user of its own."""
    rows = [
        f"SMS,+1415{5_000_000 + index},e{index},u{index},{index % 90},name {index}\n"
        for index in range(count)
    ]
    header = "ChannelType,Address,Id,User.UserId,Metrics.age,User.UserAttributes.name\n"
    return (header + "".join(rows)).encode()
