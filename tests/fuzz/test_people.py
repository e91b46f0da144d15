"""People who sign up, follow, upload, ask for mosaics and leave, in any order: the server does as a simple model says.

hypothesis chooses who does what; after every step the answer is held against the model. The queue is held, and worked
off as a step of its own, so that what a task is does not depend on time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.support.client import PASSWORD
from tests.support.pictures import png
from tests.support.process import ServerProcess

TIMEOUT_S = 30.0
RUN = settings(
    max_examples=6,
    stateful_step_count=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PICTURE = png(40, 30)
FINAL = ("done", "failed", "cancelled")


@dataclass(eq=False)
class Person:
    """What the model knows of somebody. images: ids of sources, with their addresses; results: (source, seed) done."""

    name: str
    session: requests.Session
    id: int = 0
    signed_in: bool = False
    gone: bool = False
    images: dict[int, str] = field(default_factory=dict)
    results: set[tuple[str, int]] = field(default_factory=set)


@dataclass(eq=False)
class Work:
    """A task as the model knows it."""

    id: int
    owner: Person
    url: str
    seed: int
    state: str = "queued"


class Town(RuleBasedStateMachine):
    """One town of people on the one server; names are new in every town."""

    base_url = ""
    towns = itertools.count()

    people = Bundle("people")
    works = Bundle("works")

    def __init__(self) -> None:
        super().__init__()
        self.prefix = f"town {next(self.towns)} "
        self.everybody: dict[str, Person] = {}
        self.follows: list[tuple[Person, Person]] = []
        self.all_works: list[Work] = []
        self.developer = self._session()
        self._post(self.developer, "/api/user/query/", username="dev", password=PASSWORD)
        assert self._post(self.developer, "/api/tasks/pause/").json()["paused"]

    def teardown(self) -> None:
        self._work_off()

    # --- accounts ---------------------------------------------------------------------------------------------------

    @rule(target=people, name=st.sampled_from(["ada", "Ada", "ＡＤＡ", "bea", "张三", "Ölga"]))
    def sign_up(self, name: str) -> Any:
        folded = "ada" if name in ("Ada", "ＡＤＡ") else name
        person = Person(self.prefix + name, self._session())
        answer = self._post(
            person.session, "/api/user/add/", username=person.name, email="a@example.com", password=PASSWORD
        ).json()
        if folded in self.everybody:
            assert (answer["code"], answer["error"]) == (-2, "username_taken")
            return multiple()
        assert answer == {"code": 1}
        self.everybody[folded] = person
        return person

    @rule(person=people)
    def sign_in(self, person: Person) -> None:
        answer = self._post(person.session, "/api/user/query/", username=person.name, password=PASSWORD).json()
        assert answer["login"] is True
        assert person.id in (0, answer["id"])
        person.id, person.signed_in = answer["id"], True

    @rule(person=people)
    def sign_in_with_a_wrong_password(self, person: Person) -> None:
        answer = self._post(person.session, "/api/user/query/", username=person.name, password="wrong" * 3).json()
        assert (answer["login"], "id" in answer) == (False, False)

    @rule(person=people)
    def sign_out(self, person: Person) -> None:
        assert self._post(person.session, "/api/user/logout/").json() == {"code": 1}
        person.signed_in = False

    @rule(person=consumes(people))
    def delete_account(self, person: Person) -> None:
        answer = self._post(person.session, "/api/user/delete/", password=PASSWORD)
        if not person.signed_in:
            assert answer.status_code == 401
            return
        assert answer.json() == {"code": 1, "finished": True}
        person.gone, person.signed_in = True, False
        self.everybody = {name: one for name, one in self.everybody.items() if one is not person}
        self.follows = [edge for edge in self.follows if person not in edge]
        self.all_works = [work for work in self.all_works if work.owner is not person]

    # --- following --------------------------------------------------------------------------------------------------

    @rule(start=people, end=people, follow=st.integers(0, 1))
    def follow(self, start: Person, end: Person, follow: int) -> None:
        answer = self._post(
            start.session,
            "/api/user/follow/",
            from_user_name=start.name,
            to_user_name=end.name.upper(),
            follow_bool=follow,
        )
        if not start.signed_in:
            assert answer.status_code == 401
        elif start is end:
            assert answer.json()["code"] == -1
        else:
            assert answer.json() == {"code": 1}
            self.follows = [edge for edge in self.follows if edge != (start, end) or follow]
            if follow and (start, end) not in self.follows:
                self.follows.append((start, end))

    # --- pictures ---------------------------------------------------------------------------------------------------

    @rule(person=people)
    def upload(self, person: Person) -> None:
        answer = self._post(person.session, "/api/image/token/", filename="p.png")
        if not person.signed_in:
            assert answer.status_code == 401
            return
        grant = answer.json()
        form = {"token": grant["token"], "key": grant["key"]}
        files = {"file": ("p.png", PICTURE, "image/png")}
        stored = person.session.post(grant["upload_url"], data=form, files=files, timeout=TIMEOUT_S).json()
        assert stored["code"] == 1
        person.images[stored["id"]] = stored["url"]

    @rule(person=people, other=people)
    def delete_a_picture(self, person: Person, other: Person) -> None:
        """The newest of somebody that no task waits for."""
        needed = {work.url for work in self.all_works if work.state == "queued"}
        free = [number for number, url in other.images.items() if url not in needed]
        if not free:
            return
        answer = self._post(person.session, "/api/image/delete/", id=free[-1])
        if person is other and person.signed_in:
            assert answer.json() == {"code": 1}
            del person.images[free[-1]]
        else:
            assert answer.status_code == (403 if person.signed_in else 401)

    # --- tasks ------------------------------------------------------------------------------------------------------

    @rule(target=works, person=people, seed=st.integers(0, 2))
    def ask_for_a_mosaic(self, person: Person, seed: int) -> Any:
        url = next(reversed(person.images.values()), None)
        if url is None:
            return multiple()
        recipe = {"style": "mosaic", "cell": 4, "seed": seed}
        answer = self._post(person.session, "/api/tasks/add/", url=url, param=recipe)
        if not person.signed_in:
            assert answer.status_code == 401
            return multiple()
        document = answer.json()["task"]
        assert (document["state"], document["mine"]) == ("queued", True)
        work = Work(document["id"], person, url, seed)
        self.all_works.append(work)
        return work

    @rule(work=works, person=people)
    def cancel(self, work: Work, person: Person) -> None:
        answer = self._post(person.session, "/api/tasks/cancel/", id=work.id)
        if not self._refused(answer, work, person, possible=work.state == "queued"):
            assert answer.json()["task"]["state"] == "cancelled"
            work.state = "cancelled"

    @rule(work=works)
    def retry(self, work: Work) -> None:
        if work.url not in work.owner.images.values():
            return
        answer = self._post(work.owner.session, "/api/tasks/retry/", id=work.id)
        if not self._refused(answer, work, work.owner, possible=work.state == "cancelled"):
            assert answer.json()["task"]["state"] == "queued"
            work.state = "queued"

    @rule()
    def work_off(self) -> None:
        self._work_off()
        for work in self.all_works:
            if work.state == "queued":
                work.state = "done"
                work.owner.results.add((work.url, work.seed))

    # --- what must always hold --------------------------------------------------------------------------------------

    @invariant()
    def everybody_is_as_the_model_says(self) -> None:
        for person in self.everybody.values():
            seen = self._get(person.session, "/api/user/query/", username=person.name).json()
            assert seen["username"] == person.name
            assert seen["follow_user"] == [end.name for start, end in self.follows if start is person]
            assert seen["followed_user"] == [start.name for start, end in self.follows if end is person]
            user = self._get(person.session, "/api/session/").json()["user"]
            assert (user and user["username"]) == (person.name if person.signed_in else None)

    @invariant()
    def pictures_and_tasks_are_as_the_model_says(self) -> None:
        for person in self.everybody.values():
            if not person.signed_in:
                continue
            mine = self._get(person.session, "/api/feed/", view="mine", limit=100).json()["images"]
            assert len(mine) == len(person.results)
            listed = self._get(person.session, "/tasks/query/", owner=person.name, limit=1000).json()
            states = {task["id"]: task["state"] for task in [*listed["tasks"], *listed["done"]]}
            assert states == {work.id: work.state for work in self.all_works if work.owner is person}

    # --- asking -----------------------------------------------------------------------------------------------------

    def _refused(self, answer: requests.Response, work: Work, person: Person, *, possible: bool) -> bool:
        """Whether this must be refused; then it was, in the right way."""
        if not person.signed_in:
            assert answer.status_code == 401
        elif work.owner.gone:
            assert answer.status_code == 404
        elif work.owner is not person:
            assert answer.status_code == 403
        elif not possible:
            assert answer.status_code == 409
        else:
            assert answer.status_code == 200, answer.text
            return False
        return True

    def _work_off(self) -> None:
        with self._listen() as news:
            assert self._post(self.developer, "/api/tasks/resume/").json()["paused"] is False
            next(text for text in news.iter_lines(chunk_size=1) if text.startswith(b"event:") and not self._waiting())
        assert self._post(self.developer, "/api/tasks/pause/").json()["paused"] is True

    def _waiting(self) -> list[Any]:
        return list(self._get(self.developer, "/tasks/query/", limit=1).json()["tasks"])

    def _listen(self) -> requests.Response:
        """The server's news. Where none comes for so long, not even a sign of life, asking for more raises."""
        plain = {"Accept-Encoding": "identity"}
        path = f"{self.base_url}/tasks/events/"
        return self._sound(self.developer.get(path, headers=plain, stream=True, timeout=TIMEOUT_S))

    def _session(self) -> requests.Session:
        return requests.Session()

    def _get(self, session: requests.Session, path: str, **query: Any) -> requests.Response:
        return self._sound(session.get(self.base_url + path, params=query, timeout=TIMEOUT_S))

    def _post(self, session: requests.Session, path: str, **values: Any) -> requests.Response:
        return self._sound(session.post(self.base_url + path, json=values, timeout=TIMEOUT_S))

    def _sound(self, answer: requests.Response) -> requests.Response:
        assert answer.status_code < 500, answer.text
        return answer


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str, database_name: str) -> Iterator[ServerProcess]:
    arguments = (f"--mongodb_uri={mongodb_uri}", f"--database={database_name}", "--developers=dev")
    with ServerProcess(tmp_path_factory.mktemp("people") / "data", *arguments) as running:
        yield running
    assert " ERROR " not in running.log


def test_a_town_of_people_is_as_a_simple_model_says(server: ServerProcess) -> None:
    newcomer = {"username": "dev", "email": "dev@example.com", "password": PASSWORD}
    assert requests.post(f"{server.base_url}/api/user/add/", json=newcomer, timeout=TIMEOUT_S).json() == {"code": 1}
    town = type("TheTown", (Town,), {"base_url": server.base_url})

    run_state_machine_as_test(town, settings=RUN)
