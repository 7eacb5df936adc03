"""No client gets more than its share, however it asks, and one that waits as told is served."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from device.evi.access import Caller, Refused, refused_handler
from device.evi.faults import Fault
from device.evi.limits import MOST_CLIENTS, Places, Rate, RateLimit


class Clock:
    """A clock that is moved by hand; it begins where a long-running machine's would be."""

    def __init__(self, at: float = 1e6) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


rates = st.floats(0.01, 1000)
pauses = st.lists(st.floats(0, 3), min_size=1, max_size=60)


@given(rates, pauses, st.floats(0, 1e9))
def test_no_stretch_of_time_sees_more_than_the_rate_and_one_burst(
    per_second: float, pauses: list[float], start: float
) -> None:
    clock = Clock(start)
    rate = Rate(per_second, clock)
    passed: list[float] = []
    for pause in pauses:
        clock.at += pause
        for _ in range(3):
            if rate.take("client") == 0.0:
                passed.append(clock.at)
    burst = max(1.0, per_second)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            length = passed[last] - passed[first]
            # what rounding in the clock itself may make of it
            slack = 1e-6 + per_second * 1e-6
            assert last - first + 1 <= per_second * length + burst + slack


@given(rates, pauses, st.floats(0, 1e9))
def test_a_client_that_waits_as_told_is_let_through(
    per_second: float, pauses: list[float], start: float
) -> None:
    clock = Clock(start)
    rate = Rate(per_second, clock)
    for pause in pauses:
        clock.at += pause
        wait = rate.take("client")
        assert 0 <= wait <= 1 / per_second + 1e-6
        if wait:
            clock.at += wait
            assert rate.take("client") == 0.0


@pytest.mark.parametrize(("per_second", "burst"), [(50, 50), (1, 1), (0.1, 1), (2.5, 2)])
def test_a_rested_client_may_make_a_burst(per_second: float, burst: int) -> None:
    rate = Rate(per_second, Clock())
    assert [rate.take("client") == 0.0 for _ in range(burst + 1)] == [True] * burst + [False]


def test_clients_do_not_share() -> None:
    rate = Rate(1, Clock())
    assert rate.take("one") == 0.0
    assert rate.take("one") > 0
    assert rate.take("two") == 0.0


def test_rest_earns_no_more_than_one_burst_while_another_client_is_busy() -> None:
    clock = Clock()
    rate = Rate(10, clock)
    for _ in range(10):
        assert rate.take("busy") == 0.0
    assert rate.take("resting") == 0.0
    clock.at += 0.9
    assert [rate.take("resting") == 0.0 for _ in range(11)] == [True] * 10 + [False]


def test_idle_clients_are_forgotten() -> None:
    clock = Clock()
    rate = Rate(5, clock)
    for number in range(100):
        rate.take(str(number))
    assert rate.clients == 100
    clock.at += 1
    rate.take("late")
    assert rate.clients == 1


def test_memory_is_bounded_and_so_is_the_wait_of_whoever_finds_it_full() -> None:
    clock = Clock()
    rate = Rate(1, clock)
    for number in range(MOST_CLIENTS):
        assert rate.take(str(number)) == 0.0
    wait = rate.take("one more")
    assert 0 < wait <= 1.001
    assert rate.clients == MOST_CLIENTS
    clock.at += wait
    assert rate.take("one more") == 0.0


def limited(per_second: float) -> FastAPI:
    """An app of one route, whose callers name their key in a header of the test's own."""
    app = FastAPI()

    async def known(request: Request) -> None:
        if name := request.headers.get("test-key"):
            request.state.caller = Caller(name, keyed=True)

    limit = RateLimit(Rate(per_second, Clock()))
    app.add_exception_handler(Refused, refused_handler)

    @app.get("/", dependencies=[Depends(known), Depends(limit)])
    async def answer() -> str:
        return "here"

    return app


def statuses(app: FastAPI, asked: list[tuple[str, str]]) -> list[httpx.Response]:
    """What requests are answered that come from (address, key)."""

    async def ask() -> list[httpx.Response]:
        answers = []
        for address, key in asked:
            transport = httpx.ASGITransport(app, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://device") as client:
                answers.append(await client.get("/", headers={"test-key": key} if key else {}))
        return answers

    return asyncio.run(ask())


def test_a_client_that_asks_too_often_is_told_to_wait() -> None:
    *served, refused = statuses(limited(3), [("10.0.0.1", "")] * 4)
    assert [answer.status_code for answer in served] == [200] * 3
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    body = refused.json()
    assert (body["code"], body["error"]) == ("R0429", "too_many_requests")
    assert "api.requests_per_second" in body["message"]


def test_the_wait_is_told_in_whole_seconds_that_suffice() -> None:
    *_, refused = statuses(limited(0.3), [("10.0.0.1", "")] * 2)
    assert refused.headers["Retry-After"] == "4"


def test_a_key_is_one_client_wherever_it_is_used_and_an_address_another() -> None:
    asked = [("10.0.0.1", "phone"), ("10.0.0.2", "phone"), ("10.0.0.2", ""), ("phone", "")]
    answers = statuses(limited(1), asked)
    assert [answer.status_code for answer in answers] == [200, 429, 200, 200]


def test_places_are_given_until_none_is_left_and_come_back() -> None:
    places = Places(2)
    with places.taken():
        with places.taken():
            assert places.free == 0
            with pytest.raises(Fault, match="holds 2 chats at a time") as full, places.taken():
                pytest.fail("there was no place")
            assert full.value.code == "R0429"
        assert places.free == 1
    assert places.free == 2


def test_a_chat_that_fails_gives_its_place_back() -> None:
    places = Places(1)
    with pytest.raises(ZeroDivisionError), places.taken():
        1 / 0  # noqa: B018
    assert places.free == 1


def test_fewer_places_than_are_taken_means_none_is_free() -> None:
    places = Places(2)
    with places.taken(), places.taken():
        places.most = 1
        assert places.free == 0
    assert places.free == 1
