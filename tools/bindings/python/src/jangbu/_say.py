"""The sentences that the binding says itself, in English and Korean; all others are the library's."""
from __future__ import annotations

_SENTENCES = {
    "closed": ("the ledger is closed", "장부가 닫혀 있습니다"),
    "inside": ("close stands within a call of the same thread: a signal's handler calls stop_following, and what is behind the call closes",
               "같은 스레드의 호출 안에서 close를 불렀습니다. 시그널 처리기에서는 stop_following을 부르고, 그 호출이 끝난 뒤에 닫으십시오"),
    "forked": ("this process was forked after the ledger was opened in process {opener}: a handle does not survive fork. Open the ledger anew here",
               "프로세스 {opener}에서 장부를 연 뒤에 fork 되었습니다. 핸들은 fork 뒤에 쓸 수 없으니 여기서 장부를 다시 여십시오"),
    "other_loop": ("this ledger was opened in another event loop", "이 장부는 다른 이벤트 루프에서 열렸습니다"),
    "library": ("{soname} was not found ({why}). Install jangbu (from a checkout: cmake --install build, then ldconfig), or set JANGBU_LIBRARY to the path of the file",
                "{soname} 파일을 찾지 못했습니다({why}). jangbu를 설치하거나(소스에서는 cmake --install build 다음에 ldconfig) JANGBU_LIBRARY에 파일의 경로를 지정하십시오"),
    "symbols": ("{path} is no libjangbu-json of this version: it has no {name}", "{path}: 이 버전의 libjangbu-json이 아닙니다. {name} 함수가 없습니다"),
    "mapping": ("a command is a mapping, like {{\"op\": \"charge\", ...}}; not {given}", "명령은 {{\"op\": \"charge\", ...}} 같은 매핑이어야 합니다. 받은 것: {given}"),
    "op": ("a command names its op, a text", "명령에는 문자열 op가 있어야 합니다"),
    "name": ("the names of members are texts; not {given}", "항목의 이름은 문자열이어야 합니다. 받은 것: {given}"),
    "type": ("{member} must be {want}; not {given}", "{member} 항목은 {want}이어야 합니다. 받은 것: {given}"),
    "range": ("{member} is beyond 64 bits", "{member} 항목이 64비트를 넘습니다"),
    "float": ("{member} is {given}: numbers are whole, money is an int in the currency's minor unit",
              "{member} 항목의 값: {given}. 수는 정수여야 하고, 금액은 통화의 최소 단위로 센 int입니다"),
    "surrogate": ("{member} is no text that UTF-8 can say: it holds a surrogate", "{member} 항목에 서로게이트가 들어 있어 UTF-8로 쓸 수 없습니다"),
    "nul": ("{member} holds a NUL, which no text may", "{member} 항목에 NUL 문자가 들어 있습니다. 어떤 문자열에도 NUL은 쓸 수 없습니다"),
    "naive": ("{member} is a time without an offset: {given}. Give it a tzinfo", "{member} 항목의 시각에 오프셋이 없습니다: {given}. tzinfo를 지정하십시오"),
    "deep": ("{member} is nested too deeply", "{member} 항목이 너무 깊이 중첩되어 있습니다"),
}
_WANT = {
    "text": ("a str", "str"), "int": ("an int", "int"), "bool": ("True or False", "True 또는 False"), "day": ("a str or a date", "str 또는 date"),
    "instant": ("a str or a datetime", "str 또는 datetime"), "when": ("an int, a str, a date or a datetime", "int, str, date 또는 datetime"),
    "actor": ("a mapping, like {\"id\": \"kim\"}", "{\"id\": \"kim\"} 같은 매핑"), "value": ("an int or a str", "int 또는 str"),
    "list": ("a list", "리스트"), "path": ("a str or a path", "str 또는 경로"),
}


def want(kind: str, lang: str) -> str:
    return _WANT[kind][lang == "ko"]


def say(what: str, lang: str | None, **figures: object) -> str:
    return _SENTENCES[what][lang == "ko"].format(**figures)
