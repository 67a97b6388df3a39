"""jangbu: an event-sourced ledger for prepaid cash wallets, over libjangbu-json.

    with jangbu.Ledger.init("shop") as ledger:
        ledger.wallet_create(wallet="W1", kind="BUSINESS", name="Coffee")
        ledger.charge(wallet="W1", charge="C1", amount=50000, key="order-1")
        print(ledger.balance("W1").total)

Words and figures are those of docs/vocabulary.md and docs/json.md. Money is an int in the currency's minor unit."""
from . import answers, errors
from ._answer import Answer
from ._command import command
from ._made import Actor
from ._pages import AsyncPages, Pages
from .aio import AsyncLedger
from .answers import Done, Refusal
from .errors import Closed, Failed, Forked, JangbuError, LibraryNotFound, Refused
from .ledger import Ledger

__version__ = "0.2.0.dev0"
__all__ = ["Actor", "Answer", "AsyncLedger", "AsyncPages", "Closed", "Done", "Failed", "Forked", "JangbuError", "Ledger", "LibraryNotFound",
           "Pages", "Refusal", "Refused", "answers", "command", "errors"]
