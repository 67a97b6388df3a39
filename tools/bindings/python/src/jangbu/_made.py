"""What stands in tables of libjangbu-json, as Python. Made by tools/bindings/generate: change nothing here."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

from . import answers as a
from ._answer import Answer
from ._pages import AsyncPages, Pages

R = TypeVar("R")
A = TypeVar("A", bound=Answer)
P = TypeVar("P", bound=Answer)
Day = str | date
Instant = str | datetime
When = int | str | date | datetime
Command = Mapping[str, Any]


class Actor(TypedDict):
    """Who gives a command."""
    id: str
    role: NotRequired[str]


KindWord = Literal["PERSONAL", "BUSINESS", "OVERSEAS"]
MethodWord = Literal["CREDIT_CARD", "KAKAOPAY_CARD", "VIRTUAL_ACCOUNT", "KAKAOPAY_CARD_AUTO", "CREDIT_CARD_REGULAR",
    "ADMIN_CASH", "ADV_RET_CASH"]
OriginWord = Literal["PROMOTION", "EVENT", "UNSENT_SIMPLE", "UNSENT_NORMAL", "OPERATOR"]
PolicyWord = Literal["min_charge", "day_close", "day_close_grace", "grants_max", "clock_tolerance", "empty_days_max",
    "vat_rate", "roles", "invite_days", "members_max", "biz_retention_days", "search_id_marks", "rules",
    "clock_ahead_max", "at_back_max", "invoice_from", "invoice_day", "notice_days", "receipt_tax"]
RoleWord = Literal["AGENCY", "OPERATOR", "GATEWAY", "SYSTEM"]
ChannelKindWord = Literal["BASIC", "BUSINESS"]
SettlementWord = Literal["PREPAID", "POSTPAID"]
ResultWord = Literal["SENT", "BOUNCED"]
WhyWord = Literal["CLOSED_BUSINESS", "SUSPENDED_BUSINESS", "WRONG_NUMBER", "OTHER"]
AskLangWord = Literal["en", "ko"]
AskViewWord = Literal["posted", "known"]
AskTypeWord = Literal["all", "charge", "consumption", "return", "refund"]
AskFlowWord = Literal["any", "charged", "charge_reversed", "free_activated", "consumed_paid", "consumed_free",
    "returned", "refunded", "refund_failed", "debt_repaid", "expired", "forfeited"]
AskStatusesWord = Literal["ACTIVE", "OFF", "SUSPENDED", "DELETED"]
AskKindsWord = Literal["PERSONAL", "BUSINESS", "OVERSEAS"]
AskKindWord = Literal["all", "day", "invoice", "notice"]


class Commands(Generic[R]):
    """A method for each op. Members that are None are left out."""

    def _command(self, op: str, members: Mapping[str, Any]) -> R:
        raise NotImplementedError

    def wallet_create(self, *, wallet: str, kind: KindWord, name: str, master: str | None = None,
            key: str | None = None, actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, channel: str | None = None,
            caller: str | None = None) -> R:
        """Op `wallet.create`.

        Needs wallet (id), kind (PERSONAL BUSINESS OVERSEAS), name (name).
        May have master (id), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
        channel (id), caller (caller).
        """
        return self._command("wallet.create", {"wallet": wallet, "kind": kind, "name": name, "master": master,
            "key": key, "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "channel": channel,
            "caller": caller})

    def wallet_rename(self, *, wallet: str, name: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `wallet.rename`.

        Needs wallet (id), name (name).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("wallet.rename", {"wallet": wallet, "name": name, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def wallet_off(self, *, wallet: str, key: str | None = None, actor: Actor | None = None, at: Instant | None = None,
            clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `wallet.off`.

        Needs wallet (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("wallet.off", {"wallet": wallet, "key": key, "actor": actor, "at": at, "clock": clock,
            "expect": expect, "note": note, "caller": caller})

    def wallet_on(self, *, wallet: str, key: str | None = None, actor: Actor | None = None, at: Instant | None = None,
            clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `wallet.on`.

        Needs wallet (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("wallet.on", {"wallet": wallet, "key": key, "actor": actor, "at": at, "clock": clock,
            "expect": expect, "note": note, "caller": caller})

    def wallet_suspend(self, *, wallet: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `wallet.suspend`.

        Needs wallet (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("wallet.suspend", {"wallet": wallet, "key": key, "actor": actor, "at": at, "clock": clock,
            "expect": expect, "note": note, "caller": caller})

    def wallet_lift(self, *, wallet: str, key: str | None = None, actor: Actor | None = None, at: Instant | None = None,
            clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `wallet.lift`.

        Needs wallet (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("wallet.lift", {"wallet": wallet, "key": key, "actor": actor, "at": at, "clock": clock,
            "expect": expect, "note": note, "caller": caller})

    def wallet_delete(self, *, wallet: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `wallet.delete`.

        Needs wallet (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("wallet.delete", {"wallet": wallet, "key": key, "actor": actor, "at": at, "clock": clock,
            "expect": expect, "note": note, "caller": caller})

    def charge(self, *, wallet: str, charge: str, amount: int, method: MethodWord | None = None, pg: str | None = None,
            txn_ref: str | None = None, approve_no: str | None = None, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, channel: str | None = None,
            caller: str | None = None) -> R:
        """Op `charge`.

        Needs wallet (id), charge (id), amount (amount).
        May have method (CREDIT_CARD KAKAOPAY_CARD VIRTUAL_ACCOUNT KAKAOPAY_CARD_AUTO CREDIT_CARD_REGULAR ADMIN_CASH
        ADV_RET_CASH), pg (short), txn_ref (reference), approve_no (short), key (key), actor (actor), at (instant),
        clock (instant), expect (number), note (text), channel (id), caller (caller).
        """
        return self._command("charge", {"wallet": wallet, "charge": charge, "amount": amount, "method": method,
            "pg": pg, "txn_ref": txn_ref, "approve_no": approve_no, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "channel": channel, "caller": caller})

    def charge_reverse(self, *, wallet: str, charge: str, amount: int, reason: str | None = None,
            key: str | None = None, actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, caller: str | None = None) -> R:
        """Op `charge.reverse`.

        Needs wallet (id), charge (id), amount (amount).
        May have reason (text), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
        caller (caller).
        """
        return self._command("charge.reverse", {"wallet": wallet, "charge": charge, "amount": amount, "reason": reason,
            "key": key, "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def debt_repay(self, *, wallet: str, amount: int, pg: str | None = None, txn_ref: str | None = None,
            key: str | None = None, actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, caller: str | None = None) -> R:
        """Op `debt.repay`.

        Needs wallet (id), amount (amount).
        May have pg (short), txn_ref (reference), key (key), actor (actor), at (instant), clock (instant), expect
        (number), note (text), caller (caller).
        """
        return self._command("debt.repay", {"wallet": wallet, "amount": amount, "pg": pg, "txn_ref": txn_ref,
            "key": key, "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def free_grant(self, *, wallet: str, grant: str, amount: int, expires_on: Day, reason: str | None = None,
            origin: OriginWord | None = None, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `free.grant`.

        Needs wallet (id), grant (id), amount (amount), expires_on (day).
        May have reason (text), origin (PROMOTION EVENT UNSENT_SIMPLE UNSENT_NORMAL OPERATOR), key (key), actor (actor),
        at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("free.grant", {"wallet": wallet, "grant": grant, "amount": amount,
            "expires_on": expires_on, "reason": reason, "origin": origin, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def free_activate(self, *, wallet: str, grant: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `free.activate`.

        Needs wallet (id), grant (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("free.activate", {"wallet": wallet, "grant": grant, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def free_revoke(self, *, wallet: str, grant: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `free.revoke`.

        Needs wallet (id), grant (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("free.revoke", {"wallet": wallet, "grant": grant, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def consume(self, *, wallet: str, usage: str, amount: int, overdraft: bool | None = None, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, channel: str | None = None,
            caller: str | None = None) -> R:
        """Op `consume`.

        Needs wallet (id), usage (id), amount (amount).
        May have overdraft (boolean), key (key), actor (actor), at (instant), clock (instant), expect (number), note
        (text), channel (id), caller (caller).
        """
        return self._command("consume", {"wallet": wallet, "usage": usage, "amount": amount, "overdraft": overdraft,
            "key": key, "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "channel": channel,
            "caller": caller})

    def consume_reverse(self, *, wallet: str, amount: int, usage: str | None = None, reason: str | None = None,
            seq: int | None = None, key: str | None = None, actor: Actor | None = None, at: Instant | None = None,
            clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `consume.reverse`.

        Needs wallet (id), amount (amount).
        May have usage (id), reason (text), seq (number), key (key), actor (actor), at (instant), clock (instant),
        expect (number), note (text), caller (caller).
        """
        return self._command("consume.reverse", {"wallet": wallet, "amount": amount, "usage": usage, "reason": reason,
            "seq": seq, "key": key, "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note,
            "caller": caller})

    def refund_request(self, *, wallet: str, refund: str, amount: int | None = None, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, caller: str | None = None) -> R:
        """Op `refund.request`.

        Needs wallet (id), refund (id).
        May have amount (amount), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
        caller (caller).
        """
        return self._command("refund.request", {"wallet": wallet, "refund": refund, "amount": amount, "key": key,
            "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def refund_approve(self, *, wallet: str, refund: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `refund.approve`.

        Needs wallet (id), refund (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("refund.approve", {"wallet": wallet, "refund": refund, "key": key, "actor": actor,
            "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def refund_reject(self, *, wallet: str, refund: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `refund.reject`.

        Needs wallet (id), refund (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("refund.reject", {"wallet": wallet, "refund": refund, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def refund_cancel(self, *, wallet: str, refund: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `refund.cancel`.

        Needs wallet (id), refund (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("refund.cancel", {"wallet": wallet, "refund": refund, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def refund_complete(self, *, wallet: str, refund: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `refund.complete`.

        Needs wallet (id), refund (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("refund.complete", {"wallet": wallet, "refund": refund, "key": key, "actor": actor,
            "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def refund_fail(self, *, wallet: str, refund: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `refund.fail`.

        Needs wallet (id), refund (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("refund.fail", {"wallet": wallet, "refund": refund, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def policy_set(self, *, policy: PolicyWord, value: int | str, from_: Instant | None = None, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            note: str | None = None, caller: str | None = None) -> R:
        """Op `policy.set`.

        Needs policy (word), value (value).
        May have from (instant), key (key), actor (actor), at (instant), clock (instant), note (text), caller (caller).
        """
        return self._command("policy.set", {"policy": policy, "value": value, "from": from_, "key": key, "actor": actor,
            "at": at, "clock": clock, "note": note, "caller": caller})

    def day_close(self, *, day: Day, force: bool | None = None, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `day.close`.

        Needs day (day).
        May have force (boolean), key (key), actor (actor), at (instant), clock (instant), note (text), caller (caller).
        """
        return self._command("day.close", {"day": day, "force": force, "key": key, "actor": actor, "at": at,
            "clock": clock, "note": note, "caller": caller})

    def atomic(self, *, commands: Sequence[Command], key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `atomic`.

        Needs commands (list).
        May have key (key), actor (actor), at (instant), clock (instant), note (text), caller (caller).
        """
        return self._command("atomic", {"commands": commands, "key": key, "actor": actor, "at": at, "clock": clock,
            "note": note, "caller": caller})

    def role_give(self, *, person: str, role: RoleWord, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, note: str | None = None, agency: str | None = None,
            caller: str | None = None) -> R:
        """Op `role.give`.

        Needs person (id), role (AGENCY OPERATOR GATEWAY SYSTEM).
        May have key (key), actor (actor), at (instant), clock (instant), note (text), agency (id), caller (caller).
        """
        return self._command("role.give", {"person": person, "role": role, "key": key, "actor": actor, "at": at,
            "clock": clock, "note": note, "agency": agency, "caller": caller})

    def role_take(self, *, person: str, role: RoleWord, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, note: str | None = None, agency: str | None = None,
            caller: str | None = None) -> R:
        """Op `role.take`.

        Needs person (id), role (AGENCY OPERATOR GATEWAY SYSTEM).
        May have key (key), actor (actor), at (instant), clock (instant), note (text), agency (id), caller (caller).
        """
        return self._command("role.take", {"person": person, "role": role, "key": key, "actor": actor, "at": at,
            "clock": clock, "note": note, "agency": agency, "caller": caller})

    def member_invite(self, *, wallet: str, person: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `member.invite`.

        Needs wallet (id), person (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("member.invite", {"wallet": wallet, "person": person, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def member_accept(self, *, wallet: str, person: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `member.accept`.

        Needs wallet (id), person (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("member.accept", {"wallet": wallet, "person": person, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def member_leave(self, *, wallet: str, person: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `member.leave`.

        Needs wallet (id), person (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("member.leave", {"wallet": wallet, "person": person, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def member_remove(self, *, wallet: str, person: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `member.remove`.

        Needs wallet (id), person (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("member.remove", {"wallet": wallet, "person": person, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def master_transfer(self, *, wallet: str, person: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `master.transfer`.

        Needs wallet (id), person (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("master.transfer", {"wallet": wallet, "person": person, "key": key, "actor": actor,
            "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def channel_create(self, *, person: str, channel: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            channel_kind: ChannelKindWord | None = None, caller: str | None = None) -> R:
        """Op `channel.create`.

        Needs person (id), channel (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), channel_kind
        (BASIC BUSINESS), caller (caller).
        """
        return self._command("channel.create", {"person": person, "channel": channel, "key": key, "actor": actor,
            "at": at, "clock": clock, "expect": expect, "note": note, "channel_kind": channel_kind, "caller": caller})

    def manager_add(self, *, person: str, channel: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `manager.add`.

        Needs person (id), channel (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("manager.add", {"person": person, "channel": channel, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def manager_remove(self, *, person: str, channel: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `manager.remove`.

        Needs person (id), channel (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("manager.remove", {"person": person, "channel": channel, "key": key, "actor": actor,
            "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def channel_transfer(self, *, person: str, channel: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `channel.transfer`.

        Needs person (id), channel (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("channel.transfer", {"person": person, "channel": channel, "key": key, "actor": actor,
            "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def channel_connect(self, *, wallet: str, channel: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `channel.connect`.

        Needs wallet (id), channel (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("channel.connect", {"wallet": wallet, "channel": channel, "key": key, "actor": actor,
            "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def channel_disconnect(self, *, wallet: str, channel: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `channel.disconnect`.

        Needs wallet (id), channel (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("channel.disconnect", {"wallet": wallet, "channel": channel, "key": key, "actor": actor,
            "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def channel_close(self, *, channel: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `channel.close`.

        Needs channel (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("channel.close", {"channel": channel, "key": key, "actor": actor, "at": at, "clock": clock,
            "expect": expect, "note": note, "caller": caller})

    def channel_search_id(self, *, channel: str, search_id: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `channel.search_id`.

        Needs channel (id), search_id (search_id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("channel.search_id", {"channel": channel, "search_id": search_id, "key": key,
            "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def channel_mail_order(self, *, channel: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            mail_order: str | None = None, caller: str | None = None) -> R:
        """Op `channel.mail_order`.

        Needs channel (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), mail_order
        (line), caller (caller).
        """
        return self._command("channel.mail_order", {"channel": channel, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "mail_order": mail_order, "caller": caller})

    def biz_request(self, *, biz: str, biz_name: str, representative: str, address: str, wallet: str | None = None,
            key: str | None = None, actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, channel: str | None = None,
            caller: str | None = None) -> R:
        """Op `biz.request`.

        Needs biz (biz), biz_name (line), representative (line), address (line).
        May have wallet (id), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
        channel (id), caller (caller).
        """
        return self._command("biz.request", {"biz": biz, "biz_name": biz_name, "representative": representative,
            "address": address, "wallet": wallet, "key": key, "actor": actor, "at": at, "clock": clock,
            "expect": expect, "note": note, "channel": channel, "caller": caller})

    def biz_approve(self, *, seq: int, wallet: str | None = None, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            channel: str | None = None, caller: str | None = None) -> R:
        """Op `biz.approve`.

        Needs seq (number).
        May have wallet (id), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
        channel (id), caller (caller).
        """
        return self._command("biz.approve", {"seq": seq, "wallet": wallet, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "channel": channel, "caller": caller})

    def biz_refuse(self, *, seq: int, wallet: str | None = None, reason: str | None = None, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, channel: str | None = None,
            caller: str | None = None) -> R:
        """Op `biz.refuse`.

        Needs seq (number).
        May have wallet (id), reason (text), key (key), actor (actor), at (instant), clock (instant), expect (number),
        note (text), channel (id), caller (caller).
        """
        return self._command("biz.refuse", {"seq": seq, "wallet": wallet, "reason": reason, "key": key, "actor": actor,
            "at": at, "clock": clock, "expect": expect, "note": note, "channel": channel, "caller": caller})

    def invoice_email(self, *, wallet: str, email: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `invoice.email`.

        Needs wallet (id), email (email).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("invoice.email", {"wallet": wallet, "email": email, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def sales_request(self, *, wallet: str, agency: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `sales.request`.

        Needs wallet (id), agency (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("sales.request", {"wallet": wallet, "agency": agency, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def sales_accept(self, *, wallet: str, agency: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `sales.accept`.

        Needs wallet (id), agency (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("sales.accept", {"wallet": wallet, "agency": agency, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def sales_refuse(self, *, wallet: str, agency: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `sales.refuse`.

        Needs wallet (id), agency (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("sales.refuse", {"wallet": wallet, "agency": agency, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def sales_release(self, *, wallet: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `sales.release`.

        Needs wallet (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("sales.release", {"wallet": wallet, "key": key, "actor": actor, "at": at, "clock": clock,
            "expect": expect, "note": note, "caller": caller})

    def wallet_settlement(self, *, wallet: str, settlement: SettlementWord, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, limit: int | None = None,
            caller: str | None = None) -> R:
        """Op `wallet.settlement`.

        Needs wallet (id), settlement (PREPAID POSTPAID).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), limit (amount or
        0), caller (caller).
        """
        return self._command("wallet.settlement", {"wallet": wallet, "settlement": settlement, "key": key,
            "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "limit": limit, "caller": caller})

    def forget(self, *, wallet: str | None = None, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, person: str | None = None, biz: str | None = None,
            caller: str | None = None) -> R:
        """Op `forget`.

        Needs nothing.
        May have wallet (id), key (key), actor (actor), at (instant), clock (instant), person (id), biz (biz), caller
        (caller).
        """
        return self._command("forget", {"wallet": wallet, "key": key, "actor": actor, "at": at, "clock": clock,
            "person": person, "biz": biz, "caller": caller})

    def notice_send(self, *, wallet: str, grant: str, key: str | None = None, actor: Actor | None = None,
            at: Instant | None = None, clock: Instant | None = None, expect: int | None = None, note: str | None = None,
            caller: str | None = None) -> R:
        """Op `notice.send`.

        Needs wallet (id), grant (id).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("notice.send", {"wallet": wallet, "grant": grant, "key": key, "actor": actor, "at": at,
            "clock": clock, "expect": expect, "note": note, "caller": caller})

    def invoice_issue(self, *, wallet: str, month: str, reason: str | None = None, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, caller: str | None = None) -> R:
        """Op `invoice.issue`.

        Needs wallet (id), month (month).
        May have reason (text), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
        caller (caller).
        """
        return self._command("invoice.issue", {"wallet": wallet, "month": month, "reason": reason, "key": key,
            "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def invoice_correct(self, *, wallet: str, reason: str, invoice: int, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, ref: str | None = None, caller: str | None = None) -> R:
        """Op `invoice.correct`.

        Needs wallet (id), reason (text), invoice (number).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), ref (reference),
        caller (caller).
        """
        return self._command("invoice.correct", {"wallet": wallet, "reason": reason, "invoice": invoice, "key": key,
            "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "ref": ref, "caller": caller})

    def invoice_confirm(self, *, wallet: str, invoice: int, approve_no: str | None = None, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, caller: str | None = None) -> R:
        """Op `invoice.confirm`.

        Needs wallet (id), invoice (number).
        May have approve_no (short), key (key), actor (actor), at (instant), clock (instant), expect (number), note
        (text), caller (caller).
        """
        return self._command("invoice.confirm", {"wallet": wallet, "invoice": invoice, "approve_no": approve_no,
            "key": key, "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def invoice_fail(self, *, wallet: str, invoice: int, why: WhyWord, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, caller: str | None = None) -> R:
        """Op `invoice.fail`.

        Needs wallet (id), invoice (number), why (CLOSED_BUSINESS SUSPENDED_BUSINESS WRONG_NUMBER OTHER).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("invoice.fail", {"wallet": wallet, "invoice": invoice, "why": why, "key": key,
            "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})

    def invoice_mail(self, *, wallet: str, invoice: int, result: ResultWord, key: str | None = None,
            actor: Actor | None = None, at: Instant | None = None, clock: Instant | None = None,
            expect: int | None = None, note: str | None = None, caller: str | None = None) -> R:
        """Op `invoice.mail`.

        Needs wallet (id), invoice (number), result (SENT BOUNCED).
        May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller).
        """
        return self._command("invoice.mail", {"wallet": wallet, "invoice": invoice, "result": result, "key": key,
            "actor": actor, "at": at, "clock": clock, "expect": expect, "note": note, "caller": caller})


class Queries:
    """A method for each query. Members that are None are left out."""

    def _pages(self, page: type[P], rows: str, ask: str, members: Mapping[str, Any]) -> Pages[P, Any]:
        raise NotImplementedError

    def _one(self, answer: type[A], ask: str, members: Mapping[str, Any]) -> A:
        raise NotImplementedError

    def _list(self, answer: type[A], ask: str, members: Mapping[str, Any]) -> list[A]:
        raise NotImplementedError

    def balance(self, wallet: str, *, as_of: When | None = None) -> a.Balance:
        """What a wallet has.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now.
        """
        return self._one(a.Balance, "balance", {"wallet": wallet, "as_of": as_of})

    def cash_status(self, wallet: str, *, as_of: When | None = None, view: AskViewWord | None = None,
            from_day: Day | None = None, to_day: Day | None = None, newest_first: bool | None = None,
            amount_min: int | None = None, amount_max: int | None = None,
            flow: AskFlowWord | None = None) -> a.CashStatus:
        """Its daily rows, as posted through the last closed day.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; view: `posted`: by posting day; `known`: by the day it happened, open days too;
        from_day: the first day of rows; to_day: the last; newest_first: newest first; amount_min: of events: whose
        amount is at least that; of days: with a flow of at least that; amount_max: at most that; flow: the days that
        have it, and between the bounds.
        """
        return self._one(a.CashStatus, "cash_status", {"wallet": wallet, "as_of": as_of, "view": view,
            "from_day": from_day, "to_day": to_day, "newest_first": newest_first, "amount_min": amount_min,
            "amount_max": amount_max, "flow": flow})

    def cash_day(self, day: Day, *, as_of: When | None = None) -> list[a.Day]:
        """One row for each wallet on a closed day.

        Members: day: a closed day; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now.
        """
        return self._list(a.Day, "cash_day", {"day": day, "as_of": as_of})

    def history(self, wallet: str, *, as_of: When | None = None, type: AskTypeWord | None = None,
            limit: int | None = None, cursor: str | None = None, people: bool | None = None,
            types: Sequence[str] | None = None, since: When | None = None, until: When | None = None,
            oldest_first: bool | None = None, amount_min: int | None = None,
            amount_max: int | None = None) -> Pages[a.History, a.HistoryRow]:
        """What happened to it, newest first; `next`: the cursor of the next page, null at the end.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; type: which kind of rows; limit: rows at most; 100; cursor: `next` of the page before;
        people: the personal texts that events name by reference: actor, note, reason, name; one that is not there is
        {ref, id: null, why}; types: of these types only (docs/format.md), as a list: `["charge_settled"]`; since: from
        that event on, or recorded at that time or later, or from that day on; until: up to that event, or recorded
        before that time, or up to the end of that day; oldest_first: oldest first; balances are those of the whole
        history; amount_min: of events: whose amount is at least that; of days: with a flow of at least that;
        amount_max: at most that.
        """
        return self._pages(a.History, "rows", "history", {"wallet": wallet, "as_of": as_of, "type": type,
            "limit": limit, "cursor": cursor, "people": people, "types": types, "since": since, "until": until,
            "oldest_first": oldest_first, "amount_min": amount_min, "amount_max": amount_max})

    def refused(self, wallet: str, *, as_of: When | None = None, limit: int | None = None,
            cursor: str | None = None) -> Pages[a.Refused, a.Event]:
        """Commands on it that were refused, newest first; `next` as above.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before.
        """
        return self._pages(a.Refused, "rows", "refused", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor})

    def find(self, text: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            people: bool | None = None) -> Pages[a.Found, a.FoundEvent]:
        """The events in which it stands in clear, newest first, each with `what` (under which names) and `belongs_to` (the
        wallet).

        Members: text: whole, as it was given: an id, a key, a reference, a number; as_of: the moment: an event's
        number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; limit: rows at most; 100;
        cursor: `next` of the page before; people: the personal texts that events name by reference: actor, note,
        reason, name; one that is not there is {ref, id: null, why}.
        """
        return self._pages(a.Found, "rows", "find", {"text": text, "as_of": as_of, "limit": limit, "cursor": cursor,
            "people": people})

    def wallets(self, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            statuses: Sequence[AskStatusesWord] | None = None, kinds: Sequence[AskKindsWord] | None = None,
            name: str | None = None, master: str | None = None, total_min: int | None = None,
            total_max: int | None = None, paid_min: int | None = None, paid_max: int | None = None,
            used_since: When | None = None, used_before: When | None = None) -> Pages[a.Wallets, a.WalletRow]:
        """Wallets and what they have, in the order in which they were made.

        Members: as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
        `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; statuses: some of ACTIVE, OFF,
        SUSPENDED, DELETED, as a list; kinds: some of PERSONAL, BUSINESS, OVERSEAS, as a list; name: that is part of the
        wallet's name: each is looked up; master: id of the master; total_min: total cash, both bounds included;
        total_max: amount; paid_min: paid cash, likewise; below 0 it is a debt; paid_max: amount; used_since: whose last
        consumption happened at that time or later, or from that day on; no event's number; used_before: whose last one
        happened before that, or that had none.
        """
        return self._pages(a.Wallets, "rows", "wallets", {"as_of": as_of, "limit": limit, "cursor": cursor,
            "statuses": statuses, "kinds": kinds, "name": name, "master": master, "total_min": total_min,
            "total_max": total_max, "paid_min": paid_min, "paid_max": paid_max, "used_since": used_since,
            "used_before": used_before})

    def charges(self, wallet: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            open: bool | None = None) -> Pages[a.Charges, a.Charge]:
        """Its charges: state, what is left of each, the gateway's keys.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open:
        lots and grants with something left, refunds requested or approved; of the refunds of all wallets `false` is
        refused.
        """
        return self._pages(a.Charges, "rows", "charges", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor, "open": open})

    def lots(self, wallet: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            open: bool | None = None) -> Pages[a.Lots, a.Lot]:
        """What its charges and debt repayments brought, and what is left of each.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open:
        lots and grants with something left, refunds requested or approved; of the refunds of all wallets `false` is
        refused.
        """
        return self._pages(a.Lots, "rows", "lots", {"wallet": wallet, "as_of": as_of, "limit": limit, "cursor": cursor,
            "open": open})

    def grants(self, wallet: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            open: bool | None = None) -> Pages[a.Grants, a.Grant]:
        """Its free cash: state, what is left, the last day.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open:
        lots and grants with something left, refunds requested or approved; of the refunds of all wallets `false` is
        refused.
        """
        return self._pages(a.Grants, "rows", "grants", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor, "open": open})

    def refunds(self, *, wallet: str | None = None, as_of: When | None = None, limit: int | None = None,
            cursor: str | None = None, open: bool | None = None) -> Pages[a.Refunds, a.Refund]:
        """Its refunds and their states; without a wallet the open ones of all.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open:
        lots and grants with something left, refunds requested or approved; of the refunds of all wallets `false` is
        refused.
        """
        return self._pages(a.Refunds, "rows", "refunds", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor, "open": open})

    def events(self, *, wallet: str | None = None, channel: str | None = None, as_of: When | None = None,
            limit: int | None = None, cursor: str | None = None, people: bool | None = None,
            types: Sequence[str] | None = None, since: When | None = None, until: When | None = None,
            newest_first: bool | None = None, amount_min: int | None = None,
            amount_max: int | None = None) -> Pages[a.Events, a.Event]:
        """Events in pages; of a wallet, or of a channel: those that belong to it.

        Members: wallet: its id; channel: its id; as_of: the moment: an event's number, a time
        `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the
        page before; people: the personal texts that events name by reference: actor, note, reason, name; one that is
        not there is {ref, id: null, why}; types: of these types only (docs/format.md), as a list: `["charge_settled"]`;
        since: from that event on, or recorded at that time or later, or from that day on; until: up to that event, or
        recorded before that time, or up to the end of that day; newest_first: newest first; amount_min: of events:
        whose amount is at least that; of days: with a flow of at least that; amount_max: at most that.
        """
        return self._pages(a.Events, "rows", "events", {"wallet": wallet, "channel": channel, "as_of": as_of,
            "limit": limit, "cursor": cursor, "people": people, "types": types, "since": since, "until": until,
            "newest_first": newest_first, "amount_min": amount_min, "amount_max": amount_max})

    def feed(self, *, wallet: str | None = None, limit: int | None = None, cursor: str | None = None,
            people: bool | None = None, after: int | None = None) -> a.Feed:
        """The log in order behind `after` or `cursor`, each event with its effect and the balance after it; below.

        Members: wallet: its id; limit: rows at most; 100; cursor: `next` of the page before; people: the personal texts
        that events name by reference: actor, note, reason, name; one that is not there is {ref, id: null, why}; after:
        the last event that is known; 0: none, which it is of `feed`.
        """
        return self._one(a.Feed, "feed", {"wallet": wallet, "limit": limit, "cursor": cursor, "people": people,
            "after": after})

    def explain(self, wallet: str, *, as_of: When | None = None, from_day: Day | None = None, to_day: Day | None = None,
            day: Day | None = None, since: When | None = None) -> a.Explanation:
        """Why its total and its cash status differ; from one day to another: why the closing is not that before; `since`
        an event or a time: why the total is another one; `day`: why that day is known otherwise than it was published.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; from_day: the first day of rows; to_day: the last; day: a closed day; since: from that
        event on, or recorded at that time or later, or from that day on.
        """
        return self._one(a.Explanation, "explain", {"wallet": wallet, "as_of": as_of, "from_day": from_day,
            "to_day": to_day, "day": day, "since": since})

    def receipts(self, wallet: str, *, as_of: When | None = None, limit: int | None = None,
            cursor: str | None = None) -> Pages[a.Receipts, a.Receipt]:
        """Where the receipts of its payments are, and by what they are found there (docs/papers.md).

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before.
        """
        return self._pages(a.Receipts, "rows", "receipts", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor})

    def statement(self, *, wallet: str, from_day: Day, to_day: Day, as_of: When | None = None) -> a.Statement:
        """Its closed days: opening, rows with the balance after each, sums, closing.

        Members: wallet: its id; from_day: the first day of rows; to_day: the last; as_of: the moment: an event's
        number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now.
        """
        return self._one(a.Statement, "statement", {"wallet": wallet, "from_day": from_day, "to_day": to_day,
            "as_of": as_of})

    def report(self, *, wallet: str, month: str, as_of: When | None = None) -> a.Report:
        """Its tax month by document, equal to its invoices, and why it is not what the cash status has of the month.

        Members: wallet: its id; month: a tax month, `"2026-03"`; of invoices all, of question 8 the newest with an
        invoice; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
        `"2026-10-31"`; now.
        """
        return self._one(a.Report, "report", {"wallet": wallet, "month": month, "as_of": as_of})

    def totals(self, *, as_of: When | None = None) -> a.LedgerTotals:
        """What all wallets have and owe, and what was charged in twelve months.

        Members: as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
        `"2026-10-31"`; now.
        """
        return self._one(a.LedgerTotals, "totals", {"as_of": as_of})

    def expiring(self, *, wallet: str | None = None, days: int | None = None, as_of: When | None = None,
            limit: int | None = None, cursor: str | None = None) -> Pages[a.Expiring, a.ExpiringGrant]:
        """Grants about to lapse.

        Members: wallet: its id; days: at most so many days before its last one; 30; as_of: the moment: an event's
        number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; limit: rows at most; 100;
        cursor: `next` of the page before.
        """
        return self._pages(a.Expiring, "rows", "expiring", {"wallet": wallet, "days": days, "as_of": as_of,
            "limit": limit, "cursor": cursor})

    def who(self, wallet: str, *, people: bool | None = None) -> a.Who:
        """Who has to do with it: master, members, the invited, channels, agency.

        Members: wallet: its id; people: the personal texts that events name by reference: actor, note, reason, name;
        one that is not there is {ref, id: null, why}.
        """
        return self._one(a.Who, "who", {"wallet": wallet, "people": people})

    def may(self, *, wallet: str, actor: str, channel: str | None = None, people: bool | None = None) -> a.May:
        """What that person may do to it now.

        Members: wallet: its id; actor: the id of the person whom it is about; channel: its id; people: the personal
        texts that events name by reference: actor, note, reason, name; one that is not there is {ref, id: null, why}.
        """
        return self._one(a.May, "may", {"wallet": wallet, "actor": actor, "channel": channel, "people": people})

    def roles(self) -> a.Roles:
        """The matrix: which roles carry which command."""
        return self._one(a.Roles, "roles", {})

    def channel(self, channel: str, *, people: bool | None = None) -> a.Channel:
        """Kind, search id, mail-order number, wallet, business, staff.

        Members: channel: its id; people: the personal texts that events name by reference: actor, note, reason, name;
        one that is not there is {ref, id: null, why}.
        """
        return self._one(a.Channel, "channel", {"channel": channel, "people": people})

    def biz(self, *, wallet: str | None = None, channel: str | None = None, limit: int | None = None,
            cursor: str | None = None, people: bool | None = None) -> Pages[a.Biz, a.Event]:
        """Business information of a wallet or a channel: what is approved, what is asked for, requests and reviews.

        Members: wallet: its id; channel: its id; limit: rows at most; 100; cursor: `next` of the page before; people:
        the personal texts that events name by reference: actor, note, reason, name; one that is not there is {ref, id:
        null, why}.
        """
        return self._pages(a.Biz, "history", "biz", {"wallet": wallet, "channel": channel, "limit": limit,
            "cursor": cursor, "people": people})

    def can_delete(self, wallet: str) -> a.CanDelete:
        """Whether it can be deleted, and what is in the way.

        Members: wallet: its id.
        """
        return self._one(a.CanDelete, "can_delete", {"wallet": wallet})

    def answer(self, *, wallet: str, question: int, channel: str | None = None, charge: str | None = None,
            lang: AskLangWord | None = None, people: bool | None = None, month: str | None = None) -> a.Reply:
        """One of the ten questions (docs/questions.md): `text`, and the `events` behind it.

        Members: wallet: its id; question: which of the ten; channel: its id; charge: of question 5: id of a charge; the
        newest payment through a gateway; lang: of the answer; that of the handle; people: the personal texts that
        events name by reference: actor, note, reason, name; one that is not there is {ref, id: null, why}; month: a tax
        month, `"2026-03"`; of invoices all, of question 8 the newest with an invoice.
        """
        return self._one(a.Reply, "answer", {"wallet": wallet, "question": question, "channel": channel,
            "charge": charge, "lang": lang, "people": people, "month": month})

    def invoices(self, wallet: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            month: str | None = None) -> Pages[a.Invoices, a.InvoiceRow]:
        """Its tax invoices, from the oldest on.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; month: a tax month,
        `"2026-03"`; of invoices all, of question 8 the newest with an invoice.
        """
        return self._pages(a.Invoices, "rows", "invoices", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor, "month": month})

    def invoice(self, invoice: int, *, as_of: When | None = None, people: bool | None = None) -> a.Invoice:
        """One of them, and the consumption that it adds up to.

        Members: invoice: its number in the ledger; as_of: the moment: an event's number, a time
        `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; people: the personal texts that events name by
        reference: actor, note, reason, name; one that is not there is {ref, id: null, why}.
        """
        return self._one(a.Invoice, "invoice", {"invoice": invoice, "as_of": as_of, "people": people})

    def due(self, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            outside: bool | None = None, kind: AskKindWord | None = None) -> Pages[a.Due, a.ToDo]:
        """What is to be done, as commands.

        Members: as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
        `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; outside: what is to be done
        elsewhere, too: documents to transmit and to mail; kind: of what is due.
        """
        return self._pages(a.Due, "commands", "due", {"as_of": as_of, "limit": limit, "cursor": cursor,
            "outside": outside, "kind": kind})

    def log(self, *, limit: int | None = None, from_: int | None = None, people: bool | None = None) -> list[a.Event]:
        """The events, from a number on; none beyond the end.

        Members: limit: rows at most; 100; from: the first event's number; 1. The next page: the last one's + 1; people:
        the personal texts that events name by reference: actor, note, reason, name; one that is not there is {ref, id:
        null, why}.
        """
        return self._list(a.Event, "log", {"limit": limit, "from": from_, "people": people})

    def stat(self) -> a.Stat:
        """How large the ledger is, which day is open, which policies hold."""
        return self._one(a.Stat, "stat", {})

    def info(self) -> a.Info:
        """What never changes: currency, exponent, utc_offset, ledger_id; whether something is wrong beside the log;
        `sealed`: there is no usable key, and nothing can be written; `sealed_why`: why not, or null.
        """
        return self._one(a.Info, "info", {})

    def head(self) -> a.Head:
        """Where the log ends: seq, recorded_at, chain."""
        return self._one(a.Head, "head", {})

    def wait(self, after: int, *, timeout_us: int | None = None) -> a.Growth:
        """Returns when the log ends behind that event, or the time is over: `seq`, where it ends, and `more`: whether that
        is behind it.

        Members: after: the last event that is known; 0: none, which it is of `feed`; timeout_us: microseconds; 1000000.
        0 looks once.
        """
        return self._one(a.Growth, "wait", {"after": after, "timeout_us": timeout_us})

    def policies(self) -> a.Policies:
        """Each policy with its value in force."""
        return self._one(a.Policies, "policies", {})

    def people(self) -> a.People:
        """What people.mdb says of itself: layout, sealed, unfinished, older (than the log), epoch, owners, forgotten,
        lost, done, key_file.
        """
        return self._one(a.People, "people", {})

    def commands(self) -> a.Commands:
        """The ops, what each needs and may have, and how each member is written."""
        return self._one(a.Commands, "commands", {})

    def queries(self) -> a.Queries:
        """This table, and those of the members and options."""
        return self._one(a.Queries, "queries", {})


class AsyncQueries:
    """A method for each query. Members that are None are left out."""

    def _pages(self, page: type[P], rows: str, ask: str, members: Mapping[str, Any]) -> AsyncPages[P, Any]:
        raise NotImplementedError

    async def _one(self, answer: type[A], ask: str, members: Mapping[str, Any]) -> A:
        raise NotImplementedError

    async def _list(self, answer: type[A], ask: str, members: Mapping[str, Any]) -> list[A]:
        raise NotImplementedError

    async def balance(self, wallet: str, *, as_of: When | None = None) -> a.Balance:
        """What a wallet has.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now.
        """
        return await self._one(a.Balance, "balance", {"wallet": wallet, "as_of": as_of})

    async def cash_status(self, wallet: str, *, as_of: When | None = None, view: AskViewWord | None = None,
            from_day: Day | None = None, to_day: Day | None = None, newest_first: bool | None = None,
            amount_min: int | None = None, amount_max: int | None = None,
            flow: AskFlowWord | None = None) -> a.CashStatus:
        """Its daily rows, as posted through the last closed day.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; view: `posted`: by posting day; `known`: by the day it happened, open days too;
        from_day: the first day of rows; to_day: the last; newest_first: newest first; amount_min: of events: whose
        amount is at least that; of days: with a flow of at least that; amount_max: at most that; flow: the days that
        have it, and between the bounds.
        """
        return await self._one(a.CashStatus, "cash_status", {"wallet": wallet, "as_of": as_of, "view": view,
            "from_day": from_day, "to_day": to_day, "newest_first": newest_first, "amount_min": amount_min,
            "amount_max": amount_max, "flow": flow})

    async def cash_day(self, day: Day, *, as_of: When | None = None) -> list[a.Day]:
        """One row for each wallet on a closed day.

        Members: day: a closed day; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now.
        """
        return await self._list(a.Day, "cash_day", {"day": day, "as_of": as_of})

    def history(self, wallet: str, *, as_of: When | None = None, type: AskTypeWord | None = None,
            limit: int | None = None, cursor: str | None = None, people: bool | None = None,
            types: Sequence[str] | None = None, since: When | None = None, until: When | None = None,
            oldest_first: bool | None = None, amount_min: int | None = None,
            amount_max: int | None = None) -> AsyncPages[a.History, a.HistoryRow]:
        """What happened to it, newest first; `next`: the cursor of the next page, null at the end.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; type: which kind of rows; limit: rows at most; 100; cursor: `next` of the page before;
        people: the personal texts that events name by reference: actor, note, reason, name; one that is not there is
        {ref, id: null, why}; types: of these types only (docs/format.md), as a list: `["charge_settled"]`; since: from
        that event on, or recorded at that time or later, or from that day on; until: up to that event, or recorded
        before that time, or up to the end of that day; oldest_first: oldest first; balances are those of the whole
        history; amount_min: of events: whose amount is at least that; of days: with a flow of at least that;
        amount_max: at most that.
        """
        return self._pages(a.History, "rows", "history", {"wallet": wallet, "as_of": as_of, "type": type,
            "limit": limit, "cursor": cursor, "people": people, "types": types, "since": since, "until": until,
            "oldest_first": oldest_first, "amount_min": amount_min, "amount_max": amount_max})

    def refused(self, wallet: str, *, as_of: When | None = None, limit: int | None = None,
            cursor: str | None = None) -> AsyncPages[a.Refused, a.Event]:
        """Commands on it that were refused, newest first; `next` as above.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before.
        """
        return self._pages(a.Refused, "rows", "refused", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor})

    def find(self, text: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            people: bool | None = None) -> AsyncPages[a.Found, a.FoundEvent]:
        """The events in which it stands in clear, newest first, each with `what` (under which names) and `belongs_to` (the
        wallet).

        Members: text: whole, as it was given: an id, a key, a reference, a number; as_of: the moment: an event's
        number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; limit: rows at most; 100;
        cursor: `next` of the page before; people: the personal texts that events name by reference: actor, note,
        reason, name; one that is not there is {ref, id: null, why}.
        """
        return self._pages(a.Found, "rows", "find", {"text": text, "as_of": as_of, "limit": limit, "cursor": cursor,
            "people": people})

    def wallets(self, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            statuses: Sequence[AskStatusesWord] | None = None, kinds: Sequence[AskKindsWord] | None = None,
            name: str | None = None, master: str | None = None, total_min: int | None = None,
            total_max: int | None = None, paid_min: int | None = None, paid_max: int | None = None,
            used_since: When | None = None, used_before: When | None = None) -> AsyncPages[a.Wallets, a.WalletRow]:
        """Wallets and what they have, in the order in which they were made.

        Members: as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
        `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; statuses: some of ACTIVE, OFF,
        SUSPENDED, DELETED, as a list; kinds: some of PERSONAL, BUSINESS, OVERSEAS, as a list; name: that is part of the
        wallet's name: each is looked up; master: id of the master; total_min: total cash, both bounds included;
        total_max: amount; paid_min: paid cash, likewise; below 0 it is a debt; paid_max: amount; used_since: whose last
        consumption happened at that time or later, or from that day on; no event's number; used_before: whose last one
        happened before that, or that had none.
        """
        return self._pages(a.Wallets, "rows", "wallets", {"as_of": as_of, "limit": limit, "cursor": cursor,
            "statuses": statuses, "kinds": kinds, "name": name, "master": master, "total_min": total_min,
            "total_max": total_max, "paid_min": paid_min, "paid_max": paid_max, "used_since": used_since,
            "used_before": used_before})

    def charges(self, wallet: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            open: bool | None = None) -> AsyncPages[a.Charges, a.Charge]:
        """Its charges: state, what is left of each, the gateway's keys.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open:
        lots and grants with something left, refunds requested or approved; of the refunds of all wallets `false` is
        refused.
        """
        return self._pages(a.Charges, "rows", "charges", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor, "open": open})

    def lots(self, wallet: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            open: bool | None = None) -> AsyncPages[a.Lots, a.Lot]:
        """What its charges and debt repayments brought, and what is left of each.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open:
        lots and grants with something left, refunds requested or approved; of the refunds of all wallets `false` is
        refused.
        """
        return self._pages(a.Lots, "rows", "lots", {"wallet": wallet, "as_of": as_of, "limit": limit, "cursor": cursor,
            "open": open})

    def grants(self, wallet: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            open: bool | None = None) -> AsyncPages[a.Grants, a.Grant]:
        """Its free cash: state, what is left, the last day.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open:
        lots and grants with something left, refunds requested or approved; of the refunds of all wallets `false` is
        refused.
        """
        return self._pages(a.Grants, "rows", "grants", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor, "open": open})

    def refunds(self, *, wallet: str | None = None, as_of: When | None = None, limit: int | None = None,
            cursor: str | None = None, open: bool | None = None) -> AsyncPages[a.Refunds, a.Refund]:
        """Its refunds and their states; without a wallet the open ones of all.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open:
        lots and grants with something left, refunds requested or approved; of the refunds of all wallets `false` is
        refused.
        """
        return self._pages(a.Refunds, "rows", "refunds", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor, "open": open})

    def events(self, *, wallet: str | None = None, channel: str | None = None, as_of: When | None = None,
            limit: int | None = None, cursor: str | None = None, people: bool | None = None,
            types: Sequence[str] | None = None, since: When | None = None, until: When | None = None,
            newest_first: bool | None = None, amount_min: int | None = None,
            amount_max: int | None = None) -> AsyncPages[a.Events, a.Event]:
        """Events in pages; of a wallet, or of a channel: those that belong to it.

        Members: wallet: its id; channel: its id; as_of: the moment: an event's number, a time
        `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the
        page before; people: the personal texts that events name by reference: actor, note, reason, name; one that is
        not there is {ref, id: null, why}; types: of these types only (docs/format.md), as a list: `["charge_settled"]`;
        since: from that event on, or recorded at that time or later, or from that day on; until: up to that event, or
        recorded before that time, or up to the end of that day; newest_first: newest first; amount_min: of events:
        whose amount is at least that; of days: with a flow of at least that; amount_max: at most that.
        """
        return self._pages(a.Events, "rows", "events", {"wallet": wallet, "channel": channel, "as_of": as_of,
            "limit": limit, "cursor": cursor, "people": people, "types": types, "since": since, "until": until,
            "newest_first": newest_first, "amount_min": amount_min, "amount_max": amount_max})

    async def feed(self, *, wallet: str | None = None, limit: int | None = None, cursor: str | None = None,
            people: bool | None = None, after: int | None = None) -> a.Feed:
        """The log in order behind `after` or `cursor`, each event with its effect and the balance after it; below.

        Members: wallet: its id; limit: rows at most; 100; cursor: `next` of the page before; people: the personal texts
        that events name by reference: actor, note, reason, name; one that is not there is {ref, id: null, why}; after:
        the last event that is known; 0: none, which it is of `feed`.
        """
        return await self._one(a.Feed, "feed", {"wallet": wallet, "limit": limit, "cursor": cursor, "people": people,
            "after": after})

    async def explain(self, wallet: str, *, as_of: When | None = None, from_day: Day | None = None, to_day: Day | None = None,
            day: Day | None = None, since: When | None = None) -> a.Explanation:
        """Why its total and its cash status differ; from one day to another: why the closing is not that before; `since`
        an event or a time: why the total is another one; `day`: why that day is known otherwise than it was published.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; from_day: the first day of rows; to_day: the last; day: a closed day; since: from that
        event on, or recorded at that time or later, or from that day on.
        """
        return await self._one(a.Explanation, "explain", {"wallet": wallet, "as_of": as_of, "from_day": from_day,
            "to_day": to_day, "day": day, "since": since})

    def receipts(self, wallet: str, *, as_of: When | None = None, limit: int | None = None,
            cursor: str | None = None) -> AsyncPages[a.Receipts, a.Receipt]:
        """Where the receipts of its payments are, and by what they are found there (docs/papers.md).

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before.
        """
        return self._pages(a.Receipts, "rows", "receipts", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor})

    async def statement(self, *, wallet: str, from_day: Day, to_day: Day, as_of: When | None = None) -> a.Statement:
        """Its closed days: opening, rows with the balance after each, sums, closing.

        Members: wallet: its id; from_day: the first day of rows; to_day: the last; as_of: the moment: an event's
        number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now.
        """
        return await self._one(a.Statement, "statement", {"wallet": wallet, "from_day": from_day, "to_day": to_day,
            "as_of": as_of})

    async def report(self, *, wallet: str, month: str, as_of: When | None = None) -> a.Report:
        """Its tax month by document, equal to its invoices, and why it is not what the cash status has of the month.

        Members: wallet: its id; month: a tax month, `"2026-03"`; of invoices all, of question 8 the newest with an
        invoice; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
        `"2026-10-31"`; now.
        """
        return await self._one(a.Report, "report", {"wallet": wallet, "month": month, "as_of": as_of})

    async def totals(self, *, as_of: When | None = None) -> a.LedgerTotals:
        """What all wallets have and owe, and what was charged in twelve months.

        Members: as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
        `"2026-10-31"`; now.
        """
        return await self._one(a.LedgerTotals, "totals", {"as_of": as_of})

    def expiring(self, *, wallet: str | None = None, days: int | None = None, as_of: When | None = None,
            limit: int | None = None, cursor: str | None = None) -> AsyncPages[a.Expiring, a.ExpiringGrant]:
        """Grants about to lapse.

        Members: wallet: its id; days: at most so many days before its last one; 30; as_of: the moment: an event's
        number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; limit: rows at most; 100;
        cursor: `next` of the page before.
        """
        return self._pages(a.Expiring, "rows", "expiring", {"wallet": wallet, "days": days, "as_of": as_of,
            "limit": limit, "cursor": cursor})

    async def who(self, wallet: str, *, people: bool | None = None) -> a.Who:
        """Who has to do with it: master, members, the invited, channels, agency.

        Members: wallet: its id; people: the personal texts that events name by reference: actor, note, reason, name;
        one that is not there is {ref, id: null, why}.
        """
        return await self._one(a.Who, "who", {"wallet": wallet, "people": people})

    async def may(self, *, wallet: str, actor: str, channel: str | None = None, people: bool | None = None) -> a.May:
        """What that person may do to it now.

        Members: wallet: its id; actor: the id of the person whom it is about; channel: its id; people: the personal
        texts that events name by reference: actor, note, reason, name; one that is not there is {ref, id: null, why}.
        """
        return await self._one(a.May, "may", {"wallet": wallet, "actor": actor, "channel": channel, "people": people})

    async def roles(self) -> a.Roles:
        """The matrix: which roles carry which command."""
        return await self._one(a.Roles, "roles", {})

    async def channel(self, channel: str, *, people: bool | None = None) -> a.Channel:
        """Kind, search id, mail-order number, wallet, business, staff.

        Members: channel: its id; people: the personal texts that events name by reference: actor, note, reason, name;
        one that is not there is {ref, id: null, why}.
        """
        return await self._one(a.Channel, "channel", {"channel": channel, "people": people})

    def biz(self, *, wallet: str | None = None, channel: str | None = None, limit: int | None = None,
            cursor: str | None = None, people: bool | None = None) -> AsyncPages[a.Biz, a.Event]:
        """Business information of a wallet or a channel: what is approved, what is asked for, requests and reviews.

        Members: wallet: its id; channel: its id; limit: rows at most; 100; cursor: `next` of the page before; people:
        the personal texts that events name by reference: actor, note, reason, name; one that is not there is {ref, id:
        null, why}.
        """
        return self._pages(a.Biz, "history", "biz", {"wallet": wallet, "channel": channel, "limit": limit,
            "cursor": cursor, "people": people})

    async def can_delete(self, wallet: str) -> a.CanDelete:
        """Whether it can be deleted, and what is in the way.

        Members: wallet: its id.
        """
        return await self._one(a.CanDelete, "can_delete", {"wallet": wallet})

    async def answer(self, *, wallet: str, question: int, channel: str | None = None, charge: str | None = None,
            lang: AskLangWord | None = None, people: bool | None = None, month: str | None = None) -> a.Reply:
        """One of the ten questions (docs/questions.md): `text`, and the `events` behind it.

        Members: wallet: its id; question: which of the ten; channel: its id; charge: of question 5: id of a charge; the
        newest payment through a gateway; lang: of the answer; that of the handle; people: the personal texts that
        events name by reference: actor, note, reason, name; one that is not there is {ref, id: null, why}; month: a tax
        month, `"2026-03"`; of invoices all, of question 8 the newest with an invoice.
        """
        return await self._one(a.Reply, "answer", {"wallet": wallet, "question": question, "channel": channel,
            "charge": charge, "lang": lang, "people": people, "month": month})

    def invoices(self, wallet: str, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            month: str | None = None) -> AsyncPages[a.Invoices, a.InvoiceRow]:
        """Its tax invoices, from the oldest on.

        Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
        day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; month: a tax month,
        `"2026-03"`; of invoices all, of question 8 the newest with an invoice.
        """
        return self._pages(a.Invoices, "rows", "invoices", {"wallet": wallet, "as_of": as_of, "limit": limit,
            "cursor": cursor, "month": month})

    async def invoice(self, invoice: int, *, as_of: When | None = None, people: bool | None = None) -> a.Invoice:
        """One of them, and the consumption that it adds up to.

        Members: invoice: its number in the ledger; as_of: the moment: an event's number, a time
        `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; people: the personal texts that events name by
        reference: actor, note, reason, name; one that is not there is {ref, id: null, why}.
        """
        return await self._one(a.Invoice, "invoice", {"invoice": invoice, "as_of": as_of, "people": people})

    def due(self, *, as_of: When | None = None, limit: int | None = None, cursor: str | None = None,
            outside: bool | None = None, kind: AskKindWord | None = None) -> AsyncPages[a.Due, a.ToDo]:
        """What is to be done, as commands.

        Members: as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
        `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; outside: what is to be done
        elsewhere, too: documents to transmit and to mail; kind: of what is due.
        """
        return self._pages(a.Due, "commands", "due", {"as_of": as_of, "limit": limit, "cursor": cursor,
            "outside": outside, "kind": kind})

    async def log(self, *, limit: int | None = None, from_: int | None = None, people: bool | None = None) -> list[a.Event]:
        """The events, from a number on; none beyond the end.

        Members: limit: rows at most; 100; from: the first event's number; 1. The next page: the last one's + 1; people:
        the personal texts that events name by reference: actor, note, reason, name; one that is not there is {ref, id:
        null, why}.
        """
        return await self._list(a.Event, "log", {"limit": limit, "from": from_, "people": people})

    async def stat(self) -> a.Stat:
        """How large the ledger is, which day is open, which policies hold."""
        return await self._one(a.Stat, "stat", {})

    async def info(self) -> a.Info:
        """What never changes: currency, exponent, utc_offset, ledger_id; whether something is wrong beside the log;
        `sealed`: there is no usable key, and nothing can be written; `sealed_why`: why not, or null.
        """
        return await self._one(a.Info, "info", {})

    async def head(self) -> a.Head:
        """Where the log ends: seq, recorded_at, chain."""
        return await self._one(a.Head, "head", {})

    async def wait(self, after: int, *, timeout_us: int | None = None) -> a.Growth:
        """Returns when the log ends behind that event, or the time is over: `seq`, where it ends, and `more`: whether that
        is behind it.

        Members: after: the last event that is known; 0: none, which it is of `feed`; timeout_us: microseconds; 1000000.
        0 looks once.
        """
        return await self._one(a.Growth, "wait", {"after": after, "timeout_us": timeout_us})

    async def policies(self) -> a.Policies:
        """Each policy with its value in force."""
        return await self._one(a.Policies, "policies", {})

    async def people(self) -> a.People:
        """What people.mdb says of itself: layout, sealed, unfinished, older (than the log), epoch, owners, forgotten,
        lost, done, key_file.
        """
        return await self._one(a.People, "people", {})

    async def commands(self) -> a.Commands:
        """The ops, what each needs and may have, and how each member is written."""
        return await self._one(a.Commands, "commands", {})

    async def queries(self) -> a.Queries:
        """This table, and those of the members and options."""
        return await self._one(a.Queries, "queries", {})


COMMAND_KINDS = {"wallet": "text", "charge": "text", "grant": "text", "usage": "text", "refund": "text", "kind": "text",
    "name": "text", "master": "text", "amount": "int", "method": "text", "pg": "text", "txn_ref": "text",
    "approve_no": "text", "reason": "text", "expires_on": "day", "origin": "text", "overdraft": "bool", "seq": "int",
    "policy": "text", "value": "value", "from": "instant", "day": "day", "force": "bool", "commands": "list",
    "key": "text", "actor": "actor", "at": "instant", "clock": "instant", "expect": "int", "note": "text",
    "person": "text", "role": "text", "agency": "text", "channel": "text", "channel_kind": "text", "search_id": "text",
    "mail_order": "text", "biz": "text", "biz_name": "text", "representative": "text", "address": "text",
    "email": "text", "settlement": "text", "limit": "int", "month": "text", "invoice": "int", "ref": "text",
    "result": "text", "why": "text", "caller": "text"}

QUERY_KINDS = {"wallet": "text", "channel": "text", "actor": "text", "question": "int", "charge": "text",
    "text": "text", "days": "int", "lang": "text", "as_of": "when", "view": "text", "from_day": "day", "to_day": "day",
    "day": "day", "type": "text", "limit": "int", "cursor": "text", "from": "int", "people": "bool", "open": "bool",
    "types": "list", "since": "when", "until": "when", "newest_first": "bool", "oldest_first": "bool",
    "amount_min": "int", "amount_max": "int", "flow": "text", "statuses": "list", "kinds": "list", "name": "text",
    "master": "text", "total_min": "int", "total_max": "int", "paid_min": "int", "paid_max": "int",
    "used_since": "when", "used_before": "when", "after": "int", "timeout_us": "int", "month": "text", "invoice": "int",
    "outside": "bool", "kind": "text"}
