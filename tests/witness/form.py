"""What a well-formed command is, and which part of it an idempotency key protects."""

import moment

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
    "wallet.create": ("wallet kind name", "master"),
    "wallet.rename": ("wallet name", ""),
    "wallet.off": ("wallet", ""),
    "wallet.on": ("wallet", ""),
    "wallet.suspend": ("wallet", ""),
    "wallet.lift": ("wallet", ""),
    "wallet.delete": ("wallet", ""),
    "charge": ("wallet charge amount", "method pg txn_ref approve_no"),
    "charge.reverse": ("wallet charge amount", "reason"),
    "debt.repay": ("wallet amount", "pg txn_ref"),
    "free.grant": ("wallet grant amount expires_on", "origin reason"),
    "free.activate": ("wallet grant", ""),
    "free.revoke": ("wallet grant", ""),
    "consume": ("wallet usage amount", "overdraft"),
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
}
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
}


def _check_fields(command):
    op = command.get("op")
    if not isinstance(op, str) or op not in FIELDS:
        raise Malformed("MALFORMED")
    required, optional = (set(names.split()) for names in FIELDS[op])
    allowed = required | optional | _EVERYWHERE
    if "wallet" in required:
        allowed |= {"expect"}
    if not set(command) <= allowed or not required <= set(command):
        raise Malformed("MALFORMED")
    if op == "consume.reverse" and not {"usage", "seq"} & set(command):
        raise Malformed("MALFORMED")
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
    if command["op"] == "policy.set" and not _POLICY_CHECKS[command["policy"]](command["value"]):
        raise Malformed("MALFORMED")


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


def content(command):
    """What a retry must repeat: by meaning, an absent member is not one with its default."""
    def meaning(name, value):
        if name in _INSTANTS:
            return moment.parse_instant(value)
        if name == "commands":
            return tuple(content(member) for member in value)
        return (type(value).__name__, value)  # True is not 1
    return frozenset((name, meaning(name, value)) for name, value in command.items()
                     if name not in _NOT_CONTENT)
