#!/usr/bin/python3
"""A statement, a tax month's report and a tax invoice, printed to PDF by Chromium and read back by poppler: the whole text of each page
of HTML is there, Hangul and hostile names with it, in its order; the figures are those of --json; each sheet is A4, has its number and
the heads of its table, and nothing stands beyond its margins.

usage: printed.py JANGBU [DIR]     with DIR: in English, too, and the pages stay there, as pictures, to be looked at"""
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata

JANGBU = os.path.abspath(sys.argv[1])
TOOLS = ("chromium", "pdftotext", "pdfinfo")
A4 = (595.3, 841.9)   # points
MARGIN = 28           # 10 mm: the pages ask for 12 and more
WALLET, USAGES = "가게-1", 150
SUPPLIER = {"number": "120-81-47521", "name": "(주)공급 <i>&", "representative": "홍길동", "address": "서울특별시 강남구 테헤란로 152, 강남파이낸스센터 27층",
            "type": "서비스업", "item": "광고", "email": "tax@example.kr"}


def run(args, **kw):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, **kw)
    assert done.returncode == 0, f"{args}: {done.stderr.decode(errors='replace')[-600:]}"
    return done.stdout


def jangbu(*args, **kw):
    return run([JANGBU, *args], **kw).decode()


# ---- an example ----

def commands():
    def line(day, minute, op, **members):
        month, day = (10, day) if day < 32 else (11, day - 31)
        return {"op": op, "wallet": WALLET, **members, "clock": f"2026-{month}-{day:02}T{9 + minute // 60:02}:{minute % 60:02}:00+09:00"}

    yield line(1, 0, "wallet.create", kind="BUSINESS", name="커피공방 <b>&\"'")
    yield line(1, 1, "biz.request", biz="1048612345", biz_name="주식회사 커피공방", representative="이순신",
               address="서울특별시 마포구 마포대로 1, 뒤편 건물 12층 1203호 (공덕동)")
    yield line(1, 2, "biz.approve", seq=12)
    yield line(1, 3, "charge", charge="충전-1", amount=123456789, method="CREDIT_CARD", pg="tosspayments", approve_no="30012345")
    yield line(1, 4, "free.grant", grant="무료-1", amount=5000, expires_on="2026-12-31")
    yield line(1, 5, "free.activate", grant="무료-1")
    for i in range(USAGES):
        name = {3: "<script>alert(1)</script>&amp;", 7: "긴이름" * 7, 11: "x" * 64}.get(i, f"사용-{i}")
        yield line(2 + i * 28 // USAGES, i % 50, "consume", usage=name, amount=1000 + 37 * i)
    yield line(30, 100, "consume.reverse", usage="사용-5", amount=500)
    yield line(34, 0, "invoice.issue", month="2026-10")


def make(ledger):
    jangbu("init", ledger)
    text = "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in sorted(commands(), key=lambda c: c["clock"]))
    jangbu("apply", ledger, "--clock=at", input=text.encode())


# ---- what should stand there ----

class Visible(html.parser.HTMLParser):
    """The words of a page, in their order; those of the heads of tables are apart, because each sheet has them again."""

    def __init__(self):
        super().__init__()
        self.words, self.heads, self.hidden, self.head = [], [], 0, 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("style", "title", "head")
        self.head += tag == "thead"

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "title", "head")
        self.head -= tag == "thead"

    def handle_data(self, data):
        if not self.hidden:
            (self.heads if self.head else self.words).extend(squeezed(word) for word in data.split())


def squeezed(text):
    """Without blanks, composed: a PDF has its own ideas of both."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def print_page(work, name, page):
    source, pdf = os.path.join(work, name + ".html"), os.path.join(work, name + ".pdf")
    with open(source, "w", encoding="utf-8") as file:
        file.write(page)
    run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + os.path.join(work, "profile"),
         "--no-pdf-header-footer", "--print-to-pdf=" + pdf, "file://" + source])
    return pdf


def check_words(name, pdf, page):
    """Every word, as often as it stands in the page of HTML: what is cut off, or hidden behind something, is not in the PDF."""
    visible = Visible()
    visible.feed(page)
    text = squeezed(run(["pdftotext", "-raw", pdf, "-"]).decode())
    for word in set(visible.words):
        wanted = visible.words.count(word)
        assert text.count(word) >= wanted, f"{name}: {word!r} stands {text.count(word)} times on paper, and {wanted} times in the page"
    assert any("가" <= c <= "힣" for c in text), f"{name}: no Hangul"
    return visible


def check_sheets(name, pdf, visible, expected):
    info = run(["pdfinfo", pdf]).decode()
    sheets = int(re.search(r"^Pages: +(\d+)", info, re.M)[1])
    size = [float(n) for n in re.search(r"^Page size: +([\d.]+) x ([\d.]+)", info, re.M).groups()]
    assert all(abs(a - b) < 1.5 for a, b in zip(size, A4)), f"{name}: {size} is not A4"
    assert expected <= sheets <= expected + 2, f"{name}: {sheets} sheets, {expected} to {expected + 2} are expected, as the font is"
    boxes = run(["pdftotext", "-bbox", pdf, "-"]).decode()
    pages = re.findall(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', boxes, re.S)
    assert len(pages) == sheets, (name, len(pages), sheets)
    for number, (width, height, words) in enumerate(pages, 1):
        found = re.findall(r'<word xMin="(-?[\d.]+)" yMin="(-?[\d.]+)" xMax="(-?[\d.]+)" yMax="(-?[\d.]+)">', words)
        assert found, f"{name}: sheet {number} is empty"
        for box in found:
            left, top, right, bottom = map(float, box)
            assert left >= MARGIN and right <= float(width) - MARGIN and top >= MARGIN / 2 and bottom <= float(height) - MARGIN / 2, \
                f"{name}: something on sheet {number} stands beyond the margins: {box}"
        text = squeezed(run(["pdftotext", "-raw", "-f", str(number), "-l", str(number), pdf, "-"]).decode())
        assert sheets == 1 or f"{number}/{sheets}" in text, f"{name}: sheet {number} of {sheets} has no number"
        assert number == 1 or all(head in text for head in visible.heads[-3:]), f"{name}: sheet {number} is without the heads of its table"
    return sheets


def check_figures(name, pdf, figures):
    text = squeezed(run(["pdftotext", "-raw", pdf, "-"]).decode())
    for figure in figures:
        assert f"{abs(figure):,}" in text, f"{name}: {figure:,} is not on paper"


def look_at(work, name, page, figures, expected=4):
    pdf = print_page(work, name, page)
    visible = check_words(name, pdf, page)
    sheets = check_sheets(name, pdf, visible, expected)
    check_figures(name, pdf, figures)
    if len(sys.argv) > 2:
        run(["pdftoppm", "-r", "60", "-png", pdf, os.path.join(work, name)])
    return f"{name}: {len(visible.words)} words on {sheets} sheets"


def check(work):
    ledger, supplier = os.path.join(work, "ledger"), os.path.join(work, "us.json")
    with open(supplier, "w", encoding="utf-8") as file:
        json.dump(SUPPLIER, file)
    make(ledger)
    for lang in ("ko", "en") if len(sys.argv) > 2 else ("ko",):
        asked = ["statement", ledger, WALLET, "2026-10-01", "2026-10-31"]
        s = json.loads(jangbu(*asked, "--json"))
        rows = s["rows"]
        figures = [s["opening"]["total"], s["closing"]["total"], *(r["effect"] for r in rows), *(r["balance"] for r in rows), *s["sums"].values()]
        print(look_at(work, f"statement-{lang}", jangbu(*asked, "--html", "--supplier", supplier, "--lang", lang), figures))
        asked = ["report", ledger, WALLET, "2026-10"]
        print(look_at(work, f"report-{lang}", jangbu(*asked, "--html", "--supplier", supplier, "--lang", lang), []))
        paid = json.loads(jangbu("receipts", ledger, WALLET, "--json"))["rows"]
        print(look_at(work, f"receipts-{lang}", jangbu("receipts", ledger, WALLET, "--html", "--lang", lang), [r["amount"] for r in paid], 1))
        d = json.loads(jangbu("invoice", ledger, "1", "--json"))
        print(look_at(work, f"invoice-{lang}", jangbu("invoice", ledger, "1", "--html", "--supplier", supplier, "--lang", lang),
                      [d["supply"], d["vat"], d["total"], *(r["amount"] for r in d["rows"])]))


def main():
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print("skipped: without", ", ".join(missing), "(Debian: chromium, poppler-utils) no page can be printed")
        return 77
    if len(sys.argv) > 2:
        os.makedirs(sys.argv[2], exist_ok=True)
        check(os.path.abspath(sys.argv[2]))
        return 0
    with tempfile.TemporaryDirectory() as work:
        check(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
