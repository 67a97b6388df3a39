#!/usr/bin/python3
"""Every sentence of the sources has its Korean in the catalogue of its room, and is looked up there.

A sentence is what is given to a function that says it (SINKS), what is marked as one (MARKS), and every other text with two words
side by side. Such a text is an error where it is given to a function that does not look it up (snprintf, fputs, ...), unless it is
wrapped in a mark there. Of the catalogues it is asked: in order, nothing twice, nothing unused, the same conversions of the same
types, Hangul, and no particle that varies with the last sound of what was put in before it.

usage: check.py ROOT             checks the tree
       check.py --missing ROOT   prints rows for what is missing
       check.py --sort ROOT      puts the rows in order
       check.py --selftest       checks the checker
"""
import errno
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# Function: which of its arguments, from 0, is a sentence or a piece of one, and is looked up inside of it.
CORE_SINKS = {
    "jb_fail": 2, "jb_fail_errno": 3, "jb_env_fail": 3, "jb_store_damaged": 1, "jb_store_failed": 2, "jb_ledger_refuse": 1,
    "jb_personal_fail": 2, "bad": 2, "unknown": 2, "require": 2, "malformed": 2, "check_one_of": 2, "nonsense": 2, "not_cleared": 3, "no": 2, "refuse": 2,
    "stale": 2, "damaged": 2, "CONTRADICTION": 1, "contradicts": 0, "contradiction": 2, "jb_fold_contradiction": 2, "end_deletion": 1,
    "jb_found": 5, "jb_not_checked": 2, "jb_note": 1, "jb_say": 1, "jb_refute_text": 2, "jb_refute_at": 2, "differs": 2, "say": 1,
    "count": 2, "same": 1, "no_form": 2,
}
CORE_MARKS = {"jb_tr", "JB_SAID"}
# What is put into a sentence: their arguments from that one on. A word among them is marked, too, but for INTERFACE.
FORMATTERS = {"snprintf": 3, "fprintf": 2, "printf": 1}
INTERFACE = {"null", "true", "false", ", secret", "/tmp", "SIGINT", "SIGTERM"}
# Not for people who run the program, or said before there is a language: asserts and the compiler's own.
SILENT = {"static_assert", "_Static_assert", "JB_ASSERT", "asprintf", "strcmp", "WIRE", "SENTENCE", "INSTEAD", "OF_STATE", "CONDITION", "USAGE"}

TOOL_MARKS = {"tr", "SAID"}
PROGRAM_SINKS = {"app_usage": 1, "app_sentence": 1, "app_sentencef": 1, "table_cellf": 1, "progress_begin": 1, "app_time_header": 1,
                 "ROW": (0, 1), "refuse_group": 4, "failed": 1}
GATEWAY_SINKS = {"said": 2}
JSON_SINKS = {"wrong": 3, "usage": 1, "null_given": 1}

PAGES_CATALOGUE = "tools/pages/korean_pages.def"
PAGES = ["tools/gateway/page.c", *(f"tools/gateway/page_{part}.c" for part in ("cash", "do", "form", "operator", "papers", "people", "sign", "wallet"))]
ROOMS = [
    {"name": "core", "sources": ["core", "projections", "replay"], "catalogue": "core/base/korean_core.def", "sinks": CORE_SINKS, "marks": CORE_MARKS},
    {"name": "json", "sources": ["tools/json"], "catalogue": "tools/json/korean_json.def", "sinks": JSON_SINKS, "marks": TOOL_MARKS},
    {"name": "program", "sources": ["tools/jangbu"], "catalogue": "tools/jangbu/korean_program.def", "also": ["tools/json/korean_json.def"],
     "sinks": PROGRAM_SINKS, "marks": TOOL_MARKS | {"COLUMN", "HELP"}, "plain": ["tools/jangbu/export_books.c"]},
    {"name": "pages", "sources": ["tools/pages"], "catalogue": PAGES_CATALOGUE, "also": ["tools/json/korean_json.def"],
     "sinks": {}, "marks": TOOL_MARKS, "plain": ["tools/pages/html.c", "tools/pages/chart.c"]},
    {"name": "gateway", "sources": ["tools/gateway"], "catalogue": "tools/gateway/korean_gateway.def", "also": ["tools/json/korean_json.def"],
     "sinks": GATEWAY_SINKS, "marks": TOOL_MARKS | {"COLUMN"}, "plain": ["tools/gateway/routes.c", "tools/gateway/metrics.c", "tools/gateway/openapi.c", *PAGES]},
]
QUESTIONS = "projections/questions.def"
MESSAGES, CODES = "core/ledger/messages.def", "core/include/jangbu/command.h"
# What the system says (strerror): rows of its own.
SYSTEM = "core/base/korean_system.def"

# Texts with two words that are no sentences: file, text.
NO_SENTENCE = {
    ("core/base/error.c", "jangbu: internal error, stopped so as not to guess: %s (%s:%d)\n"),  # a fault of the program, for its authors
    ("core/ledger/requires.c", "read %s\n"),  # a line of a file
    ("core/personal/key_file.c", " %s %llu %s\n"),  # likewise
    ("tools/jangbu/main.c", "jangbu %s (log format %d)\n"),  # programs read it
    ("core/storage/place.c", "Parallels shared folders"),  # the name of a file system
}

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|\\\n|^[ \t]*#[ \t]*define[ \t]+\w+|^[ \t]*#(?:\\\n|[^\n])*|[A-Za-z_]\w*|\s+|.', re.S | re.M)
PROSE = re.compile(r"[A-Za-z`']{2,}[,;:.)`]* [(`]?[A-Za-z`%]{2,}|[a-z]{2,}[.;:,] [A-Za-z]")
CONVERSION = re.compile(r"%(?:(\d+)\$)?([-+ #0']*)(\*(?:\d+\$)?|\d+)?(?:\.(\*(?:(\d+)\$)?|\d+))?(hh|h|ll|l|z|j|t)?([diouxXcsp%])")
HANGUL = re.compile("[가-힣]")
PARTICLE = re.compile(r"%[-#0-9$.*]*(?:ll|l|z)?[sdugxc]['\"`]?(?:은|는|이|가|을|를|과|와|으로|로|이나|나|이라|라)(?=[ ,.;:)]|$)")
# Names and words of the interface, which no language changes.
SAME_IN_BOTH = re.compile(r"%s\.mdb|^(true|false)$|^  --type [a-z, ]+$")
# Words that docs/glossary.md has others for.
OTHER_WORDS = {"거부": "거절", "행위자": "처리자", "멱등 키": "멱등키", "거래일": "귀속일", "채권": "미수", "매니저": "관리자", "결제대행사": "PG사", "원장": "장부",
               "봉인": "암호화", "개인 정보": "개인정보", "잊을": "개인정보 파기", "잊은": "개인정보 파기", "지급 중": "처리 중"}
GLOSSARY = "docs/glossary.md"
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "'": "'", "0": "\0"}


def unescape(s):
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m.group(1), "\\" + m.group(1)), s)


def literals(text):
    """(line, text, innermost call, index of its argument) of each string literal; the call is None outside of one."""
    stack, prev, line, found = [], None, 1, None
    for match in TOKEN.finditer(text):
        t = match.group(0)
        if t[0] == '"':
            if found is None:
                found = [line, "", *inner(stack)]
            found[1] += unescape(t[1:-1])
        elif not t.isspace() and t != "\\\n" and not t.startswith(("/*", "//")):
            if found is not None:
                yield tuple(found)
                found = None
            if t == "(":
                stack.append([prev if prev and re.match(r"[A-Za-z_]\w*$", prev) and prev not in ("return", "if", "while", "for", "switch", "sizeof") else "", 0])
            elif t in "{[":
                stack.append([t, 0])
            elif t in ")}]" and stack:
                stack.pop()
            elif t == "," and stack:
                stack[-1][1] += 1
            prev = t
        line += t.count("\n")


def inner(stack):
    for name, argument in reversed(stack):
        if name in ("{", "["):
            return None, 0
        if name:
            return name, argument
    return None, 0


def pieces(literal, call, room):
    """What is looked up of it: help line by line, headers without their marks."""
    if call in ("COLUMN", "app_time_header"):
        return [literal.lstrip("?>")]
    if call == "HELP" or (call is None and "HELP" in room["marks"]):
        return literal.rstrip("\n").split("\n")
    return [literal]


def has_words(text):
    return re.search(r"[A-Za-z]", CONVERSION.sub("", text)) is not None


def sentences(path, text, room):
    """(line, sentence, wrong: it is not looked up where it stands)"""
    for line, literal, call, argument in literals(text):
        at = room["sinks"].get(call)
        said = call in room["marks"] or argument == at or (isinstance(at, tuple) and argument in at)
        prose = PROSE.search(CONVERSION.sub("", literal)) and not re.match(r"[A-Z]{3}( [A-Z]{3})+$|struct jb_\w+$", literal)
        put_in = at + 1 if isinstance(at, int) else FORMATTERS.get(call, 99)
        if not said and argument >= put_in and has_words(literal) and literal not in INTERFACE:
            yield line, literal, True
        elif said or (prose and call not in SILENT and (path, literal) not in NO_SENTENCE and path not in room.get("plain", ())):
            wrong = not said and call is not None and not call.isupper() and call not in room["sinks"]
            yield from ((line, piece, wrong) for piece in pieces(literal, call, room)
                       if has_words(piece) or (call in room["marks"] and "%" in piece))


def rows(text):
    """(line, English, Korean) of a catalogue."""
    row = None
    for line, literal, call, argument in literals(text):
        if call == "KO" and argument == 0:
            row = line, literal
        elif call == "KO" and row is not None:
            yield *row, literal
            row = None


def conversions(text):
    """What is taken from the arguments: by its place, the type. None: places are mixed, or one is left out."""
    taken, next_place, named, plain = {}, 1, False, False
    for m in CONVERSION.finditer(text):
        place, _, width, precision, precision_place, size, kind = m.groups()
        if kind == "%":
            continue
        for star in (width, precision):
            if star and star.startswith("*"):
                at = re.search(r"(\d+)\$", star)
                if at:
                    taken[int(at.group(1))] = "int"
                else:
                    taken[next_place] = "int"
                    next_place += 1
        type_of = (size or "") + {"i": "d", "x": "u", "X": "u", "o": "u"}.get(kind, kind)
        if place:
            named = True
            taken[int(place)] = type_of
        else:
            plain = True
            taken[next_place] = type_of
            next_place += 1
    if (named and plain) or sorted(taken) != list(range(1, len(taken) + 1)):
        return None
    return taken


def check_row(en, ko):
    if not ko.strip():
        return "its Korean is empty"
    if has_words(SAME_IN_BOTH.sub("", en)) and not HANGUL.search(ko):
        return "its Korean has no Hangul"
    if "%" in en or "%" in ko:
        if conversions(ko) is None or conversions(ko) != conversions(en):
            return f"the conversions differ: {conversions(en)} and {conversions(ko)}"
    for word, better in OTHER_WORDS.items():
        if word in ko:
            return f"{word} is not of docs/glossary.md: {better}"
    particle = PARTICLE.search(ko)
    if re.search(r"[은이을와]\((?:는|가|를|과)\)|\(으\)로", ko):
        return "two particles for one: say it in another way"
    if particle:
        return f"a particle that varies with the last sound of what is put in before it: {particle.group(0)}"
    if (en[-1:] == "\n") != (ko[-1:] == "\n"):
        return "one of the two ends its line"
    return None


def check_catalogue(path, text, used):
    before = None
    for line, en, ko in rows(text):
        problem = check_row(en, ko)
        if problem:
            yield f"{path}:{line}: {problem}: {en!r}"
        key = en.encode()
        if before is not None and key == before:
            yield f"{path}:{line}: twice: {en!r}"
        elif before is not None and key < before:
            yield f"{path}:{line}: out of order (check.py --sort): {en!r}"
        before = key
        if used is not None and en not in used:
            yield f"{path}:{line}: no source says this: {en!r}"


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def files(root, room):
    found = []
    for top in room["sources"]:
        for pattern in ("*.c", "*.h"):
            found += glob.glob(os.path.join(root, top, "**", pattern), recursive=True)
    found = [os.path.relpath(p, root) for p in found]
    return sorted(p for p in found if not p.startswith(tuple(room.get("without", ()))) or not room.get("without"))


def look(root, room):
    """Problems, what the room says, and what of it has no Korean: sentence -> where."""
    have = {en for catalogue in room.get("also", []) + [room["catalogue"]] for _, en, _ in rows(read(root, catalogue))}
    problems, used, missing = [], set(), {}
    for path in files(root, room):
        for line, sentence, wrong in sentences(path, read(root, path), room):
            if wrong:
                problems.append(f"{path}:{line}: not looked up where it is said: {sentence!r}")
            used.add(sentence)
            if sentence not in have:
                missing.setdefault(sentence, f"{path}:{line}")
    problems += [f"{where}: no Korean in {room['catalogue']}: {sentence!r}" for sentence, where in missing.items()]
    return problems, used, missing


def system_words():
    return {os.strerror(n) for n in errno.errorcode}


def check_speaking(root):
    """A public function with an error to fill speaks the language of its handle: its first statement says so."""
    names = set()
    for path in glob.glob(os.path.join(root, "core/include/jangbu/*.h")) + glob.glob(os.path.join(root, "*/include/jangbu/*.h")):
        with open(path, encoding="utf-8") as f:
            names.update(re.findall(r"JB_API [^;{}]*?(jb_\w+)\([^;{}]*struct jb_error \*err\);", f.read()))
    spoken = set()
    for path in files(root, ROOMS[0]):
        for name, first in re.findall(r"^(jb_\w+)\([^{}]*\)\n\{\n *(\w+)", read(root, path), re.M):
            if first == "JB_SPEAK":
                spoken.add(name)
    yield from (f"{name}: a public function that does not speak the language of its handle (JB_SPEAK)" for name in sorted(names - spoken))
    if len(names) < 25:
        yield "the public functions were not found"


def check_messages(text, header):
    """The sentences of refusals: a row for each code, the same places in both languages."""
    said = set()
    found = list(literals(text))
    for at in range(0, len(found) - 1, 2):
        line, en, row, _ = found[at]
        ko, where = found[at + 1][1], f"{MESSAGES}:{line}"
        if sorted(re.findall(r"\{\w+\}", en)) != sorted(re.findall(r"\{\w+\}", ko)):
            yield f"{where}: the places differ: {en!r}"
        if not HANGUL.search(ko):
            yield f"{where}: its Korean has no Hangul: {en!r}"
        problem = check_row("%s" * len(re.findall(r"\{\w+\}", en)), re.sub(r"\{\w+\}", "%s", ko))
        if problem:
            yield f"{where}: {problem}: {en!r}"
        if row == "SENTENCE":
            said.add(re.findall(r"SENTENCE\((\w+)", "\n".join(text.split("\n")[:line]))[-1])
    for code in re.findall(r"X\(\d+, (\w+)\)", re.search(r"#define JB_CODES\(X\)(.*?)\n\n", header, re.S).group(1)):
        if code not in said:
            yield f"{MESSAGES}: no sentence for the code {code}"


def check_questions(text):
    """The ten questions and the sentences of their answers: the same places in both languages, and no particle behind one that would vary."""
    numbers, found, at = [], list(literals(text)), 0
    while at < len(found):
        line, _, row, _ = found[at]
        pairs = {"ITEM": [(1, 3), (2, 4)], "SAY": [(0, 1)], "QUESTION": [(0, 1)]}.get(row)
        if pairs is None:
            yield f"{QUESTIONS}:{line}: a text in no row"
            return
        for one, other in pairs:
            en, ko = found[at + one][1], found[at + other][1]
            if row == "SAY" and sorted(re.findall(r"\{\w+\}", en)) != sorted(re.findall(r"\{\w+\}", ko)):
                yield f"{QUESTIONS}:{line}: the places differ: {en!r}"
            if row == "ITEM" and (not en or not ko):
                yield f"{QUESTIONS}:{line}: what the master may is said in one language and not in the other: {en or ko!r}"
            problem = check_row(*(re.sub(r"\{\w+\}", "%s", t) for t in (en, ko))) if en and not re.fullmatch(r"[·/]?(ON|OFF)", ko) else None
            if problem and not problem.startswith("the conversions"):
                yield f"{QUESTIONS}:{line}: {problem}: {ko!r}"
        if row == "QUESTION":
            numbers.append(found[at][1])
        at += 5 if row == "ITEM" else 2
    if len(numbers) != 10:
        yield f"{QUESTIONS}: {len(numbers)} questions"


def check_glossary(text):
    """Each word has its Korean and its meaning, and stands there once."""
    said = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n") if line.startswith("|")][2:]
    for word, *cells in said:
        if len(cells) != 2 or not cells[1] or not HANGUL.search(cells[0]):
            yield f"{GLOSSARY}: {word} lacks its Korean, or its meaning"
    words = [row[0] for row in said]
    yield from (f"{GLOSSARY}: {word} stands there twice" for word in sorted({w for w in words if words.count(w) > 1}))
    if len(said) < 50:
        yield f"{GLOSSARY}: its table was not found"


def check_beside(root):
    """Pages are said by two programs, each with its own catalogue in front: what both have is said alike."""
    pages = {en: ko for _, en, ko in rows(read(root, PAGES_CATALOGUE))}
    for room in ROOMS:
        if room["catalogue"] != PAGES_CATALOGUE and room["name"] in ("program", "gateway"):
            for line, en, ko in rows(read(root, room["catalogue"])):
                if pages.get(en, ko) != ko:
                    yield f"{room['catalogue']}:{line}: {PAGES_CATALOGUE} says it otherwise: {en!r}"


def check(root):
    problems = [*check_beside(root), *check_speaking(root), *check_messages(read(root, MESSAGES), read(root, CODES)), *check_questions(read(root, QUESTIONS)),
                *check_glossary(read(root, GLOSSARY))]
    count = 0
    for room in ROOMS:
        found, used, _ = look(root, room)
        problems += found
        known = used | system_words() if room["name"] == "program" else used  # it may meet them, too
        problems += check_catalogue(room["catalogue"], read(root, room["catalogue"]), known)
        count += len(used)
    problems += check_catalogue(SYSTEM, read(root, SYSTEM), system_words())
    print("\n".join(problems) if problems else f"lang: {count} sentences in {len(ROOMS)} rooms have their Korean")
    return 1 if problems else 0


def escape(s):
    return s.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")


def quote(s, indent, width=96):
    """A literal, broken at blanks so that lines fit."""
    lines, line = [], ""
    for word in re.findall(r"[^ ]* ?|[^ ]+", escape(s)):
        if line and len((line + word).encode()) > width - indent - 3:
            lines.append(line)
            line = ""
        line += word
    lines.append(line)
    return ("\n" + " " * indent).join(f'"{part}"' for part in lines)


def written(pairs):
    out = []
    for en, ko in sorted(pairs, key=lambda p: p[0].encode()):
        out.append(f"KO({quote(en, 3)},\n   {quote(ko, 3)})\n")
    return "".join(out)


def header(text):
    return text[:text.index("KO(")] if "KO(" in text else text


def sort(root):
    for path in [room["catalogue"] for room in ROOMS] + [SYSTEM]:
        text = read(root, path)
        with open(os.path.join(root, path), "w", encoding="utf-8") as f:
            f.write(header(text) + written({en: ko for _, en, ko in rows(text)}.items()))


def missing(root):
    for room in ROOMS:
        for sentence, where in look(root, room)[2].items():
            print(f"# {where}\n{escape(sentence)}")


def selftest():
    room = {"sinks": CORE_SINKS, "marks": CORE_MARKS}
    source = ('void f(void) {\n  jb_fail(err, JB_E_IO, "no " "memory %s", jb_tr("word"));\n  snprintf(a, n, "two words");\n  return "a part is";\n'
              '  jb_fail(err, 1, c ? "one" : "%s", "x");\n  g("key");\n  snprintf(a, n, jb_tr("is (%s)"));\n'
              '  jb_fail(err, 1, "no memory %s", d ? "null" : "gone");\n}\n')
    got = list(sentences("x.c", source, room))
    want = [(2, "no memory %s", False), (2, "word", False), (3, "two words", True), (4, "a part is", False), (5, "one", False), (5, "x", True), (7, "is (%s)", False),
            (8, "no memory %s", False), (8, "gone", True)]
    bad = [("%s of %d", "%s의 %s"), ("no %s", "%s을 찾을 수 없습니다"), ("no %s", ""), ("no %s", "no %s"), ("no %llu", "이벤트 %llu는 없습니다"),
           ("%s %u", "%2$u번 %1$d"), ("%d %d", "%1$d번"), ("x\n", "없습니다")]
    good = [("%s of %u", "%2$u번의 %1$s"), ("%.*s is", "%2$.*1$s: 그렇습니다"), ("%s %s", "%s: %s"), ("%llu", "%llu")]
    failed = [f"sentences: {got} and not {want}"] if got != want else []
    failed += [f"taken: {row}" for row in bad if check_row(*row) is None]
    failed += [f"refused: {row}: {check_row(*row)}" for row in good if check_row(*row) is not None]
    catalogue = 'KO("b", "나")\nKO("a", "가")\nKO("a", "가")\n'
    if len(list(check_catalogue("x.def", catalogue, {"a"}))) != 3:
        failed.append("a catalogue out of order, with a row twice and one unused")
    sentences_of = 'SAY(A, "{x} is", "{x} 입니다")\n' * 2 + "".join(f'QUESTION({n}, "who is", "누구")\n' for n in range(10))
    if list(check_questions(sentences_of)):
        failed.append(f"questions: {list(check_questions(sentences_of))}")
    for ko in ("{x}는 그렇습니다", "{y} 입니다", "{x} is"):
        if len(list(check_questions(sentences_of + f'SAY(B, "{{x}} is", "{ko}")\n'))) != 1:
            failed.append(f"an answer's sentence was taken: {ko}")
    words = "| word | Korean | meaning |\n|---|---|---|\n" + "".join(f"| w{n} | 말 | it |\n" for n in range(60))
    if list(check_glossary(words)) or len(list(check_glossary(words + "| a | | b |\n| c | 다 | |\n| w1 | 말 | it |\n"))) != 3:
        failed.append("glossary: a row without its Korean, without a meaning, or twice")
    if len(list(check_questions(sentences_of + 'ITEM("c", 1, A, B, "", "", "월렛 생성", "·월렛 생성")\n'))) != 2:
        failed.append("an item that is said in one language was taken")
    print("\n".join(failed) if failed else "lang selftest: ok")
    return 1 if failed else 0


def main():
    if "--selftest" in sys.argv:
        return selftest()
    root = os.path.abspath(sys.argv[-1])
    if "--missing" in sys.argv:
        return missing(root)
    if "--sort" in sys.argv:
        return sort(root)
    return check(root)


if __name__ == "__main__":
    sys.exit(main())
