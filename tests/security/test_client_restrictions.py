"""Requirements 56 and 57: who may read metrics, and under which names a server with open access answers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from handlers import API
from handlers.access_log import template_of
from handlers.transport.known_hosts import KnownHosts
from models import errors
from settings import Settings
from tests.support.client import ApiClient


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(
        access="open",
        allowed_hosts=("mosaics.lan",),
        metrics_from=("192.0.2.0/24", "2001:db8::/32"),
        trusted_proxies=("127.0.0.1",),
    )


@pytest.mark.requirement(56)
@pytest.mark.parametrize(
    ("client", "status"),
    [
        ("127.0.0.1", 200),
        ("::1", 200),
        ("192.0.2.77", 200),
        ("2001:db8:9::1", 200),
        ("198.51.100.7", 403),
        ("2001:db9::1", 403),
    ],
)
@pytest.mark.gen_test
async def test_metrics_are_for_this_machine_and_the_named_networks(api: ApiClient, client: str, status: int) -> None:
    response = await api.get("/metrics", headers={"X-Forwarded-For": client})

    assert response.status == status
    if status == 403:
        assert response["error"] == "address_not_allowed"
        assert client in response["message"]


@pytest.mark.requirement(57)
@pytest.mark.gen_test
async def test_open_access_answers_to_its_own_names_alone(api: ApiClient) -> None:
    own = ["mosaics.lan", "MOSAICS.lan:8888", "localhost:1", "127.0.0.1", "[::1]:8888", "192.0.2.1"]
    foreign = ["evil.example", "mosaics.lan.evil.example", "127.0.0.1.evil.example:8888", "localhost.evil.example"]

    answers = {host: await api.get("/api/session/", headers={"Host": host}) for host in own + foreign}
    rebound = await api.post("/api/tasks/add/", headers={"Host": "evil.example"}, url="http://x.example/", param="{}")

    assert {host: answer.status for host, answer in answers.items()} == dict.fromkeys(own, 200) | dict.fromkeys(
        foreign, 421
    )
    assert (rebound.status, rebound["error"]) == (421, "unknown_host")


@pytest.mark.requirement(57)
@pytest.mark.gen_test
async def test_no_endpoint_answers_to_a_foreign_name(api: ApiClient) -> None:
    """An endpoint that checked its parameters, its session or its origin first would answer something else."""
    evil = {"Host": "evil.example", "Origin": "http://evil.example"}
    statuses = {}
    for path, handler in API:
        url = re.sub(r"\([^)]*\)", "1", template_of(path).replace("{", "(").replace("}", ")"))
        for method in handler.endpoints():
            body = b"{}" if method == "POST" else None
            headers = {**evil, "Content-Type": "application/json"} if body else evil
            statuses[method, url] = (await api.request(method, url, body=body, headers=headers)).status

    assert len(statuses) > 40
    assert {route: status for route, status in statuses.items() if status != 421} == {}


def test_the_name_of_public_url_is_known() -> None:
    hosts = KnownHosts("https://Tessera.example/mosaics", [])

    hosts.check("tessera.example")
    with pytest.raises(errors.UnknownHost):
        hosts.check("other.example")
    with pytest.raises(errors.UnknownHost):
        hosts.check("[broken")
