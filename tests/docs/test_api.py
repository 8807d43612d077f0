"""docs/api.md says of error codes what the contract says."""

from __future__ import annotations

from shared.domain.errors import Code
from tests.docs.error_codes import BEGIN, END, with_table
from tests.docs.pages import table, text_of


def test_the_table_of_error_codes_is_the_contracts() -> None:
    page = text_of("api.md")

    assert BEGIN in page
    assert END in page
    assert page == with_table(page), "run `python -m tests.docs.error_codes`"


def test_every_error_code_is_documented() -> None:
    rows = table(text_of("api.md"), "Code", "Status", "Meaning")

    assert {row["Code"].strip("`") for row in rows} == set(Code)
