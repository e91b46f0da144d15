"""Administration commands: `python admin.py COMMAND`. They may run while servers are running."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends import open_bucket, public_url_of
from command_line import read_settings
from data_dir import StartupError
from databases import open_or_join_database
from logs import start_logging
from models import errors
from models.accounts.emails import clean_email
from models.accounts.passwords import Passwords
from models.accounts.sessions import Sessions
from models.accounts.usernames import clean_username
from models.accounts.users import Users
from models.backup import read_backup, write_backup
from models.backup_manifest import BackupError, check_backup
from models.bucket import Bucket
from models.database import Database
from models.embedded_mongod import MongodError
from models.images.images import Images
from models.images.quotas import DEFAULT_QUOTA, Quotas
from models.images.registration import Registrations
from models.images.uploads import PendingUploads
from models.queue.events import Events
from models.queue.failed import FailedTasks
from models.queue.fair_order import FairOrder
from models.queue.task import RETRYABLE, Task
from models.queue.tasks import Tasks
from processing.queue.retrying import retry_all
from processing.queue.story import owner_of, tell_story
from settings import BadSetting, Settings

NAME = "admin"
PASSWORD_BYTES = 15

DESCRIPTION = """\
Administration commands for Tessera. The server may be running. Each command describes what it will do and asks for
confirmation; --yes skips the question. The database and the bucket are found by the settings of the server:
--config=FILE, --data_dir=FOLDER and all others of `server.py --help`, the environment, or the defaults."""

EPILOG = """\
Examples:
  python admin.py developer ada
  python admin.py account boss boss@example.com
  python admin.py --data_dir=/var/lib/tessera password ada
  python admin.py --yes backup /backups/2026-11-22

With an embedded database the command connects to the database of the server that runs on data_dir, or starts the
database itself.
Exit codes: 0 done, 1 not done (declined, or not possible), 2 bad settings or no database."""


class CommandFailed(Exception):
    """The command cannot be carried out; the message is one line."""


@dataclass(frozen=True, slots=True)
class AdminContext:
    """What a command works with. ask: shows a question and returns the answer; not called with --yes."""

    options: argparse.Namespace
    settings: Settings
    database: Database
    ask: Callable[[str], str]

    @property
    def bucket(self) -> Bucket:
        return open_bucket(self.settings, public_url_of(self.settings, self.settings.port))

    def confirm(self, text: str) -> None:
        """Raises CommandFailed unless the operator agrees."""
        if self.options.yes:
            return
        try:
            answer = self.ask(f"{text} [y/N] ")
        except EOFError:
            answer = ""
            print()
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandFailed("nothing was changed")


async def make_developer(context: AdminContext) -> str:
    users = Users(context.database)
    user = await users.by_name(context.options.username)
    role = "no longer a developer" if context.options.revoke else "a developer, who sees and manages the whole queue"
    context.confirm(f"Make {user.username} (user {user.id}) {role}?")
    await users.set_developer(user.id, not context.options.revoke)
    return f"{user.username} is {role}; servers apply this within seconds"


async def add_account(context: AdminContext) -> str:
    username, email = _clean(clean_username, context.options.username), _clean(clean_email, context.options.email)
    context.confirm(f"Add an account {username} with a new password?")
    password, passwords = secrets.token_urlsafe(PASSWORD_BYTES), Passwords()
    password_hash = await passwords.hash(password)
    passwords.close()
    await Users(context.database).add(username=username, email=email, password_hash=password_hash)
    return f"password of {username}, shown only once: {password}"


def _clean(check: Callable[[str], str], text: str) -> str:
    """Raises CommandFailed."""
    try:
        return check(text)
    except ValueError as error:
        raise CommandFailed(f"{text!r} is not possible; allowed: {error}") from error


async def reset_password(context: AdminContext) -> str:
    users = Users(context.database)
    user = await users.by_name(context.options.username)
    context.confirm(f"Give {user.username} (user {user.id}) a new password and end all of their sessions?")
    password, passwords = secrets.token_urlsafe(PASSWORD_BYTES), Passwords()
    await users.update(user.id, password_hash=await passwords.hash(password))
    passwords.close()
    await Sessions(context.database).close_all(user.id)
    return f"new password of {user.username}, shown only once: {password}"


async def requeue(context: AdminContext) -> str:
    tasks, options = Tasks(context.database), context.options
    if options.task is None:
        return await _requeue_failed(context)
    task = await tasks.by_id(options.task)
    if task.state not in RETRYABLE:
        raise CommandFailed(f"task {task.id} is {task.state}; only a failed or cancelled one can be queued again")
    context.confirm(
        f"Queue task {task.id} again ({task.style}, owner {task.owner.username or 'anonymous'}, {task.state})?"
    )
    await _retry_all(context, [task])
    return f"task {task.id} is queued"


async def _requeue_failed(context: AdminContext) -> str:
    options = context.options
    if options.error is None and options.hours is None:
        raise CommandFailed("name a task, or choose failed ones by --error or --hours")
    tasks = await FailedTasks(context.database).find(error=options.error, hours=options.hours)
    if not tasks:
        raise CommandFailed("no failed task is like that; `admin.py failed` counts them by error")
    context.confirm(f"Queue {len(tasks)} failed tasks again?")
    return f"queued again: {await _retry_all(context, tasks)} tasks"


async def _retry_all(context: AdminContext, tasks: Sequence[Task]) -> int:
    """Returns how many were still retryable."""
    events = Events(context.database, NAME)
    count = await retry_all(tasks, Tasks(context.database), FairOrder(context.database), events)
    await events.drain()
    return count


async def list_failed(context: AdminContext) -> str:
    failed, error = FailedTasks(context.database), context.options.error
    if error is None:
        counts = await failed.count_by_error()
        lines = [f"{each.count:>7}  {each.error}, the last at {each.latest:%Y-%m-%d %H:%M:%S} UTC" for each in counts]
        return "\n".join(lines) or "no task has failed"
    tasks = await failed.find(error=error)
    lines = [f"{task.id}  {task.finished:%Y-%m-%d %H:%M:%S} UTC  {task.style}  {owner_of(task)}" for task in tasks]
    return "\n".join(lines) or f"no task has failed with {error}"


async def show_task(context: AdminContext) -> str:
    return await tell_story(context.database, context.options.task)


async def sweep(context: AdminContext) -> str:
    from processing.executors import Executors
    from processing.upkeep.reconcile import Reconciler

    context.confirm(
        "Compare bucket and records: register uploads whose callback was lost, delete old objects without a record?"
    )
    threads = Executors(1)
    images, uploads = Images(context.database), PendingUploads(context.database)
    registrations = Registrations(images, uploads, Users(context.database), Quotas(context.database, DEFAULT_QUOTA))
    reconciler = Reconciler(context.bucket, images, uploads, registrations, threads)
    result = await reconciler.reconcile()
    await threads.close()
    return f"adopted: {result.adopted}, deleted: {result.deleted}"


async def backup(context: AdminContext) -> str:
    folder = context.options.folder
    context.confirm(f"Back up all records and images into the new folder {folder}?")
    limit_bytes = 4 * context.settings.max_upload_bytes  # a result may be larger than its source
    summary = await write_backup(context.database, context.bucket, folder, object_limit_bytes=limit_bytes)
    return f"{folder}: {summary.documents} documents, {summary.objects} objects"


async def restore(context: AdminContext) -> str:
    folder, bucket = context.options.folder, context.bucket
    context.confirm(f"Restore {folder} into database {context.settings.database} and bucket {bucket.name}?")
    summary = await read_backup(context.database, bucket, folder)
    return f"restored: {summary.documents} documents, {summary.objects} objects"


async def check_folder(options: argparse.Namespace) -> str:
    _, summary = await asyncio.to_thread(check_backup, options.folder)
    return f"{options.folder} is complete: {summary.documents} documents, {summary.objects} objects"


def read_command(arguments: list[str]) -> tuple[argparse.Namespace, Settings]:
    """The command with its options, and the settings. Raises BadSetting; prints the manual and exits for --help."""
    parser = argparse.ArgumentParser(
        prog="python admin.py",
        usage="python admin.py [--yes] [--SETTING=VALUE ...] COMMAND ...",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.add_argument("--yes", action="store_true", help="skip the confirmation")
    commands = parser.add_subparsers(title="Commands", metavar="COMMAND", required=True)

    def command(name: str, work: Callable[[Any], Awaitable[str]], text: str) -> argparse.ArgumentParser:
        subparser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        subparser.set_defaults(work=work)
        return subparser

    developer = command("developer", make_developer, "let a user see and manage the whole queue")
    developer.add_argument("username")
    developer.add_argument("--revoke", action="store_true", help="withdraw the permission")
    account = command("account", add_account, "add an account, also with a name of the setting developers")
    account.add_argument("username")
    account.add_argument("email")
    command("password", reset_password, "set a new random password for a user and print it once").add_argument(
        "username"
    )
    requeuing = command("requeue", requeue, "queue a failed or cancelled task again, or failed ones by error and age")
    requeuing.add_argument("task", type=int, nargs="?")
    requeuing.add_argument("--error", help="all that failed with this error")
    requeuing.add_argument("--hours", type=float, help="all that failed in the last hours")
    failed = command("failed", list_failed, "count the failed tasks by error, or list those with one error")
    failed.add_argument("--error")
    command("task", show_task, "show everything that is recorded about a task").add_argument("task", type=int)
    command("sweep", sweep, "reconcile the bucket with the records now, as servers do every ten minutes")
    command("backup", backup, "write the database and the bucket into a new folder").add_argument("folder", type=Path)
    restoring = command("restore", restore, "check such a folder and restore it into an empty database")
    restoring.add_argument("folder", type=Path)
    checking = command("check-backup", check_folder, "compare every file of such a folder with its checksum")
    checking.add_argument("folder", type=Path)
    options, others = parser.parse_known_args(arguments)
    return options, read_settings(others)


async def run_command(options: argparse.Namespace, settings: Settings, ask: Callable[[str], str] = input) -> str:
    """Raises CommandFailed, StartupError, and errors of the database and the bucket."""
    work: Callable[[Any], Awaitable[str]] = options.work
    if work is check_folder:
        return await work(options)  # it needs no database
    if not settings.mongodb_uri and work is not restore and not (settings.data_dir / "db").is_dir():
        raise StartupError(f"data_dir: there is no database in {settings.data_dir}; pass the --data_dir of the server")
    async with open_or_join_database(settings) as database:
        return await work(AdminContext(options, settings, database, ask))


def main() -> int:
    """The exit code."""
    try:
        options, settings = read_command(sys.argv[1:])
        start_logging(as_json=settings.log_json, quiet=True)
        print(asyncio.run(run_command(options, settings)))
    except (CommandFailed, BackupError, errors.TesseraError) as error:
        print(f"admin: {error}", file=sys.stderr)
        return 1
    except (BadSetting, StartupError, MongodError) as error:
        print(f"admin: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
