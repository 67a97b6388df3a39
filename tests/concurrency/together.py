#!/usr/bin/python3
"""Four processes write the same keyed commands into one ledger at once, each in an order of its own. Each command happens exactly once, all four
are told the same, and the witness, which is given the commands one by one in the order in which the log has them, agrees with every answer, balance,
day row and explanation.

usage: together.py JANGBU [SEED]"""
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "witness"))
import compare  # noqa: E402
import model  # noqa: E402
import run as witness  # noqa: E402

WRITERS, COMMANDS, WALLETS = 4, 500, 5


def commands(rng):
    """Keyed commands without a time of their own; what they meet depends on who comes first, so many are refused."""
    made = [{"op": "wallet.create", "wallet": f"W{w}", "kind": "BUSINESS", "name": f"wallet {w}", "master": f"m{w}"} for w in range(WALLETS)]
    for i in range(COMMANDS):
        wallet, other = f"W{rng.randrange(WALLETS)}", rng.randrange(max(i, 1))
        command = rng.choice([
            {"op": "charge", "charge": f"C{i}", "amount": rng.randrange(500, 3000), "method": rng.choice(["CREDIT_CARD", "ADMIN_CASH"])},
            {"op": "consume", "usage": f"U{i}", "amount": rng.randrange(1, 900)}, {"op": "consume", "usage": f"U{i}", "amount": rng.randrange(1, 900)},
            {"op": "consume", "usage": f"U{i}", "amount": rng.randrange(1, 2500), "overdraft": True},
            {"op": "consume.reverse", "usage": f"U{other}", "amount": rng.randrange(1, 500)},
            {"op": "charge.reverse", "charge": f"C{other}", "amount": rng.randrange(1, 900)}, {"op": "debt.repay", "amount": rng.randrange(1, 200)},
            {"op": "free.grant", "grant": f"G{i}", "amount": rng.randrange(1, 500), "expires_on": "2099-12-31"}, {"op": "free.activate", "grant": f"G{other}"},
            {"op": "refund.request", "refund": f"R{i}", "amount": rng.randrange(1, 900)}, {"op": f"refund.{rng.choice(['approve', 'cancel', 'complete', 'fail'])}", "refund": f"R{other}"},
            {"op": rng.choice(["wallet.off", "wallet.on", "wallet.on"])},
        ])
        command = {"op": command.pop("op"), "wallet": wallet, **command}
        if rng.random() < 0.1:
            members = [command, {"op": "consume", "wallet": wallet, "usage": f"U{i}-2", "amount": rng.randrange(1, 900)}]
            command = {"op": "atomic", "commands": members}
        made.append(command)
    return [{**command, "key": f"k{i}"} for i, command in enumerate(made)]


def write(jangbu, ledger, lines, seed):
    rng, answers = random.Random(seed), {}
    p = subprocess.Popen([jangbu, "apply", ledger], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines = lines[:WALLETS] + rng.sample(lines[WALLETS:], len(lines) - WALLETS)
    while lines:
        n = rng.randrange(1, 12)
        p.stdin.write("".join(json.dumps(line) + "\n" for line in lines[:n]))
        p.stdin.flush()
        for line in lines[:n]:
            answers[line["key"]] = json.loads(p.stdout.readline())
        lines = lines[n:]
    p.stdin.close()
    assert p.wait() in (0, 1)
    return answers


def main():
    jangbu, seed = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20261124
    print("seed", seed)
    rng = random.Random(seed)
    lines = commands(rng)
    with tempfile.TemporaryDirectory() as work:
        ledger = os.path.join(work, "ledger")
        subprocess.run([jangbu, "init", ledger], check=True, stdout=subprocess.DEVNULL)
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            told = list(pool.map(lambda n: write(jangbu, ledger, list(lines), seed + n), range(WRITERS)))
        firsts = {}
        for key in told[0]:
            answers = [{k: v for k, v in answer[key].items() if k not in ("line", "duplicate")} for answer in told]
            assert all(answer == answers[0] for answer in answers), (key, answers)
            fresh = sum("duplicate" not in answer[key] for answer in told)
            assert fresh == 1, f"{key} was done {fresh} times"
            firsts[key] = answers[0]
        events = [json.loads(text) for text in subprocess.run([jangbu, "log", ledger, "--json"], capture_output=True, text=True, check=True).stdout.splitlines()]
        order = [event for event in events if "key" in event]
        assert sorted(e["key"] for e in order) == sorted(line["key"] for line in lines), "a key is missing, or stands twice"
        init_events = sum(event["recorded_at"] is None for event in events)
        agreeing = model.Ledger(init_events)
        by_key = {line["key"]: line for line in lines}
        for event in order:
            expected = agreeing.apply_line(json.dumps({**by_key[event["key"]], "clock": event["recorded_at"]}), "")
            differences = compare.result(expected, firsts[event["key"]])
            assert not differences, (by_key[event["key"]], differences, expected, firsts[event["key"]])
        trial = object.__new__(witness.Trial)
        trial.program, trial.ledger, trial.rng, trial.init_events, trial.totals_compared = witness.Program(jangbu, ledger), agreeing, rng, init_events, 0
        trial.pages_rng, trial.mode = random.Random(seed), None  # nobody is asked for a role
        trial._check_reads()
        trial.program.stderr.close()
    refused = sum(not answer["ok"] for answer in firsts.values())
    taken = [sum("duplicate" not in answer for answer in answers.values()) for answers in told]
    assert sum(n > 0 for n in taken) > 1, f"they did not meet: {taken}"
    print(f"{len(lines)} commands ({refused} refused) from {WRITERS} processes, each done once (by the first to come: {taken}); the witness agrees with every answer and figure")
    return 0


if __name__ == "__main__":
    sys.exit(main())
