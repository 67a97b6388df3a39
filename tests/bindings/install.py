#!/usr/bin/python3
"""`pip install tools/bindings/python` into a directory of its own, without a network, and a user's program by mypy --strict where mypy
is there (of this Python, or as a program).

usage: install.py LIBRARY"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOOD = '''
import asyncio
import jangbu
from jangbu import command


def total(ledger: jangbu.Ledger) -> int:
    done = ledger.charge(wallet="W1", charge="C1", amount=1000, key="k")
    sum_of: int = done.amount
    for row in ledger.history("W1", limit=3):
        sum_of += row.effect
    for result in ledger.submit([command.consume(wallet="W1", usage="U1", amount=5)]):
        if isinstance(result, jangbu.Refusal):
            print(result.code, result.available)
    return ledger.balance("W1").total + sum_of


async def main() -> None:
    async with jangbu.AsyncLedger.open("shop", lang="ko") as ledger:
        done: jangbu.Done = await ledger.charge(wallet="W1", charge="C2", amount=1000)
        when: str = (await ledger.balance("W1")).as_of.at
        async for event in ledger.follow(after=done.seq):
            print(event.type, when)
            break


with jangbu.Ledger.init("shop") as one:
    one.wallet_create(wallet="W1", kind="BUSINESS", name="w")
    print(total(one))
asyncio.run(main()) if False else None
'''
BAD = (("an amount that is a text", 'ledger.charge(wallet="W1", charge="C", amount="5")'), ("a word that is none", 'ledger.wallet_create(wallet="W", kind="SHOP", name="n")'),
       ("a member misspelt", 'ledger.charge(wallet="W1", chrge="C", amount=5)'), ("a float", "ledger.charge(wallet='W1', charge='C', amount=1.5)"),
       ("a text for a number", 'n: str = ledger.balance("W1").total'))


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def mypy_found(python):
    if run(python, "-m", "mypy", "--version").returncode == 0:
        return [python, "-m", "mypy"]
    return [shutil.which("mypy")] if shutil.which("mypy") else None


def typed(mypy, work):
    """A good program passes; each bad line of another one is found."""
    (work / "good.py").write_text(GOOD)
    (work / "bad.py").write_text("import jangbu\n\n\ndef f(ledger: jangbu.Ledger) -> None:\n" + "".join(f"    {line}\n" for _, line in BAD))
    where = ["--strict", "--cache-dir", str(work / "cache")]
    good, bad = run(*mypy, *where, "good.py", cwd=work), run(*mypy, *where, "bad.py", cwd=work)
    found = [] if good.returncode == 0 else [good.stdout + good.stderr]
    return found + [f"mypy finds nothing wrong with {name}: {bad.stdout}" for n, (name, _) in enumerate(BAD, 5) if f"bad.py:{n}:" not in bad.stdout]


def main():
    os.environ["JANGBU_LIBRARY"] = os.path.abspath(sys.argv[1])
    if run(sys.executable, "-m", "pip", "--version").returncode != 0:
        print("skipped: this Python has no pip (Debian: python3-pip)")
        return 77
    problems = []
    with tempfile.TemporaryDirectory(prefix="jangbu-install-") as work:
        work, site = pathlib.Path(work), pathlib.Path(work) / "site"
        done = run(sys.executable, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", "--target", str(site), str(ROOT / "tools/bindings/python"), cwd=work)
        problems += [] if done.returncode == 0 else [done.stdout + done.stderr]
        os.environ["PYTHONPATH"] = os.environ["MYPYPATH"] = str(site)
        (work / "good.py").write_text(GOOD)
        done = run(sys.executable, "good.py", cwd=work)
        problems += [] if done.returncode == 0 and done.stdout.strip() == "2995" else [done.stdout + done.stderr]
        have = {p.relative_to(site / "jangbu").as_posix() for p in (site / "jangbu").rglob("*") if "__pycache__" not in p.parts}
        want = {p.name for p in (ROOT / "tools/bindings/python/src/jangbu").glob("*") if p.suffix in (".py", ".typed")}
        problems += [] if have == want and "py.typed" in have else [f"the wheel has {sorted(have ^ want)} more or less"]
        mypy = mypy_found(sys.executable)
        problems += typed(mypy, work) if mypy else []
    for problem in problems:
        print(problem)
    print("installed" + ("; mypy --strict has what it finds" if mypy else "; no mypy here: types are not looked at"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
