"""Long files of opted-out numbers go in parts."""

from heliograph.opt_outs import parts


def test_a_short_file_is_one_part():
    assert list(parts(b"phone_number\n+12065550191\n")) == [(b"phone_number\n+12065550191\n", 0)]
    assert list(parts(b"")) == [(b"", 0)]


def test_each_part_of_a_csv_file_has_its_header_and_knows_its_lines():
    lines = [f"+1206555{n:04}\n".encode() for n in range(10)]

    cut = list(parts(b"phone_number\n" + b"".join(lines), bytes_max=13 + 4 * 13))

    assert all(part.startswith(b"phone_number\n") for part, _ in cut)
    assert b"".join(part.removeprefix(b"phone_number\n") for part, _ in cut) == b"".join(lines)
    assert max(len(part) for part, _ in cut) <= 13 + 4 * 13
    # Line 2 of a part is the first after its header.
    file = [b"phone_number\n", *lines]
    assert all(file[before + 1] == part.splitlines(keepends=True)[1] for part, before in cut)


def test_json_lines_have_no_header():
    lines = [b'{"phone_number": "+1206555019%d"}\n' % n for n in range(4)]

    cut = list(parts(b"".join(lines), bytes_max=80))

    assert [part for part, _ in cut] == [b"".join(lines[:2]), b"".join(lines[2:])]
    assert [before for _, before in cut] == [0, 2]
