"""Instants and days. An instant is an int of microseconds since 1970 UTC, a day is a proleptic ordinal."""

import datetime
import re

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

LEDGER_OFFSET = 9 * HOUR  # the default of `jangbu init`; the witness knows no other
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)")


def day_of(instant):
    """The calendar day of an instant at the ledger's offset."""
    return (instant + LEDGER_OFFSET) // DAY + _EPOCH_DAY


def start_of(day):
    """The first instant of a day; start_of(day + 1) - 1 is the last."""
    return (day - _EPOCH_DAY) * DAY - LEDGER_OFFSET


def day_text(day):
    return None if day is None else datetime.date.fromordinal(day).isoformat()


def parse_day(text):
    """None where the text is no day."""
    try:
        if not isinstance(text, str) or len(text) != 10:
            return None
        return datetime.date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def _offset_of(text):
    if text == "Z":
        return 0
    size = int(text[1:3]) * HOUR + int(text[4:6]) * MINUTE
    return -size if text[0] == "-" else size


def parse_instant(text):
    """None where the text is no RFC 3339 instant."""
    match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    day, hour, minute, second, fraction, offset = match.groups()
    day = parse_day(day)
    if day is None or int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    clock = int(hour) * HOUR + int(minute) * MINUTE + int(second) * SECOND
    return (day - _EPOCH_DAY) * DAY + clock + int((fraction or "0").ljust(6, "0")) - _offset_of(offset)


def instant_text(instant, offset=LEDGER_OFFSET):
    """As the ledger prints it: six digits, its own offset."""
    if instant is None:
        return None
    day, rest = divmod(instant + offset, DAY)
    date = datetime.date.fromordinal(day + _EPOCH_DAY).isoformat()
    hour, rest = divmod(rest, HOUR)
    minute, rest = divmod(rest, MINUTE)
    second, fraction = divmod(rest, SECOND)
    sign = "-" if offset < 0 else "+"
    size = abs(offset) // MINUTE
    return (f"{date}T{hour:02d}:{minute:02d}:{second:02d}.{fraction:06d}"
            f"{sign}{size // 60:02d}:{size % 60:02d}")
