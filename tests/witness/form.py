"""What a well-formed command is, and which part of it an idempotency key protects."""

import re
import unicodedata

import moment
import papers

LIMIT = 10**15 - 1  # of every amount, debt, and what comes in

BUSINESS_TIME = frozenset(
    ["charge", "charge.reverse", "consume", "consume.reverse", "debt.repay"])
MIN_CHARGE_METHODS = frozenset(["CREDIT_CARD", "KAKAOPAY_CARD", "VIRTUAL_ACCOUNT"])

_KINDS = ["PERSONAL", "BUSINESS", "OVERSEAS"]
_METHODS = ["CREDIT_CARD", "KAKAOPAY_CARD", "VIRTUAL_ACCOUNT", "KAKAOPAY_CARD_AUTO",
            "CREDIT_CARD_REGULAR", "ADMIN_CASH", "ADV_RET_CASH"]
_ORIGINS = ["PROMOTION", "EVENT", "UNSENT_SIMPLE", "UNSENT_NORMAL", "OPERATOR"]

# op: (required, optional); `expect` belongs to every op with a wallet.
FIELDS = {
    "wallet.create": ("wallet kind name", "master channel"),
    "wallet.rename": ("wallet name", ""),
    "wallet.off": ("wallet", ""),
    "wallet.on": ("wallet", ""),
    "wallet.suspend": ("wallet", ""),
    "wallet.lift": ("wallet", ""),
    "wallet.delete": ("wallet", ""),
    "charge": ("wallet charge amount", "method pg txn_ref approve_no channel"),
    "charge.reverse": ("wallet charge amount", "reason"),
    "debt.repay": ("wallet amount", "pg txn_ref"),
    "free.grant": ("wallet grant amount expires_on", "origin reason"),
    "free.activate": ("wallet grant", ""),
    "free.revoke": ("wallet grant", ""),
    "consume": ("wallet usage amount", "overdraft channel"),
    "consume.reverse": ("wallet amount", "usage seq reason"),
    "refund.request": ("wallet refund", "amount"),
    "refund.approve": ("wallet refund", ""),
    "refund.reject": ("wallet refund", ""),
    "refund.cancel": ("wallet refund", ""),
    "refund.complete": ("wallet refund", ""),
    "refund.fail": ("wallet refund", ""),
    "policy.set": ("policy value", "from"),
    "day.close": ("day", "force"),
    "atomic": ("commands", ""),
    "role.give": ("person role", "agency"),
    "role.take": ("person role", "agency"),
    "member.invite": ("wallet person", ""),
    "member.accept": ("wallet person", ""),
    "member.leave": ("wallet person", ""),
    "member.remove": ("wallet person", ""),
    "master.transfer": ("wallet person", ""),
    "channel.create": ("channel person", "channel_kind"),
    "manager.add": ("channel person", ""),
    "manager.remove": ("channel person", ""),
    "channel.transfer": ("channel person", ""),
    "channel.connect": ("wallet channel", ""),
    "channel.disconnect": ("wallet channel", ""),
    "channel.close": ("channel", ""),
    "channel.search_id": ("channel search_id", ""),
    "channel.mail_order": ("channel", "mail_order"),
    "biz.request": ("biz biz_name representative address", "wallet channel"),
    "biz.approve": ("seq", "wallet channel reason"),
    "biz.refuse": ("seq", "wallet channel reason"),
    "invoice.email": ("wallet email", ""),
    "invoice.issue": ("wallet month", "reason"),
    "invoice.correct": ("wallet invoice reason", "ref"),
    "invoice.confirm": ("wallet invoice", "approve_no"),
    "invoice.fail": ("wallet invoice why", ""),
    "invoice.mail": ("wallet invoice result", ""),
    "notice.send": ("wallet grant", ""),
    "sales.request": ("wallet agency", ""),
    "sales.accept": ("wallet agency", ""),
    "sales.refuse": ("wallet agency", ""),
    "sales.release": ("wallet", ""),
    "wallet.settlement": ("wallet settlement", "limit"),
}
_INVOICE_REASONS = papers.CHANGES + papers.CORRECTIONS
_ROLES_GIVEN = ["OPERATOR", "GATEWAY", "SYSTEM", "AGENCY"]
_SEARCH_ID = re.compile("[가-힣a-z0-9_-]{1,15}")
_EVERYWHERE = {"op", "key", "actor", "at", "clock", "note"}


class Malformed(Exception):
    """A line that is no command: it leaves no trace and does not take its key."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_id(value, most=64):
    return (isinstance(value, str) and 1 <= len(value.encode()) <= most
            and all(c.isprintable() and not c.isspace() for c in value))


def _is_text(most):
    return lambda value: isinstance(value, str) and 1 <= len(value) <= most


def _is_actor(value):
    return isinstance(value, dict) and set(value) <= {"id", "role"}


def _is_instant(value):
    return moment.parse_instant(value) is not None


_CHECKS = {
    **{name: _is_id for name in ("wallet", "charge", "grant", "usage", "refund", "master")},
    "key": lambda value: _is_id(value, 300),
    "txn_ref": lambda value: _is_id(value, 200),
    **{name: (lambda value: _is_id(value, 32)) for name in ("pg", "approve_no")},
    **{name: _is_instant for name in ("at", "clock", "from")},
    **{name: (lambda value: isinstance(value, bool)) for name in ("overdraft", "force")},
    **{name: (lambda value: moment.parse_day(value) is not None) for name in ("expires_on", "day")},
    "name": _is_text(20),
    "note": _is_text(500),
    "reason": _is_text(500),
    "kind": lambda value: value in _KINDS,
    "method": lambda value: value in _METHODS,
    "origin": lambda value: value in _ORIGINS,
    "seq": lambda value: _is_int(value) and value >= 1,
    "expect": lambda value: _is_int(value) and value >= 0,
    "actor": _is_actor,
    "policy": lambda value: value in _POLICY_CHECKS,
    "value": lambda value: True,     # needs its policy: see _check_policy
    "amount": lambda value: True,    # has codes of its own: see _check_amount
    "commands": lambda value: isinstance(value, list) and len(value) > 0,
    **{name: _is_id for name in ("person", "channel", "agency")},
    "role": lambda value: value in _ROLES_GIVEN,
    "channel_kind": lambda value: value in ("BASIC", "BUSINESS"),
    "settlement": lambda value: value in ("PREPAID", "POSTPAID"),
    "search_id": lambda value: isinstance(value, str),  # has a code of its own: see _check_one
    "mail_order": _is_text(40),
    "biz": lambda value: isinstance(value, str) and re.fullmatch("[0-9]{10}", value) is not None,
    "biz_name": _is_text(60),
    "representative": _is_text(60),
    "address": _is_text(200),
    "email": _is_text(254),
    "limit": lambda value: True,     # likewise
    "month": lambda value: papers.parse_month(value) is not None,
    "invoice": lambda value: _is_int(value) and value >= 0,
    "why": lambda value: value in papers.WHY,
    "result": lambda value: value in ("SENT", "BOUNCED"),
    "ref": _is_id,
}

_COUNT = lambda value: _is_int(value) and 0 <= value <= LIMIT
_POLICY_CHECKS = {
    "min_charge": _COUNT,
    "day_close": lambda value: value in ("auto", "manual"),
    "day_close_grace": _COUNT,
    "grants_max": _COUNT,
    "clock_tolerance": _COUNT,
    "empty_days_max": _COUNT,
    "vat_rate": _COUNT,
    "clock_ahead_max": _COUNT,
    "at_back_max": _COUNT,
    "search_id_marks": lambda value: _is_int(value) and 0 <= value <= 3,
    "roles": lambda value: _is_int(value) and 0 <= value <= 1,
    "invite_days": _COUNT,
    "members_max": _COUNT,
    "biz_retention_days": _COUNT,
    "invoice_from": lambda value: papers.month_of_policy(value) is not None,
    "invoice_day": lambda value: _is_int(value) and 1 <= value <= 28,
    "notice_days": _COUNT,
    "receipt_tax": lambda value: _is_int(value) and 0 <= value <= 2,
}


def _check_fields(command):
    op = command.get("op")
    if not isinstance(op, str) or op not in FIELDS:
        raise Malformed("MALFORMED")
    required, optional = (set(names.split()) for names in FIELDS[op])
    allowed = required | optional | _EVERYWHERE
    if "wallet" in command:
        allowed |= {"expect"}
    if not set(command) <= allowed or not required <= set(command):
        raise Malformed("MALFORMED")
    if op == "consume.reverse" and not {"usage", "seq"} & set(command):
        raise Malformed("MALFORMED")
    if op.startswith("biz.") and ("wallet" in command) == ("channel" in command):
        raise Malformed("MALFORMED")  # of one of the two
    for name, value in command.items():
        if name != "op" and not _CHECKS[name](value):
            raise Malformed("MALFORMED")


def _check_amount(amount):
    if not _is_int(amount) or amount <= 0:
        raise Malformed("AMOUNT_INVALID")
    if amount > LIMIT:
        raise Malformed("AMOUNT_RANGE")


def _check_member(member):
    """A member of a group: no key, no clock, `at` only with a business time, no closing and no group inside."""
    if not isinstance(member, dict):
        raise Malformed("MALFORMED")
    _check_one(member)
    if {"key", "clock"} & set(member) or member["op"] in ("atomic", "day.close"):
        raise Malformed("MALFORMED")
    if "at" in member and member["op"] not in BUSINESS_TIME:
        raise Malformed("MALFORMED")


def _check_one(command):
    _check_fields(command)
    if "amount" in command:
        _check_amount(command["amount"])
    if "limit" in command and command["limit"] != 0:
        _check_amount(command["limit"])
    if "search_id" in command and not _SEARCH_ID.fullmatch(composed(command["search_id"])):
        raise Malformed("SEARCH_ID_INVALID")
    if command["op"].startswith("role.") and ("agency" in command) != (command["role"] == "AGENCY"):
        raise Malformed("MALFORMED")
    if command.get("policy") in ("roles", "invoice_from") and "from" in command:
        raise Malformed("MALFORMED")
    if command["op"] == "policy.set" and not _POLICY_CHECKS[command["policy"]](command["value"]):
        raise Malformed("MALFORMED")


def composed(text):
    return unicodedata.normalize("NFC", text)


def check(command):
    """Raises Malformed. `--clock=at` is assumed: a line needs `at` or `clock`."""
    if not isinstance(command, dict):
        raise Malformed("MALFORMED")
    _check_one(command)
    for member in command.get("commands", []):
        _check_member(member)
    if not {"at", "clock"} & set(command):
        raise Malformed("MALFORMED")


_NOT_CONTENT = {"key", "expect", "clock", "actor"}
_INSTANTS = {"at", "from"}
_PERSONAL = {"name", "master", "note", "person", "biz_name", "representative", "address", "email"}
_REASON_CODES = {"DEPOSIT_ERROR", "CHARGEBACK", "PG_CANCEL", "INVALID_CLICK", "UNSENT", "OPERATOR_ERROR",
                 *_INVOICE_REASONS}


def _is_personal(name, value):
    return name in _PERSONAL or (name == "reason" and value not in _REASON_CODES)


def content(command, presence=False):
    """What a retry must repeat: by meaning, an absent member is not one with its default. `presence`: of personal text
    only that it is there, which is all that a sealed ledger knows of a refused command."""
    def meaning(name, value):
        if presence and _is_personal(name, value):
            return "there"
        if name in _INSTANTS:
            return moment.parse_instant(value)
        if name == "commands":
            return tuple(content(member, presence) for member in value)
        if name == "search_id":
            return composed(value)
        return (type(value).__name__, value)  # True is not 1
    return frozenset((name, meaning(name, value)) for name, value in command.items()
                     if name not in _NOT_CONTENT)
