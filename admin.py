"""What an operator does beside the server: `python -m models.admin COMMAND`. It may run while servers do."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from backends import CannotStart, join_database, open_bucket, public_url_of
from logs import start_logging
from models import errors
from models.backup import NoBackup, read_backup, write_backup
from models.bucket import Bucket
from models.database import Database
from models.embedded_mongod import MongodFailed
from models.images import Images
from models.passwords import Passwords
from models.queue.events import Events
from models.queue.fair_order import Turns
from models.queue.tasks import AGAIN, Tasks, to_document
from models.sessions import Sessions
from models.uploads import Uploads
from models.users import Users
from settings import BadSetting, Settings, read_settings

NAME = "admin"
PASSWORD_BYTES = 15

DESCRIPTION = """\
What an operator of Tessera does beside the server, which may run meanwhile. Each command says what it is going to
do and asks; --yes answers for you. It finds database and bucket by the server's own settings: --config=FILE,
--data_dir=FOLDER and all others of `server.py --help`, the environment, or the defaults."""

EPILOG = """\
Examples:
  python -m models.admin developer ada
  python -m models.admin --data_dir=/var/lib/tessera password ada
  python -m models.admin --yes backup /backups/2026-11-22

With an embedded database this joins the server that runs on data_dir, or starts the database for itself.
Exit codes: 0 done, 1 not done (you said no, or it is not possible), 2 the settings or the database are at fault."""


class NotDone(Exception):
    """What was asked is not possible; the text is one line."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with. ask: shows a question and returns the answer; with --yes nobody is asked."""

    asked: argparse.Namespace
    settings: Settings
    database: Database
    ask: Callable[[str], str]

    @property
    def bucket(self) -> Bucket:
        return open_bucket(self.settings, public_url_of(self.settings, self.settings.port))

    def confirm(self, text: str) -> None:
        """Raises NotDone unless the operator agrees."""
        if self.asked.yes:
            return
        try:
            answer = self.ask(f"{text} [y/N] ")
        except EOFError:
            answer = ""
            print()
        if answer.strip().lower() not in ("y", "yes"):
            raise NotDone("nothing was changed")


async def make_developer(desk: Desk) -> str:
    users = Users(desk.database)
    user = await users.by_name(desk.asked.username)
    to_be = "no developer any more" if desk.asked.revoke else "a developer, who sees and steers the whole queue"
    desk.confirm(f"Make {user.username} (user {user.id}) {to_be}?")
    await users.make_developer(user.id, not desk.asked.revoke)
    return f"{user.username} is {to_be}; servers know within seconds"


async def reset_password(desk: Desk) -> str:
    users = Users(desk.database)
    user = await users.by_name(desk.asked.username)
    desk.confirm(f"Give {user.username} (user {user.id}) a new password, and end all of their sessions?")
    password, passwords = secrets.token_urlsafe(PASSWORD_BYTES), Passwords()
    await users.change(user.id, password_hash=await passwords.hash(password))
    passwords.close()
    await Sessions(desk.database).close_all(user.id)
    return f"the new password of {user.username}, shown this once: {password}"


async def requeue(desk: Desk) -> str:
    tasks, turns = Tasks(desk.database), Turns(desk.database)
    task = await tasks.by_id(desk.asked.task)
    if task.state not in AGAIN:
        raise NotDone(f"task {task.id} is {task.state}; only a failed or cancelled one can be queued again")
    desk.confirm(f"Queue task {task.id} again ({task.style}, of {task.owner.username or 'nobody'}, {task.state})?")
    await turns.catch_up()
    idle = not await tasks.count_live(owner_id=task.owner.id, limit=1)
    task = await tasks.retry(task.id, turn=await turns.next(task.owner.id, idle=idle))
    events = Events(desk.database, NAME)
    events.publish("task", {"_id": task.id, **to_document(task), "server": None})
    await events.drain()
    return f"task {task.id} is queued"


async def sweep(desk: Desk) -> str:
    from processing.engine.threads import (
        Threads,  # with what it brings they take longer to import than the other commands run
    )
    from processing.upkeep.reconcile import Reconciliation

    desk.confirm("Compare bucket and records: adopt what arrived without a callback, delete old objects of nobody?")
    threads = Threads(1)
    comparison = Reconciliation(desk.bucket, Images(desk.database), Uploads(desk.database), threads)
    found = await comparison.compare()
    await threads.close()
    return f"adopted: {found.adopted}, deleted: {found.deleted}"


async def backup(desk: Desk) -> str:
    desk.confirm(f"Write everything that people made into the new folder {desk.asked.folder}?")
    limit_bytes = 4 * desk.settings.max_upload_bytes  # a result may be larger than its source
    held = await write_backup(desk.database, desk.bucket, desk.asked.folder, object_limit_bytes=limit_bytes)
    return f"{desk.asked.folder}: {held.documents} documents, {held.objects} objects"


async def restore(desk: Desk) -> str:
    desk.confirm(f"Put {desk.asked.folder} back into database {desk.settings.database} and bucket {desk.bucket.name}?")
    held = await read_backup(desk.database, desk.bucket, desk.asked.folder)
    return f"put back: {held.documents} documents, {held.objects} objects"


def read_command(arguments: list[str]) -> tuple[argparse.Namespace, Settings]:
    """What is asked for, and the settings. Raises BadSetting; prints the manual and exits for --help."""
    parser = argparse.ArgumentParser(
        prog="python -m models.admin",
        usage="python -m models.admin [--yes] [--SETTING=VALUE ...] COMMAND ...",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    commands = parser.add_subparsers(title="Commands", metavar="COMMAND", required=True)

    def command(name: str, work: Callable[[Desk], Awaitable[str]], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.set_defaults(work=work)
        return made

    developer = command("developer", make_developer, "let a user see and steer the whole queue")
    developer.add_argument("username")
    developer.add_argument("--revoke", action="store_true", help="take it back")
    command("password", reset_password, "give a user a new password and show it once").add_argument("username")
    command("requeue", requeue, "queue a failed or cancelled task again").add_argument("task", type=int)
    command("sweep", sweep, "compare bucket and records now, as servers do every ten minutes")
    command("backup", backup, "write database and bucket into a new folder").add_argument("folder", type=Path)
    command("restore", restore, "put such a folder back into an empty database").add_argument("folder", type=Path)
    asked, others = parser.parse_known_args(arguments)
    return asked, read_settings(others, os.environ)


async def carry_out(asked: argparse.Namespace, settings: Settings, ask: Callable[[str], str] = input) -> str:
    """Raises NotDone and the errors of records and bucket."""
    if not settings.mongodb_uri and asked.work is not restore and not (settings.data_dir / "db").is_dir():
        raise CannotStart(f"data_dir: there is no database in {settings.data_dir}; name the server's --data_dir")
    async with join_database(settings) as database:
        work: Callable[[Desk], Awaitable[str]] = asked.work
        return await work(Desk(asked, settings, database, ask))


def main() -> int:
    """The exit code."""
    try:
        asked, settings = read_command(sys.argv[1:])
        start_logging(as_json=settings.log_json, quiet=True)
        print(asyncio.run(carry_out(asked, settings)))
    except (NotDone, NoBackup, errors.TesseraError) as error:
        print(f"admin: {error}", file=sys.stderr)
        return 1
    except (BadSetting, CannotStart, MongodFailed) as error:
        print(f"admin: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
