"""What a run came to: every instruction and every departure is counted once, under every kind."""

from __future__ import annotations

import pytest

from core.account import Account, Tally
from core.cost_table import load_costs
from core.costs import Part, Work
from core.events import Cause, Ring
from core.guests.catalog import load_program
from core.session import Session
from core.vmm import kinds_for

PENTIUM = load_costs()[0]


def ran(guest: str, kind: str, *pieces: int) -> Account:
    session, tally = Session(recording=False), Tally()
    try:
        session.load(load_program(guest), kind)
        for piece in pieces:
            session.run(piece)
            tally.take(session)
        session.run()
        return tally.account(session)
    finally:
        session.close()


@pytest.mark.parametrize("kind", list(kinds_for()))
def test_every_instruction_ran_in_one_of_three_ways(kind: str) -> None:
    account = ran("rings", kind)
    assert account.direct + account.translated + account.with_monitor == account.instructions
    assert min(account.direct, account.translated, account.with_monitor) >= 0
    assert (account.translated > 0) == (kind == "translation")
    assert (account.with_monitor > 0) == (kind != "bare")


@pytest.mark.parametrize("kind", ["bare", "trap_emulate", "translation", "hardware_shadow"])
def test_it_makes_no_difference_when_one_counts(kind: str) -> None:
    assert ran("privileged", kind) == ran("privileged", kind, 3, 5, 8)


def test_departures_are_told_by_the_guests_own_instruction() -> None:
    account = ran("privileged", "trap_emulate")
    refused = {each.site.instruction for each in account.sites if each.site.cause is Cause.PRIVILEGED}
    assert {"cli", "sti"} <= refused
    assert all(each.site.by_monitor and each.site.ring is Ring.KERNEL for each in account.sites if each.count)


def test_an_exit_says_what_the_guest_did_so_that_kinds_can_be_compared() -> None:
    bare, exits = ran("hello", "bare"), ran("hello", "hardware")
    assert bare.departures()[Cause.IO] == exits.acts()[Cause.IO] > 0
    assert exits.departures()[Cause.IO] == 0
    assert exits.met_monitor()[Cause.IO] == exits.acts()[Cause.IO]
    assert not bare.met_monitor()


def test_cycles_are_the_work_times_its_price() -> None:
    account = ran("hello", "translation")
    work = account.work()
    assert work[Work.TRANSLATION] > 0
    assert work[Work.INSTRUCTION] == account.instructions
    parts = account.cycles(PENTIUM)
    assert parts[Part.TRANSLATING] == sum(
        work[each] * PENTIUM.prices[each].cycles for each in (Work.TRANSLATION, Work.CALLOUT)
    )
    assert sum(parts.values()) == sum(count * PENTIUM.prices[each].cycles for each, count in work.items())


@pytest.mark.parametrize("guest", ["rings", "hello"])
def test_what_ran_directly_is_what_the_probes_of_the_cache_count(guest: str) -> None:
    session, tally = Session(), Tally()
    try:
        session.load(load_program(guest), "translation")
        session.run()
        account, cache = tally.account(session), session.vmm.seen_cache()
    finally:
        session.close()
    assert cache is not None
    assert cache.ran is not None
    unlike_instructions = (Cause.PAGE_FAULT_HIDDEN, Cause.TRACE, Cause.INTERRUPT)  # after these it runs, or none did
    in_programs = (each for each in account.sites if each.site.by_monitor and each.site.ring is Ring.USER)
    called = sum(each.count for each in in_programs if each.site.act not in unlike_instructions)
    assert account.direct + called == cache.ran.direct
    assert account.instructions == cache.ran.total
