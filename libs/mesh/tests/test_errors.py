"""Errors know nothing of gRPC, yet carry all that AIP-193 asks for."""

from mesh import errors


def test_an_error_carries_its_reason_and_its_variable_words():
    error = errors.NotFound("BOOK_NOT_FOUND", "books/1 does not exist", book="books/1")
    assert (error.code, error.reason, error.metadata) == (
        "NOT_FOUND",
        "BOOK_NOT_FOUND",
        {"book": "books/1"},
    )
    assert str(error) == "books/1 does not exist"


def test_every_code_has_one_class():
    assert all(kind.code == code for code, kind in errors.BY_CODE.items())
    assert len(errors.BY_CODE) == 14
