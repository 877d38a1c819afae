import asyncio
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from google.auth.exceptions import TransportError

from mcp_server.http.certificates import CERTIFICATES, CertificateResponse, Certificates, CertificatesError

from support.google_signer import CertificateAddress, Told

GOOD = b'{"key-1": "-----BEGIN CERTIFICATE-----"}'
NEW = b'{"key-2": "-----BEGIN CERTIFICATE-----"}'


@dataclass
class Clock:
    """Seconds, as the test says."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def told(headers: Mapping[str, str]) -> Told:
    return Told(GOOD, headers)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache-Control": "public, max-age=20000, must-revalidate"}, 20_000),
        ({"cache-control": "max-age=20000"}, 20_000),
        ({"Cache-Control": "max-age=20000", "Age": "5000"}, 15_000),
        ({"Cache-Control": "max-age=20000", "Age": "soon"}, 20_000),
        ({"Cache-Control": "max-age=999999999"}, 86_400),
        ({"Cache-Control": "max-age=0"}, 60),
        ({"Cache-Control": "s-max-age=20000"}, 300),
        ({}, 300),
    ],
)
async def test_certificates_are_kept_as_long_as_google_says(headers: Mapping[str, str], seconds: int) -> None:
    clock = Clock()
    address = CertificateAddress([told(headers), TransportError("down")])
    certificates = Certificates(address, clock=clock)

    await certificates.current()
    clock.now += seconds * 0.9 - 1
    await certificates.current()
    assert address.asked == [CERTIFICATES]
    clock.now = 1_000.0 + seconds
    with pytest.raises(CertificatesError):
        await certificates.current()


async def test_a_thousand_callers_wait_for_one_fetch() -> None:
    address = CertificateAddress([told({})])
    certificates = Certificates(address)

    kept = await asyncio.gather(*(certificates.current() for _ in range(1_000)))

    assert len(address.asked) == 1
    assert {each.data for each in kept} == {GOOD}


async def test_they_are_renewed_before_they_end_and_nobody_waits_for_that() -> None:
    clock, gate = Clock(), threading.Event()
    answers = [GOOD, NEW]

    def fetch(url: str, *, method: str, timeout: int) -> CertificateResponse:
        answer = answers.pop(0)
        if answer is NEW:
            assert gate.wait(timeout)
        return Told(answer, {"Cache-Control": "max-age=1000"})

    certificates = Certificates(fetch, clock=clock)
    await certificates.current()
    clock.now += 950

    assert (await certificates.current()).data == GOOD
    gate.set()
    clock.now += 50
    assert (await certificates.current()).data == NEW


async def test_a_renewal_that_fails_leaves_what_may_still_be_used(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    address = CertificateAddress([told({"Cache-Control": "max-age=1000"}), TransportError("down"), Told(NEW)])
    certificates = Certificates(address, clock=clock)
    await certificates.current()

    clock.now += 950
    assert (await certificates.current()).data == GOOD
    async with asyncio.timeout(60):
        while "down" not in caplog.text:  # noqa: ASYNC110 - the log tells nobody
            await asyncio.sleep(0)
    clock.now += 9
    assert (await certificates.current()).data == GOOD
    clock.now += 41
    assert (await certificates.current()).data == NEW
    assert len(address.asked) == 3


UNUSABLE = {
    "refused": TransportError("refused"),
    "an error": Told(GOOD, status=500),
    "no JSON": Told(b"<html>"),
    "no text": Told(b"\xff\xfe"),
    "a list": Told(b"[]"),
    "no certificates": Told(b"{}"),
    "keys of another form": Told(b'{"keys": [{"kid": "1"}]}'),
    "huge": Told(b'{"a": "' + b"x" * (300 << 10) + b'"}'),
}


@pytest.mark.parametrize("answer", UNUSABLE.values(), ids=UNUSABLE)
async def test_what_is_no_answer_of_certificates_is_not_kept_and_is_asked_for_again_after_a_pause(
    answer: Told | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    address = CertificateAddress([answer, Told(GOOD)])
    certificates = Certificates(address, clock=clock)

    for _ in range(3):
        with pytest.raises(CertificatesError):
            await certificates.current()
    assert len(address.asked) == 1
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 1
    clock.now += 10
    assert (await certificates.current()).data == GOOD


async def test_a_caller_who_goes_away_does_not_take_the_fetch_along() -> None:
    gate = threading.Event()

    def fetch(url: str, *, method: str, timeout: int) -> CertificateResponse:
        assert gate.wait(timeout)
        return Told(GOOD)

    certificates = Certificates(fetch)
    first = asyncio.create_task(certificates.current())
    second = asyncio.create_task(certificates.current())
    async with asyncio.timeout(60):
        while not first.cancelling():
            await asyncio.wait([first], timeout=0)
            first.cancel()
    gate.set()

    assert (await second).data == GOOD


async def test_nothing_but_the_certificates_is_fetched_for_a_token() -> None:
    kept = await Certificates(CertificateAddress([Told(GOOD)])).current()

    assert kept(CERTIFICATES).data == GOOD
    with pytest.raises(TransportError):
        kept("https://evil.example/certs")
