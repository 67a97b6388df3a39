"""Faults that are planted in the model: what those of who_faults.py and papers_faults.py share."""

import argparse
import json
from unittest import mock

import compare
import model


def method(owner, name, make):
    """The method as `make` makes it of the honest one."""
    return mock.patch.object(owner, name, make(getattr(owner, name)))


def first_difference(ledger, lines):
    """Which line of [(line, expected)] the ledger is the first to answer otherwise, from 1; None: it answers each as recorded."""
    for count, (line, expected) in enumerate(lines, 1):
        try:
            got = ledger.apply_line(line)
        except (KeyError, AttributeError, TypeError, IndexError, AssertionError, model.Undecided):
            return count
        if expected is not None and compare.result(expected, json.loads(json.dumps(got, default=str))):
            return count
    return None


def main(faults, recorded, found, seeds, commands):
    parser = argparse.ArgumentParser(description="how soon the streams find each planted fault")
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--commands", type=int, default=commands)
    arguments = parser.parse_args()
    streams = recorded(arguments.seeds, arguments.commands)
    assert found(streams) is None
    for name, make in faults.items():
        with make():
            print(f"{name:50} {found(streams)}", flush=True)
