"""Users sign up, follow, upload, add tasks and delete accounts in any order; the server agrees with a simple model.

hypothesis chooses the steps; after every step the server's state is compared with the model. The queue is paused and
resumed in a step of its own, so that the state of a task does not depend on time.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from settings import Settings
from tests.fuzz.user_model import UserModel
from tests.support.accounts import add_account_to
from tests.support.process import ServerProcess

RUN = settings(
    max_examples=6,
    stateful_step_count=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str, database_name: str) -> Iterator[ServerProcess]:
    arguments = (
        f"--mongodb_uri={mongodb_uri}",
        f"--database={database_name}",
        "--developers=dev",
        "--sign_up_burst=10000",
    )
    with ServerProcess(tmp_path_factory.mktemp("people") / "data", *arguments) as running:
        yield running
    assert " ERROR " not in running.log


def test_the_server_agrees_with_a_simple_model(server: ServerProcess, mongodb_uri: str, database_name: str) -> None:
    add_account_to(Settings(mongodb_uri=mongodb_uri, database=database_name), "dev")
    model = type("BoundUserModel", (UserModel,), {"base_url": server.base_url})

    run_state_machine_as_test(model, settings=RUN)
