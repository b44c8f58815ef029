"""``ringside guests`` and ``ringside kinds``: what there is to run, and what to run it under."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable

from app.cli import statuses


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands."""
    guests = commands.add_parser(
        "guests",
        help="list the shipped guests",
        description="The guests that come with Ringside: small programs and kernels, each with one thing to show.",
    )
    guests.add_argument(
        "--diff", nargs=2, metavar=("A", "B"), help="instead: what differs between two builds of Pebble, as a diff"
    )
    kinds = commands.add_parser(
        "kinds",
        help="list the kinds of monitor",
        description="The kinds of virtual machine monitor that a guest can run under.",
    )
    for parser, main in ((guests, list_guests), (kinds, list_kinds)):
        parser.add_argument("--json", action="store_true", help="print a JSON object by name")
        parser.set_defaults(main=main)


def list_guests(arguments: argparse.Namespace) -> int:
    """Print the shipped guests, or what differs between two of them."""
    from core.guests.builds import difference
    from core.guests.catalog import guest_named, shipped_guests

    if arguments.diff:
        print(difference(*(guest_named(name) for name in arguments.diff)))
        return statuses.DONE
    return _print(((guest.name, guest.title, guest.summary) for guest in shipped_guests().values()), arguments.json)


def list_kinds(arguments: argparse.Namespace) -> int:
    """Print the kinds of monitor."""
    from core.vmm import kinds

    return _print(((kind.kind, kind.title, kind.summary) for kind in kinds().values()), arguments.json)


def _print(entries: Iterable[tuple[str, str, str]], as_json: bool) -> int:
    if as_json:
        print(json.dumps({name: {"title": title, "summary": summary} for name, title, summary in entries}))
        return statuses.DONE
    rows = list(entries)
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, title, summary in rows:
        print(f"{name:<{width}}  {title}. {summary}")
    return statuses.DONE
