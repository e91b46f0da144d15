"""What users may do in any order, and a simple model of what the server then holds."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, field
from typing import Any

import requests
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from tests.support.client import PASSWORD
from tests.support.pictures import png

TIMEOUT_S = 120.0
PASSWORD_BURST = 9
"""So many wrong passwords for one name at a time leave an attempt for the right one."""
PICTURE = png(40, 30)


@dataclass(eq=False)
class ModelUser:
    """A user in the model. images: addresses of sources by id. results: (source, seed) of done tasks."""

    name: str
    session: requests.Session
    id: int = 0
    signed_in: bool = False
    gone: bool = False
    wrong_passwords: int = 0
    images: dict[int, str] = field(default_factory=dict)
    results: set[tuple[str, int]] = field(default_factory=set)


@dataclass(eq=False)
class ModelTask:
    """A task in the model."""

    id: int
    owner: ModelUser
    url: str
    seed: int
    state: str = "queued"


class UserModel(RuleBasedStateMachine):
    """One group of users on the server; each group has its own names."""

    base_url = ""
    groups = itertools.count()

    accounts = Bundle("accounts")
    tasks_added = Bundle("tasks_added")

    def __init__(self) -> None:
        super().__init__()
        self.prefix = f"group {next(self.groups)} "
        self.users: dict[str, ModelUser] = {}
        self.retired_names: set[str] = set()
        self.follows: list[tuple[ModelUser, ModelUser]] = []
        self.tasks: list[ModelTask] = []
        self.developer = self._session()
        self._post(self.developer, "/api/user/query/", username="dev", password=PASSWORD)
        assert self._post(self.developer, "/api/tasks/pause/").json()["paused"]

    def teardown(self) -> None:
        self._run_queue()

    # --- accounts ---------------------------------------------------------------------------------------------------

    @rule(target=accounts, name=st.sampled_from(["ada", "Ada", "ＡＤＡ", "bea", "张三", "Ölga"]))
    def sign_up(self, name: str) -> Any:
        key = "ada" if name in ("Ada", "ＡＤＡ") else name
        user = ModelUser(self.prefix + name, self._session())
        newcomer = {"username": user.name, "email": f"{secrets.token_hex(8)}@example.com", "password": PASSWORD}
        answer = self._post(user.session, "/api/user/add/", **newcomer).json()
        if key in self.users or key in self.retired_names:
            assert (answer["code"], answer["error"]) == (-2, "username_taken")
            return multiple()
        assert answer == {"code": 1}
        self.users[key] = user
        return user

    @rule(user=accounts)
    def sign_in(self, user: ModelUser) -> None:
        answer = self._post(user.session, "/api/user/query/", username=user.name, password=PASSWORD).json()
        assert answer["login"] is True
        assert user.id in (0, answer["id"])
        user.id, user.signed_in = answer["id"], True

    @rule(user=accounts)
    def sign_in_with_a_wrong_password(self, user: ModelUser) -> None:
        """As often as the server allows without a pause."""
        user.wrong_passwords += 1
        if user.wrong_passwords > PASSWORD_BURST:
            return
        answer = self._post(user.session, "/api/user/query/", username=user.name, password="wrong" * 3).json()
        assert (answer["login"], "id" in answer) == (False, False)

    @rule(user=accounts)
    def sign_out(self, user: ModelUser) -> None:
        assert self._post(user.session, "/api/user/logout/").json() == {"code": 1}
        user.signed_in = False

    @rule(user=consumes(accounts))
    def delete_account(self, user: ModelUser) -> None:
        answer = self._post(user.session, "/api/user/delete/", password=PASSWORD)
        if not user.signed_in:
            assert answer.status_code == 401
            return
        assert answer.json() == {"code": 1, "finished": True}
        user.gone, user.signed_in = True, False
        self.retired_names |= {name for name, one in self.users.items() if one is user}
        self.users = {name: one for name, one in self.users.items() if one is not user}
        self.follows = [edge for edge in self.follows if user not in edge]
        self.tasks = [task for task in self.tasks if task.owner is not user]

    # --- following --------------------------------------------------------------------------------------------------

    @rule(start=accounts, end=accounts, follow=st.integers(0, 1))
    def follow(self, start: ModelUser, end: ModelUser, follow: int) -> None:
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

    @rule(user=accounts)
    def upload(self, user: ModelUser) -> None:
        answer = self._post(user.session, "/api/image/token/", filename="p.png")
        if not user.signed_in:
            assert answer.status_code == 401
            return
        ticket = answer.json()
        form = {"token": ticket["token"], "key": ticket["key"]}
        files = {"file": ("p.png", PICTURE, "image/png")}
        stored = user.session.post(ticket["upload_url"], data=form, files=files, timeout=TIMEOUT_S).json()
        assert stored["code"] == 1
        user.images[stored["id"]] = stored["url"]

    @rule(user=accounts, other=accounts)
    def delete_a_picture(self, user: ModelUser, other: ModelUser) -> None:
        """The newest source of `other` that no queued task needs."""
        needed = {task.url for task in self.tasks if task.state == "queued"}
        free = [number for number, url in other.images.items() if url not in needed]
        if not free:
            return
        answer = self._post(user.session, "/api/image/delete/", id=free[-1])
        if user is other and user.signed_in:
            assert answer.json() == {"code": 1}
            del user.images[free[-1]]
        else:
            assert answer.status_code == (403 if user.signed_in else 401)

    # --- tasks ------------------------------------------------------------------------------------------------------

    @rule(target=tasks_added, user=accounts, seed=st.integers(0, 2))
    def ask_for_a_mosaic(self, user: ModelUser, seed: int) -> Any:
        url = next(reversed(user.images.values()), None)
        if url is None:
            return multiple()
        recipe = {"style": "mosaic", "cell": 4, "seed": seed}
        answer = self._post(user.session, "/api/tasks/add/", url=url, param=recipe)
        if not user.signed_in:
            assert answer.status_code == 401
            return multiple()
        document = answer.json()["task"]
        assert (document["state"], document["mine"]) == ("queued", True)
        task = ModelTask(document["id"], user, url, seed)
        self.tasks.append(task)
        return task

    @rule(task=tasks_added, user=accounts)
    def cancel(self, task: ModelTask, user: ModelUser) -> None:
        answer = self._post(user.session, "/api/tasks/cancel/", id=task.id)
        if not self._refused(answer, task, user, possible=task.state == "queued"):
            assert answer.json()["task"]["state"] == "cancelled"
            task.state = "cancelled"

    @rule(task=tasks_added)
    def retry(self, task: ModelTask) -> None:
        if task.url not in task.owner.images.values():
            return
        answer = self._post(task.owner.session, "/api/tasks/retry/", id=task.id)
        if not self._refused(answer, task, task.owner, possible=task.state == "cancelled"):
            assert answer.json()["task"]["state"] == "queued"
            task.state = "queued"

    @rule()
    def run_queue(self) -> None:
        self._run_queue()
        for task in self.tasks:
            if task.state == "queued":
                task.state = "done"
                task.owner.results.add((task.url, task.seed))

    # --- invariants -------------------------------------------------------------------------------------------------

    @invariant()
    def users_agree_with_the_model(self) -> None:
        for user in self.users.values():
            seen = self._get(user.session, "/api/user/query/", username=user.name).json()
            assert seen["username"] == user.name
            assert seen["follow_user"] == [end.name for start, end in self.follows if start is user]
            assert seen["followed_user"] == [start.name for start, end in self.follows if end is user]
            current = self._get(user.session, "/api/session/").json()["user"]
            assert (current and current["username"]) == (user.name if user.signed_in else None)

    @invariant()
    def images_and_tasks_agree_with_the_model(self) -> None:
        for user in self.users.values():
            if not user.signed_in:
                continue
            mine = self._get(user.session, "/api/feed/", view="mine", limit=100).json()["images"]
            assert len(mine) == len(user.results)
            listed = self._get(user.session, "/tasks/query/", owner=user.name, limit=1000).json()
            states = {task["id"]: task["state"] for task in [*listed["tasks"], *listed["done"]]}
            assert states == {task.id: task.state for task in self.tasks if task.owner is user}

    # --- asking -----------------------------------------------------------------------------------------------------

    def _refused(self, answer: requests.Response, task: ModelTask, user: ModelUser, *, possible: bool) -> bool:
        """Whether the request must be refused; checks that it was refused with the right status."""
        if not user.signed_in:
            assert answer.status_code == 401
        elif task.owner.gone:
            assert answer.status_code == 404
        elif task.owner is not user:
            assert answer.status_code == 403
        elif not possible:
            assert answer.status_code == 409
        else:
            assert answer.status_code == 200, answer.text
            return False
        return True

    def _run_queue(self) -> None:
        with self._listen() as news:
            assert self._post(self.developer, "/api/tasks/resume/").json()["paused"] is False
            next(text for text in news.iter_lines(chunk_size=1) if text.startswith(b"event:") and not self._waiting())
        assert self._post(self.developer, "/api/tasks/pause/").json()["paused"] is True

    def _waiting(self) -> list[Any]:
        return list(self._get(self.developer, "/tasks/query/", limit=1).json()["tasks"])

    def _listen(self) -> requests.Response:
        """The event stream. Reading raises if neither an event nor a heartbeat arrives within TIMEOUT_S."""
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
