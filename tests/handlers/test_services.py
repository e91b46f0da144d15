"""Each handler gets the services that its annotations name."""

from __future__ import annotations

from typing import get_type_hints

import pytest
import tornado.web

from handlers import ROUTES, rules
from handlers.bucket.base import BucketHandler
from handlers.pages.pages import NotFoundPageHandler
from handlers.services import Services, dependencies_of, select

HANDLERS = sorted({handler for _, handler in ROUTES} | {NotFoundPageHandler}, key=lambda handler: handler.__name__)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_names_and_types_of_a_handler_are_those_of_services(handler: type[tornado.web.RequestHandler]) -> None:
    fields = get_type_hints(Services)

    for name, annotation in dependencies_of(handler).items():
        assert annotation == fields[name] or annotation | None == fields[name], name


def test_every_service_is_used_by_a_handler_or_by_the_composition() -> None:
    used = {name for handler in HANDLERS for name in dependencies_of(handler)}

    assert set(get_type_hints(Services)) - used == {"body_pace", "log_addresses", "public_url"}


@pytest.mark.usefixtures("http_server")
@pytest.mark.gen_test
async def test_a_handler_gets_the_objects_of_the_server(services: Services) -> None:
    page = select(NotFoundPageHandler, services)

    assert page == {"page_shell": services.page_shell}


@pytest.mark.usefixtures("http_server")
@pytest.mark.gen_test
async def test_with_kodo_no_path_of_the_embedded_bucket_is_served(services: Services) -> None:
    class WithKodo:
        embedded_bucket = None

        def __getattr__(self, name: str) -> object:
            return getattr(services, name)

    served = [rule.target for rule in rules(WithKodo())]  # type: ignore[arg-type]

    assert len(served) == 1 + sum(not issubclass(handler, BucketHandler) for _, handler in ROUTES)
    assert not any(issubclass(target, BucketHandler) for target in served)
