"""`python -m tests.docs.error_codes` makes the table of error codes in docs/api.md from the contract."""

from __future__ import annotations

import json
from typing import Final

from tests.docs.pages import DOCS, ROOT

BEGIN: Final = "<!-- error codes -->\n"
END: Final = "<!-- end of error codes -->\n"

_CONTRACT: Final = ROOT / "contracts" / "schemas" / "errorCode.json"


def error_codes() -> str:
    """The table, one row a code in the contract's order."""
    codes = json.loads(_CONTRACT.read_text("utf-8"))["oneOf"]
    rows = [f"| `{code['const']}` | {code.get('x-http-status', '')} | {code['description']} |" for code in codes]
    return "\n".join(["| Code | Status | Meaning |", "|---|---|---|", *rows, ""])


def with_table(page: str) -> str:
    """The page with the table between its two marks, in place of what stood there."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + error_codes() + END + rest.partition(END)[2]


if __name__ == "__main__":
    api = DOCS / "api.md"
    api.write_text(with_table(api.read_text("utf-8")), "utf-8")
