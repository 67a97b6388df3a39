"""What stands in tables of libjangbu-json, as Python. Made by tools/bindings/generate: change nothing here."""
from __future__ import annotations

from typing import Any

from ._answer import Answer


class Part(Answer):
    """Not always there: from_, to, lot, grant_no."""
    __slots__ = ()
    amount: int
    from_: str
    to: str
    lot: int
    grant_no: int

class Figures(Answer):
    __slots__ = ()
    status: str
    paid: int
    free: int
    free_dormant: int
    total: int
    refundable: int
    refund_pending: int
    refund_in_transit: int
    debt: int

class Done(Answer):
    """Not always there: line, seq, wallet_version, key, duplicate, content_checked, dry_run, balance, amount,
    applied_to_debt, same_txn, free, paid, debt, lapsed, parts, scope, outcome, why, forfeited, day, until, search_id,
    base, agency, settlement, limit, invoice, kind, month, supply, vat, total, written_on, negative, results."""
    __slots__ = ()
    ok: bool
    line: int
    seq: int
    wallet_version: int
    key: str
    duplicate: bool
    content_checked: bool
    dry_run: bool
    balance: Figures
    amount: int
    applied_to_debt: int
    same_txn: int
    free: int
    paid: int
    debt: int
    lapsed: int
    parts: list[Part]
    scope: str
    outcome: str
    why: str
    forfeited: int
    day: str
    until: str
    search_id: str
    base: int
    agency: str
    settlement: str
    limit: int
    invoice: int
    kind: str
    month: str
    supply: int
    vat: int
    total: int
    written_on: str
    negative: int
    results: list[Done]

class Conditions(Answer):
    """Not always there: not_off, paid_not_zero, refund_outstanding, sales_right, postpaid, uninvoiced."""
    __slots__ = ()
    not_off: str
    paid_not_zero: int
    refund_outstanding: int
    sales_right: int
    postpaid: int
    uninvoiced: int

class Refusal(Answer):
    """Not always there: line, seq, key, duplicate, content_checked, dry_run, index, field, column, version, status,
    allows, conditions, available, postpaid_limit, have, have_now, who, kind, kinds, state, channel_kind, until,
    members_max, wallets, channels, roles, refundable, debt, left, min_charge, limit, expires_on, grants_max, now,
    behind_us, ahead_us, recorded_at, first_open_day, days, empty_days_max, invoice, parts_max, most, days_max."""
    __slots__ = ()
    ok: bool
    code: str
    message: str
    line: int
    seq: int
    key: str
    duplicate: bool
    content_checked: bool
    dry_run: bool
    index: int
    field: str
    column: int
    version: int
    status: str
    allows: list[str]
    conditions: Conditions
    available: int
    postpaid_limit: int
    have: list[str]
    have_now: list[str]
    who: list[str]
    kind: str
    kinds: list[str]
    state: str
    channel_kind: str
    until: str
    members_max: int
    wallets: int
    channels: int
    roles: int
    refundable: int
    debt: int
    left: int
    min_charge: int
    limit: int
    expires_on: str
    grants_max: int
    now: str
    behind_us: int
    ahead_us: int
    recorded_at: str
    first_open_day: str
    days: int
    empty_days_max: int
    invoice: int
    parts_max: int
    most: int
    days_max: int

class Moment(Answer):
    __slots__ = ()
    seq: int
    at: str

class Event(Answer):
    """Not always there: wallet, occurred_at, posted_on, prev."""
    __slots__ = ()
    seq: int
    type: str
    recorded_at: str | None
    wallet: str | None
    occurred_at: str | None
    posted_on: str | None
    prev: int

class FeedEvent(Answer):
    __slots__ = ()
    seq: int
    type: str
    recorded_at: str | None
    wallet: str | None
    occurred_at: str | None
    posted_on: str | None
    prev: int
    effect: int
    balance: Figures | None
    late: bool
    cursor: str

class Feed(Answer):
    __slots__ = ()
    rows: list[FeedEvent]
    next: str
    more: bool
    through: int
    head: int

class Balance(Answer):
    """Not always there: name_why."""
    __slots__ = ()
    wallet: str
    name: str | None
    name_why: str
    status: str
    paid: int
    free: int
    free_dormant: int
    total: int
    refundable: int
    refund_pending: int
    refund_in_transit: int
    debt: int
    version: int
    as_of: Moment

class Day(Answer):
    """Not always there: wallet."""
    __slots__ = ()
    day: str
    wallet: str
    charged: int
    charge_reversed: int
    free_activated: int
    consumed_paid: int
    consumed_free: int
    returned: int
    refunded: int
    refund_failed: int
    debt_repaid: int
    expired: int
    forfeited: int
    closing_total: int
    closing_paid: int
    closing_free: int

class CashStatus(Answer):
    __slots__ = ()
    wallet: str
    view: str
    rows: list[Day]
    through: str | None
    open_day: str
    past_day_open: bool
    as_of: Moment

class HistoryRow(Answer):
    """Not always there: amount, parts."""
    __slots__ = ()
    seq: int
    type: str
    at: str
    recorded_at: str
    posted_on: str
    late: bool
    effect: int
    balance: int
    amount: int
    parts: list[Part]

class History(Answer):
    __slots__ = ()
    wallet: str
    rows: list[HistoryRow]
    next: str | None
    as_of: Moment

class Refused(Answer):
    __slots__ = ()
    wallet: str
    rows: list[Event]
    next: str | None
    as_of: Moment

class FoundEvent(Answer):
    """Not always there: wallet."""
    __slots__ = ()
    seq: int
    type: str
    recorded_at: str | None
    wallet: str | None
    what: list[str]
    belongs_to: str | None

class Found(Answer):
    __slots__ = ()
    text: str
    rows: list[FoundEvent]
    next: str | None
    as_of: Moment

class WalletRow(Answer):
    __slots__ = ()
    wallet: str
    status: str
    paid: int
    free: int
    free_dormant: int
    total: int
    refundable: int
    refund_pending: int
    refund_in_transit: int
    debt: int
    version: int
    kind: str
    name_ref: int
    master_ref: int
    used_at: str | None

class Wallets(Answer):
    __slots__ = ()
    rows: list[WalletRow]
    next: str | None
    as_of: Moment

class Charge(Answer):
    """Not always there: channel."""
    __slots__ = ()
    seq: int
    type: str
    at: str
    recorded_at: str
    charge: str
    lot: int
    amount: int
    applied_to_debt: int
    method: str
    pg: str | None
    txn_ref: str | None
    approve_no: str | None
    state: str
    left: int
    reversed: int
    refunded: int
    channel: str

class Charges(Answer):
    __slots__ = ()
    wallet: str
    rows: list[Charge]
    next: str | None
    as_of: Moment

class Lot(Answer):
    """Not always there: charge, applied_to_debt, method, approve_no, channel."""
    __slots__ = ()
    seq: int
    type: str
    at: str
    recorded_at: str
    charge: str
    lot: int
    amount: int
    applied_to_debt: int
    method: str
    pg: str | None
    txn_ref: str | None
    approve_no: str | None
    state: str
    left: int
    reversed: int
    refunded: int
    channel: str

class Lots(Answer):
    __slots__ = ()
    wallet: str
    rows: list[Lot]
    next: str | None
    as_of: Moment

class Grant(Answer):
    __slots__ = ()
    seq: int
    type: str
    at: str
    recorded_at: str
    grant: str
    grant_no: int
    amount: int
    origin: str
    expires_on: str
    reason_ref: int
    state: str
    left: int
    due: bool

class Grants(Answer):
    __slots__ = ()
    wallet: str
    rows: list[Grant]
    next: str | None
    as_of: Moment

class Refund(Answer):
    """Not always there: wallet."""
    __slots__ = ()
    seq: int
    type: str
    at: str
    recorded_at: str
    wallet: str
    refund: str
    refund_no: int
    amount: int
    scope: str
    state: str

class Refunds(Answer):
    """Not always there: wallet."""
    __slots__ = ()
    wallet: str
    rows: list[Refund]
    next: str | None
    as_of: Moment

class Events(Answer):
    """Not always there: wallet, channel."""
    __slots__ = ()
    wallet: str
    channel: str
    rows: list[Event]
    next: str | None
    as_of: Moment

class Cause(Answer):
    __slots__ = ()
    cause: str
    late: bool
    amount: int
    events: list[int]
    events_total: int

class Outside(Answer):
    __slots__ = ()
    what: str
    amount: int

class Explanation(Answer):
    """Not always there: total_now, cash_status_total, through, outside, refund_pending, change, since, before, after,
    apart, from_, to, day, late."""
    __slots__ = ()
    wallet: str
    difference: int
    causes: list[Cause]
    rest: int
    as_of: Moment
    total_now: int
    cash_status_total: int
    through: str | None
    outside: list[Outside]
    refund_pending: int
    change: str
    since: Moment
    before: int
    after: int
    apart: list[Outside]
    from_: str
    to: str
    day: str
    late: list[Cause]

class LookUp(Answer):
    """Not always there: email, amount, day, bank, account."""
    __slots__ = ()
    by: str
    email: str | None
    amount: int
    day: str | None
    bank: str | None
    account: str | None

class Receipt(Answer):
    """Not always there: charge, applied_to_debt, method, approve_no, channel."""
    __slots__ = ()
    seq: int
    type: str
    at: str
    recorded_at: str
    paid_at: str
    charge: str
    lot: int
    amount: int
    applied_to_debt: int
    method: str
    pg: str | None
    txn_ref: str | None
    approve_no: str | None
    gateway: str
    where: str | None
    look_up: list[LookUp]
    tax: str | None
    cancelled: int
    refunded: int
    text: str
    channel: str

class Receipts(Answer):
    __slots__ = ()
    wallet: str
    rows: list[Receipt]
    next: str | None
    as_of: Moment

class Totals(Answer):
    __slots__ = ()
    total: int
    paid: int
    free: int

class Flows(Answer):
    __slots__ = ()
    charged: int
    charge_reversed: int
    free_activated: int
    consumed_paid: int
    consumed_free: int
    returned: int
    refunded: int
    refund_failed: int
    debt_repaid: int
    expired: int
    forfeited: int

class Statement(Answer):
    __slots__ = ()
    wallet: str
    from_: str
    to: str
    rows: list[HistoryRow]
    opening: Totals
    closing: Totals
    sums: Flows
    as_of: Moment

class UsageRow(Answer):
    """Not always there: consumption."""
    __slots__ = ()
    seq: int
    usage: str
    amount: int
    posted_on: str
    consumption: int

class InvoiceRow(Answer):
    """Not always there: rows."""
    __slots__ = ()
    invoice: int
    kind: str
    reason: str
    month: str
    written_on: str
    state: str
    supply: int
    vat: int
    total: int
    original: int
    approve_no: str | None
    mails: int
    in_force: bool
    seq: int
    rows: list[UsageRow]

class MonthOfCashStatus(Answer):
    __slots__ = ()
    from_: str
    to: str
    through: str | None
    consumed_paid: int
    returned: int
    returned_free: int
    open: int
    other_months: int
    elsewhere: int

class Report(Answer):
    __slots__ = ()
    wallet: str
    month: str
    documents: list[InvoiceRow]
    uninvoiced_rows: list[UsageRow]
    counted: bool
    net: int
    invoiced: int
    vat: int
    uninvoiced: int
    outside: int
    unsettled: int
    cash_status: MonthOfCashStatus
    as_of: Moment

class LedgerTotals(Answer):
    __slots__ = ()
    wallets: int
    wallets_in_debt: int
    paid: int
    debt: int
    free: int
    free_dormant: int
    held: int
    refund_in_transit: int
    from_: str
    to: str
    charged_12m: int
    charged_12m_without_credits: int
    as_of: Moment

class ExpiringGrant(Answer):
    __slots__ = ()
    seq: int
    type: str
    at: str
    recorded_at: str
    wallet: str
    grant: str
    grant_no: int
    amount: int
    origin: str
    expires_on: str
    reason_ref: int
    state: str
    left: int
    days: int

class Expiring(Answer):
    __slots__ = ()
    days: int
    rows: list[ExpiringGrant]
    next: str | None
    as_of: Moment

class Person(Answer):
    """Not always there: id, why, role, until."""
    __slots__ = ()
    ref: int | None
    id: str | None
    why: str
    role: str
    until: str

class Who(Answer):
    """Not always there: email, email_why."""
    __slots__ = ()
    wallet: str
    kind: str
    status: str
    settlement: str
    limit: int
    master: Person | None
    agency: str | None
    email_ref: int | None
    email: str | None
    email_why: str
    members: list[Person]
    invited: list[Person]
    channels: list[str]
    as_of: Moment

class May(Answer):
    __slots__ = ()
    wallet: str
    actor: Person
    channel: str | None
    matrix: int
    roles: list[str]
    ops: Any
    as_of: Moment

class Cell(Answer):
    __slots__ = ()
    cell: str
    op: str
    roles: list[str]
    both: list[str]

class Roles(Answer):
    __slots__ = ()
    in_force: int
    matrix: int
    cells: list[Cell]

class Channel(Answer):
    __slots__ = ()
    channel: str
    kind: str
    search_id: str | None
    mail_order: str | None
    wallet: str | None
    biz: str | None
    staff: list[Person]
    closed: str | None
    version: int
    as_of: Moment

class BizRecord(Answer):
    """Not always there: approved, base, stale, biz_name, representative, address, biz_name_why, representative_why,
    address_why."""
    __slots__ = ()
    number: str
    request: int
    approved: int
    base: int
    stale: bool
    biz_name_ref: int
    representative_ref: int
    address_ref: int
    biz_name: str | None
    representative: str | None
    address: str | None
    biz_name_why: str
    representative_why: str
    address_why: str

class Biz(Answer):
    """Not always there: wallet, channel."""
    __slots__ = ()
    wallet: str
    channel: str
    number: str | None
    record: BizRecord | None
    pending: BizRecord | None
    history: list[Event]
    next: str | None
    as_of: Moment

class Remedy(Answer):
    """Not always there: amount."""
    __slots__ = ()
    op: str
    amount: int | None
    who: list[str]

class Condition(Answer):
    """Not always there: papers, from_, all_from, or_."""
    __slots__ = ()
    name: str
    ok: bool
    figure: int | str | None
    remedy: Remedy | None
    papers: int
    from_: str | None
    all_from: str | None
    or_: Remedy

class CanDelete(Answer):
    __slots__ = ()
    wallet: str
    status: str
    can_delete: bool
    conditions: list[Condition]
    forfeits: int
    as_of: Moment

class Reply(Answer):
    __slots__ = ()
    wallet: str
    question: int
    answered: int
    lang: str
    text: str
    events: list[int]
    events_total: int
    as_of: Moment

class Invoices(Answer):
    __slots__ = ()
    wallet: str
    month: str | None
    rows: list[InvoiceRow]
    next: str | None
    as_of: Moment

class Mail(Answer):
    __slots__ = ()
    seq: int
    result: str
    at: str

class Recipient(Answer):
    """Not always there: biz_name, representative, address, email, biz_name_why, representative_why, address_why,
    email_why."""
    __slots__ = ()
    number: str
    biz_name_ref: int
    representative_ref: int
    address_ref: int
    email_ref: int | None
    business: int
    biz_name: str | None
    representative: str | None
    address: str | None
    email: str | None
    biz_name_why: str
    representative_why: str
    address_why: str
    email_why: str

class Invoice(Answer):
    __slots__ = ()
    wallet: str
    invoice: int
    kind: str
    reason: str
    month: str
    written_on: str
    state: str
    supply: int
    vat: int
    total: int
    original: int
    approve_no: str | None
    mails: int
    in_force: bool
    seq: int
    why: str | None
    outside_ref: str | None
    after: int
    through: int
    issued_at: str
    ended_at: str | None
    mail: Mail | None
    recipient: Recipient
    rows: list[UsageRow]
    as_of: Moment

class ToDo(Answer):
    """Not always there: wallet, month, key, day, grant, invoice, why, late, clock."""
    __slots__ = ()
    op: str
    wallet: str
    month: str
    key: str
    day: str
    grant: str
    invoice: int
    why: str
    late: bool
    clock: str

class Due(Answer):
    """Not always there: outside."""
    __slots__ = ()
    today: str
    commands: list[ToDo]
    blocked: list[ToDo]
    late: list[int]
    outside: list[ToDo]
    next: str | None
    as_of: Moment

class Policies(Answer):
    __slots__ = ()
    min_charge: int
    day_close: str
    day_close_grace: int
    grants_max: int
    clock_tolerance: int
    empty_days_max: int
    vat_rate: int
    roles: int
    invite_days: int
    members_max: int
    biz_retention_days: int
    search_id_marks: int
    rules: int
    clock_ahead_max: int
    at_back_max: int
    invoice_from: str | None
    invoice_day: int
    notice_days: int
    receipt_tax: int

class Stat(Answer):
    __slots__ = ()
    events: int
    frames: int
    wallets: int
    wallets_deleted: int
    log_bytes: int
    log_file_bytes: int
    recorded_at: str | None
    open_day: str | None
    closed_through: str | None
    past_day_open: bool
    currency: str
    exponent: int
    utc_offset: str
    ledger_id: str
    chain: str
    stored_seq: int
    views_seq: int
    keys: int
    policies: Policies

class Info(Answer):
    __slots__ = ()
    currency: str
    exponent: int
    utc_offset: str
    ledger_id: str
    read_only: bool
    rolled_back: bool
    warning: str | None
    secret_lost: bool
    secret_damaged: bool
    head_damaged: bool
    sealed: bool
    sealed_why: str | None
    version: str

class Head(Answer):
    __slots__ = ()
    seq: int
    recorded_at: str | None
    chain: str

class Growth(Answer):
    __slots__ = ()
    seq: int
    more: bool

class People(Answer):
    __slots__ = ()
    layout: int
    sealed: bool
    unfinished: bool
    older: bool
    epoch: int
    owners: int
    forgotten: int
    lost: int
    done: int
    key_file: str | None

class OpForm(Answer):
    __slots__ = ()
    op: str
    required: list[str]
    optional: list[str]

class MemberForm(Answer):
    """Not always there: words, min, max."""
    __slots__ = ()
    name: str
    kind: str
    words: list[str]
    min: int
    max: int

class Commands(Answer):
    __slots__ = ()
    ops: list[OpForm]
    members: list[MemberForm]

class QueryForm(Answer):
    __slots__ = ()
    ask: str
    required: list[str]
    optional: list[str]
    answer: str

class OptionForms(Answer):
    __slots__ = ()
    open: list[MemberForm]
    init: list[MemberForm]
    apply: list[MemberForm]

class Queries(Answer):
    __slots__ = ()
    queries: list[QueryForm]
    members: list[MemberForm]
    options: OptionForms


Done._inner = {"balance": Figures, "parts": Part, "results": Done}
Refusal._inner = {"conditions": Conditions}
FeedEvent._inner = {"balance": Figures}
Feed._inner = {"rows": FeedEvent}
Balance._inner = {"as_of": Moment}
CashStatus._inner = {"rows": Day, "as_of": Moment}
HistoryRow._inner = {"parts": Part}
History._inner = {"rows": HistoryRow, "as_of": Moment}
Refused._inner = {"rows": Event, "as_of": Moment}
Found._inner = {"rows": FoundEvent, "as_of": Moment}
Wallets._inner = {"rows": WalletRow, "as_of": Moment}
Charges._inner = {"rows": Charge, "as_of": Moment}
Lots._inner = {"rows": Lot, "as_of": Moment}
Grants._inner = {"rows": Grant, "as_of": Moment}
Refunds._inner = {"rows": Refund, "as_of": Moment}
Events._inner = {"rows": Event, "as_of": Moment}
Explanation._inner = {"causes": Cause, "as_of": Moment, "outside": Outside, "since": Moment, "apart": Outside,
    "late": Cause}
Receipt._inner = {"look_up": LookUp}
Receipts._inner = {"rows": Receipt, "as_of": Moment}
Statement._inner = {"rows": HistoryRow, "opening": Totals, "closing": Totals, "sums": Flows, "as_of": Moment}
InvoiceRow._inner = {"rows": UsageRow}
Report._inner = {"documents": InvoiceRow, "uninvoiced_rows": UsageRow, "cash_status": MonthOfCashStatus,
    "as_of": Moment}
LedgerTotals._inner = {"as_of": Moment}
Expiring._inner = {"rows": ExpiringGrant, "as_of": Moment}
Who._inner = {"master": Person, "members": Person, "invited": Person, "as_of": Moment}
May._inner = {"actor": Person, "as_of": Moment}
Roles._inner = {"cells": Cell}
Channel._inner = {"staff": Person, "as_of": Moment}
Biz._inner = {"record": BizRecord, "pending": BizRecord, "history": Event, "as_of": Moment}
Condition._inner = {"remedy": Remedy, "or": Remedy}
CanDelete._inner = {"conditions": Condition, "as_of": Moment}
Reply._inner = {"as_of": Moment}
Invoices._inner = {"rows": InvoiceRow, "as_of": Moment}
Invoice._inner = {"mail": Mail, "recipient": Recipient, "rows": UsageRow, "as_of": Moment}
Due._inner = {"commands": ToDo, "blocked": ToDo, "outside": ToDo, "as_of": Moment}
Stat._inner = {"policies": Policies}
Commands._inner = {"ops": OpForm, "members": MemberForm}
OptionForms._inner = {"open": MemberForm, "init": MemberForm, "apply": MemberForm}
Queries._inner = {"queries": QueryForm, "members": MemberForm, "options": OptionForms}
