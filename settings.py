"""Settings: read once at start from the command line, the environment, a file and the defaults, in this order.

A file of its own beside `server.py`, so that the server's joins and the reading of options do not share one noun.
"""

from __future__ import annotations

import argparse
import os
import socket
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

ENVIRONMENT_PREFIX = "TESSERA_"
CORES = os.cpu_count() or 1
HOST = socket.gethostname()
DATA = Path("data")


GROUPS: dict[str, tuple[str, ...]] = {
    "Where it serves": ("port", "address", "public_url", "trusted_proxies", "server_name"),
    "Where it keeps things": ("data_dir", "mongodb_uri", "database"),
    "What people may do": ("access", "developers", "allowed_sources", "max_upload_mb", "max_megapixels"),
    "The queue": ("workers", "queue_limit", "user_queue_limit", "dask"),
    "Pictures in Qiniu Kodo": (
        "qiniu_bucket",
        "qiniu_domain",
        "qiniu_private",
        "qiniu_up_url",
        "qiniu_rs_url",
        "qiniu_rsf_url",
        "qiniu_uc_url",
    ),
    "The log": ("log_json",),
}
"""The chapters of the manual that --help prints; secrets have one of their own."""

DESCRIPTION = """\
Tessera turns photos into mosaics and lets people share them.

Nothing needs to be set: `server.py` serves http://127.0.0.1:8888 on a database and a picture store of its
own, in the folder `data`. It stops on SIGTERM or SIGINT: running tasks get their time, waiting ones stay queued."""

EPILOG = """\
Where settings come from, the first place that names one wins:
  --name=VALUE           the command line
  TESSERA_NAME=VALUE     the environment (for mongodb_uri also MONGODB_URI)
  name = value           the TOML file that --config or TESSERA_CONFIG names

Secrets, from the environment or the file alone:
{secrets}

Examples:
  server.py
      try it on this machine
  server.py --check
      try the whole flow once; each line says ok or what is wrong
  server.py --config=/etc/tessera.toml --log_json=true
      as a service (docs/operations.md has the unit)
  MONGODB_URI=mongodb://db.example server.py --public_url=https://tessera.example --trusted_proxies=10.0.0.2
      one of several servers on one database, behind a proxy
  TESSERA_QINIU_ACCESS_KEY=... TESSERA_QINIU_SECRET_KEY=... server.py \\
      --qiniu_bucket=pictures --qiniu_domain=https://pictures.example --public_url=https://tessera.example
      pictures in Kodo, which must be able to call public_url

Exit codes:
  0  stopped as asked; with --check: all is well
  1  --check found something wrong, or a second signal ended it at once
  2  it could not start: one line on standard error says why

`python admin.py --help` tells what an operator can do beside it."""


class BadSetting(Exception):
    """A setting is unknown or out of its range; the text is one line for the operator."""


def _setting(default: Any, text: str, *, allowed: range | Sequence[str] | None = None, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": text, "allowed": allowed, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator may choose. Secrets are read from the environment or a file only."""

    port: int = _setting(8888, "TCP port to serve; 0 takes a free one", allowed=range(65536))
    address: str = _setting("127.0.0.1", "address to listen on; 0.0.0.0 for all")
    data_dir: Path = _setting(DATA, "folder of the embedded database, the embedded bucket and the keys")
    mongodb_uri: str = _setting("", "MongoDB server (also MONGODB_URI); empty: embedded, in data_dir", secret=True)
    database: str = _setting("tessera", "name of the database")
    public_url: str = _setting("", "how browsers and Qiniu reach us; empty: http://ADDRESS:PORT")
    workers: int = _setting(CORES, "executor threads for rendering; default: the cores", allowed=range(1, 257))
    queue_limit: int = _setting(10_000, "tasks waiting or running, in all", allowed=range(1, 10_000_001))
    user_queue_limit: int = _setting(200, "tasks waiting or running, for each person", allowed=range(1, 1_000_001))
    max_upload_mb: int = _setting(20, "largest picture in megabytes", allowed=range(1, 1025))
    max_megapixels: int = _setting(50, "largest picture in megapixels; of WebP 35 at most", allowed=range(1, 501))
    allowed_sources: tuple[str, ...] = _setting((), "hosts besides our bucket to download from, parted by commas")
    access: Literal["session", "open"] = _setting(
        "session", "who may act: session (signed in), open (anybody; closed networks only)", allowed=("session", "open")
    )
    developers: tuple[str, ...] = _setting((), "users who see and steer the whole queue, parted by commas")
    cookie_secret: str = _setting("", "key that signs cookies; empty: made once, kept in data_dir", secret=True)
    qiniu_access_key: str = _setting("", "Kodo access key; empty: the embedded bucket", secret=True)
    qiniu_secret_key: str = _setting("", "Kodo secret key", secret=True)
    qiniu_bucket: str = _setting("", "Kodo bucket")
    qiniu_domain: str = _setting("", "address that the bucket's files are read from")
    qiniu_private: bool = _setting(False, "whether reading from the bucket needs signed addresses")
    qiniu_up_url: str = _setting("", "upload host of a private Kodo; empty: the public one")
    qiniu_rs_url: str = _setting("", "management host of a private Kodo; empty: the public one")
    qiniu_rsf_url: str = _setting("", "listing host of a private Kodo; empty: the public one")
    qiniu_uc_url: str = _setting("", "region host of a private Kodo; empty: the public one")
    dask: str = _setting("", "scheduler of a Dask cluster that renders instead of our threads, tcp://HOST:PORT")
    server_name: str = _setting(HOST, "this server's name among several on one database")
    trusted_proxies: tuple[str, ...] = _setting((), "proxies whose X-Forwarded-For counts, parted by commas")
    log_json: bool = _setting(False, "log JSON lines instead of text")

    def __post_init__(self) -> None:
        for setting in fields(self):
            self._check_range(setting)
        if self.qiniu_access_key or self.qiniu_secret_key:
            for name in ("qiniu_access_key", "qiniu_secret_key", "qiniu_bucket", "qiniu_domain"):
                if not getattr(self, name):
                    raise BadSetting(f"{name} is missing: Kodo needs keys, bucket and domain together")
        for name in ("public_url", "qiniu_domain", "qiniu_up_url", "qiniu_rs_url", "qiniu_rsf_url", "qiniu_uc_url"):
            _check_url(name, getattr(self, name), ("http", "https"))
        _check_url("dask", self.dask, ("tcp", "tls"))
        if self.mongodb_uri and urlsplit(self.mongodb_uri).scheme not in ("mongodb", "mongodb+srv"):
            raise BadSetting("mongodb_uri: allowed is mongodb://HOST or mongodb+srv://HOST")

    def _check_range(self, setting: Field[Any]) -> None:
        allowed, value = setting.metadata["allowed"], getattr(self, setting.name)
        if allowed is not None and value not in allowed:
            raise BadSetting(f"{setting.name}: {value!r} is not possible; allowed: {describe_range(allowed)}")

    @property
    def max_upload_bytes(self) -> int:
        return self.max_upload_mb * 1_000_000


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Raises BadSetting. Prints the manual and exits for --help."""
    said = _parse(arguments)
    said.pop("check", None)
    path = said.pop("config", None) or environment.get(ENVIRONMENT_PREFIX + "CONFIG")
    chosen = (_from_file(Path(path)) if path else {}) | _from_environment(environment) | said
    return Settings(**{name: _typed(name, value) for name, value in chosen.items()})


def describe_range(allowed: range | Sequence[str]) -> str:
    """A range for people: `1 to 256`, `session, open`."""
    return f"{allowed[0]} to {allowed[-1]}" if isinstance(allowed, range) else ", ".join(allowed)


def default_of(setting: Field[Any]) -> Any:
    """The default as the documentation shows it."""
    return setting.default if setting.default is not MISSING else None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise BadSetting(message)


def _parse(arguments: Sequence[str]) -> dict[str, str]:
    parser = _Parser(
        prog="server.py",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=116),
        usage="server.py [--check] [--config=FILE] [--name=VALUE ...]",
        description=DESCRIPTION,
        epilog=EPILOG.format(secrets="\n".join(_secrets())),
    )
    parser.add_argument("--check", action="store_true", help="try the whole flow once, tell what is wrong, and end")
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings")
    known = {setting.name: setting for setting in fields(Settings)}
    for title, names in GROUPS.items():
        chapter = parser.add_argument_group(title)
        for name in names:
            chapter.add_argument(f"--{name}", metavar="VALUE", help=_help(known[name]))
    return vars(parser.parse_args(arguments))


def _help(setting: Field[Any]) -> str:
    allowed = setting.metadata["allowed"]
    text: str = setting.metadata["help"] + (f" [{describe_range(allowed)}]" if allowed else "")
    default = default_of(setting)
    if default not in ("", ()) and "default" not in text:
        text += f" (default: {str(default).lower() if isinstance(default, bool) else default})"
    return text.replace("%", "%%")


def _secrets() -> list[str]:
    """What no list of processes may show, each with the name that the environment has for it."""
    grouped = {name for names in GROUPS.values() for name in names}
    return [
        f"  {ENVIRONMENT_PREFIX}{setting.name.upper():<18} {setting.metadata['help']}"
        for setting in fields(Settings)
        if setting.name not in grouped
    ]


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    known = {setting.name for setting in fields(Settings)}
    chosen = {"mongodb_uri": environment["MONGODB_URI"]} if environment.get("MONGODB_URI") else {}
    for name, value in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX) and name != ENVIRONMENT_PREFIX + "CONFIG":
            setting = name.removeprefix(ENVIRONMENT_PREFIX).lower()
            if setting not in known:
                raise BadSetting(f"{name} in the environment is not a setting; see --help")
            chosen[setting] = value
    return chosen


def _from_file(path: Path) -> dict[str, Any]:
    try:
        said = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadSetting(f"config: {path} cannot be read: {error}") from error
    unknown = said.keys() - {setting.name for setting in fields(Settings)}
    if unknown:
        raise BadSetting(f"config: {path} names unknown settings: {', '.join(sorted(unknown))}")
    return said


def _typed(name: str, value: Any) -> Any:
    kind = next(str(setting.type) for setting in fields(Settings) if setting.name == name)
    if kind == "int":
        return _integer(name, value)
    if kind == "bool":
        return _boolean(name, value)
    if kind.startswith("tuple"):
        parts = value if isinstance(value, list) else str(value).split(",")
        return tuple(str(part).strip() for part in parts if str(part).strip())
    return Path(value) if kind == "Path" else str(value)


def _integer(name: str, value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise BadSetting(f"{name}: {value!r} is not possible; allowed: a whole number") from None


def _boolean(name: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
        raise BadSetting(f"{name}: {value!r} is not possible; allowed: true or false")
    return text in ("true", "1", "yes", "on")


def _check_url(name: str, value: str, schemes: tuple[str, ...]) -> None:
    if value and (urlsplit(value).scheme not in schemes or not urlsplit(value).netloc):
        raise BadSetting(f"{name}: {value!r} is not possible; allowed: {schemes[0]}://HOST or {schemes[-1]}://HOST")
