"""Every table of every page says N, and what each of its p-values tests: by which test, against which null."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

TESTS = r"t test|[Tt] 检验|portfolio t|组合 t|placebo dates|安慰剂日期|Chow|Ljung-Box|ARCH|Jarque-Bera|CUSUM|F test"
NULLS = r"\b[Nn]ulls?\b|原假设"


class Tables(HTMLParser):
    """The tables of a page: their headings, their first column, and what is said above and below them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, list[str]]] = []
        self._where, self._row = "", 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "table":
            self.found.append({"id": [named["id"] or ""], "caption": [], "heads": [], "rows": [], "notes": []})
        elif tag == "div":
            self._where = "notes" if named.get("class") == "notes" else ""
        elif tag in ("caption", "thead", "tbody", "section", "details"):
            self._where = tag
        elif tag == "th":
            self._where = "heads" if self._where in ("thead", "heads") else "rows"
            if self.found:
                self.found[-1][self._where].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("caption", "thead", "tbody", "div") or (tag == "th" and self._where == "rows"):
            self._where = ""

    def handle_data(self, data: str) -> None:
        if self._where in ("caption", "notes"):
            self.found[-1][self._where].append(data)
        elif self._where in ("heads", "rows") and self.found:
            self.found[-1][self._where][-1] += data


def untold(page: str) -> list[str]:
    """Return what the tables of a page do not say."""
    missing = []
    tables = Tables(page).found
    assert tables
    for table in tables:
        name, said = table["id"][0], " ".join([*table["caption"], *table["notes"]])
        heads = [head.strip() for head in table["heads"]]
        tested = [head for head in heads if re.search(r"(^|\W)p($|\W)", head)]
        numbers = any(re.fullmatch(r"\d+ (firms?|家公司)", head) for head in heads)  # a column for each N
        if not numbers and "N" not in heads and not re.search(r"\bN\b(?! [-−] \d)", said):
            missing.append(f"{name}: N")
        if tested and not re.search(NULLS, said):
            missing.append(f"{name}: the null of {tested}")
        if tested and not {"Test", "检验", "Number", "数字"} & set(heads) and not re.search(TESTS, said):
            missing.append(f"{name}: the test of {tested}")
    return missing


@pytest.mark.parametrize(
    "name",
    ["entity", "chinese", "zte", "hundred", "thousands", "index", "comparison", "leak", "panel-example", "watchlist"],
)
def test_every_table_says_n_and_what_its_p_values_test(page_of, name: str) -> None:
    assert untold(page_of(name).read_text(encoding="utf-8")) == []


def test_a_table_that_does_not_say_it_is_found() -> None:
    def page(caption: str, note: str, head: str = "p") -> str:
        return (
            f'<div class="scroll"><table id="one"><caption>{caption}</caption><thead><tr><th>Firm</th><th>{head}</th></tr>'
            "</thead>"
            f'<tbody><tr><th>AAA</th><td>0.05</td></tr></tbody></table></div><div class="notes"><p>{note}</p></div>'
        )

    told = "p: t test. Null: it is zero. N = 1."
    assert untold(page("Effects", told)) == []
    assert untold(page("Effects, N = 3", "p: t test. Null: it is zero.")) == []
    assert untold(page("Effects", "")) == ["one: N", "one: the null of ['p']", "one: the test of ['p']"]
    assert untold(page("Effects", told.replace("t test", "see above"), "p, fall")) == ["one: the test of ['p, fall']"]
    assert untold(page("Effects", told.replace("N = 1.", ""), "Effect")) == ["one: N"]
    assert untold(page("Effects", told.replace("N = 1", "Student's t with N - 1 degrees of freedom"))) == ["one: N"]
    assert untold(page("No effects", told.replace("Null:", "Nothing:"))) == ["one: the null of ['p']"]
