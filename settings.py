"""Settings, read once at start: what they are, and how the environment and files name them."""

from __future__ import annotations

import os
import re
import socket
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import PydanticBaseSettingsSource as Source

from setting_types import DaskUrl, DatabaseName, MongoUri, Names, Networks, Origins, PublicUrl, Url

VERSION = "0.1.0"
"""Of this server, as in pyproject.toml."""
PREFIX = "TESSERA_"
SERVICE_LINK = re.compile(r"TESSERA_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)")
"""Variables of Kubernetes for a service named tessera; of these only TESSERA_PORT may be a setting."""


class BadSetting(Exception):
    """A setting is unknown or its value is not allowed; the message is one line for the operator."""


Secret = Literal["", "password", "secret"]


def _setting(group: str, default: Any, description: str, *, allowed: range | None = None, secret: Secret = "") -> Any:
    """Declare a setting.

    group: its chapter of the manual.
    secret: "secret" or "password" if the value is or may contain one. It is then never shown, may be read from a file
        of its own, and is not accepted on the command line, which process lists show.
    """
    limits: Any = {"ge": allowed[0], "le": allowed[-1]} if allowed else {}
    return Field(
        default,
        description=description,
        repr=not secret,
        json_schema_extra={"group": group, "secret": secret},
        **limits,
    )


_serving = partial(_setting, "Serving")
_storage = partial(_setting, "Storage")
_users = partial(_setting, "Users and permissions")
_queue = partial(_setting, "Queue")
_kodo = partial(_setting, "Qiniu Kodo")
_log = partial(_setting, "Log")


class Settings(BaseSettings):
    """Everything that an operator can configure."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    port: int = _serving(8888, "TCP port; 0 takes a free one", allowed=range(65536))
    address: str = _serving("127.0.0.1", "address to listen on; 0.0.0.0 for all")
    public_url: PublicUrl = _serving("", "address at which browsers and Qiniu reach us; empty: http://ADDRESS:PORT")
    trusted_proxies: Networks = _serving((), "addresses or networks of proxies whose X-Forwarded-For is trusted")
    metrics_from: Networks = _serving((), "addresses or networks besides this machine that may read /metrics")
    server_name: str = _serving(socket.gethostname(), "name of this server among several with a common database")
    data_dir: Path = _storage(Path("data"), "folder of the embedded database, the embedded bucket and the keys")
    mongodb_uri: MongoUri = _storage("", "MongoDB server (also MONGODB_URI); empty: embedded", secret="password")
    database: DatabaseName = _storage("tessera", "name of the database")
    access: Literal["session", "open"] = _users("session", "who may act: signed-in users, or everyone without sign-in")
    allowed_hosts: Names = _users((), "with open access: host names of this server besides that of public_url")
    allowed_origins: Origins = _users((), "origins of other sites whose pages may use the API, with Bearer tokens only")
    developers: Names = _users((), "names of users who see and manage the whole queue; nobody else can sign up so")
    cookie_secret: str = _users("", "key that signs cookies; empty: generated, kept in data_dir", secret="secret")
    allowed_sources: Names = _users((), "hosts besides our bucket to fetch images from, separated by commas")
    max_upload_mb: int = _users(20, "maximum size of an image in megabytes", allowed=range(1, 1025))
    max_megapixels: int = _users(50, "maximum size of an image in megapixels; WebP: 35", allowed=range(1, 501))
    max_result_megapixels: int = _users(150, "the same for a result larger than its source", allowed=range(1, 901))
    max_pool_pictures: int = _users(20_000, "pictures that a photomosaic is built from", allowed=range(1, 20_001))
    workers: int = _queue(os.cpu_count() or 1, "rendering threads; default: one per core", allowed=range(1, 257))
    queue_limit: int = _queue(10_000, "maximum number of queued and running tasks", allowed=range(1, 10_000_001))
    user_queue_limit: int = _queue(200, "the same for each user", allowed=range(1, 1_000_001))
    sign_up_burst: int = _users(
        30, "accounts that one address can open at once; as many guests", allowed=range(1, 1_000_001)
    )
    sign_up_interval_s: int = _users(60, "seconds until it can open one more", allowed=range(1, 86_401))
    upload_mb_per_s: int = _users(
        16, "megabytes a second that one address sends for long; 0: no limit", allowed=range(100_001)
    )
    quota_mb: int = _users(10_000, "megabytes of images that each person may have", allowed=range(1, 1_000_000_001))
    quota_pictures: int = _users(10_000, "images that each person may have", allowed=range(1, 1_000_000_001))
    withdrawal_days: int = _users(
        14, "days that a photomosaic is kept after others withdrew pictures in it", allowed=range(3651)
    )
    guest_limit: int = _users(
        200, "maximum number of guests, who make pictures without an account; 0: none", allowed=range(100_001)
    )
    guest_pictures: int = _users(60, "maximum number of pictures of each guest", allowed=range(1, 10_001))
    guest_queue_limit: int = _queue(10, "user_queue_limit for each guest", allowed=range(1, 1_000_001))
    address_queue_limit: int = _queue(1000, "the same for each client address", allowed=range(1, 1_000_001))
    dask: DaskUrl = _queue("", "scheduler of a Dask cluster that renders instead of our threads, tcp://HOST:PORT")
    qiniu_access_key: str = _kodo("", "Kodo access key; empty: the embedded bucket", secret="secret")
    qiniu_secret_key: str = _kodo("", "Kodo secret key", secret="secret")
    qiniu_bucket: str = _kodo("", "Kodo bucket")
    qiniu_domain: Url = _kodo("", "address from which the files of the bucket are read")
    qiniu_private: bool = _kodo(False, "whether reading from the bucket needs signed URLs")
    qiniu_up_url: Url = _kodo("", "upload host of a private Kodo; empty: the public one")
    qiniu_rs_url: Url = _kodo("", "management host of a private Kodo; empty: the public one")
    qiniu_rsf_url: Url = _kodo("", "listing host of a private Kodo; empty: the public one")
    qiniu_uc_url: Url = _kodo("", "region host of a private Kodo; empty: the public one")
    log_json: bool = _log(False, "log JSON lines instead of text")
    log_addresses: Literal["full", "network", "none"] = _log(
        "network", "client addresses in the log: whole, the network (/24, or /48 of IPv6), or none"
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: Source, env_settings: Source, *_: Source, **__: Source
    ) -> tuple[Source, ...]:
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = {
                name: value for name, value in env_settings.env_vars.items() if not is_service_link(name, value or "")
            }
        other_variables = InitSettingsSource(settings_cls, _read_other_variables())
        return init_settings, env_settings, other_variables, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _check_kodo(self) -> Settings:
        if self.qiniu_access_key or self.qiniu_secret_key:
            for name in ("qiniu_access_key", "qiniu_secret_key", "qiniu_bucket", "qiniu_domain"):
                if not getattr(self, name):
                    raise ValueError(f"{name} is missing: Kodo needs both keys, the bucket and its domain")
        return self

    @property
    def max_upload_bytes(self) -> int:
        return self.max_upload_mb * 1_000_000


FIELDS = Settings.model_fields


def declared(name: str, what: Literal["group", "secret"]) -> str:
    extra: Any = FIELDS[name].json_schema_extra
    return str(extra[what])


def is_service_link(variable: str, value: str) -> bool:
    """Whether a variable is one that Kubernetes sets in each container of a namespace."""
    variable = variable.upper()
    if variable == f"{PREFIX}PORT":
        return value.startswith(("tcp://", "udp://"))
    return SERVICE_LINK.fullmatch(variable) is not None


def describe_range(name: str) -> str:
    """The values that a setting may have: `1 to 256`, `session, open`, or empty if its type says it all."""
    field = FIELDS[name]
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    limits: Any = field.metadata
    return f"{limits[0].ge} to {limits[1].le}" if field.annotation is int else ""


def explain(error: ValidationError) -> str:
    """The first fault in one line, without the value of a secret."""
    fault = error.errors()[0]
    if not fault["loc"]:
        return str(fault["ctx"]["error"])
    name = str(fault["loc"][0])
    if name not in FIELDS:
        return f"{name} is not a setting; see --help"
    value = "this value" if declared(name, "secret") else repr(fault["input"])
    types: dict[Any, str] = {int: "a whole number", bool: "true or false"}
    if fault["type"] == "value_error":
        allowed = str(fault["ctx"]["error"])
    elif fault["type"] in ("greater_than_equal", "less_than_equal", "literal_error"):
        allowed = describe_range(name)
    else:
        allowed = types.get(FIELDS[name].annotation, fault["msg"])
    return f"{name}: {value} is not possible; allowed: {allowed}"


def _read_other_variables() -> dict[str, str]:
    """MONGODB_URI, and secrets from the files that variables name. Raises BadSetting."""
    for variable in ("MONGODB_URI", f"{PREFIX}MONGODB_URI"):
        if os.environ.get(variable) == "":
            raise BadSetting(f"mongodb_uri: {variable} is set and empty; unset it for the embedded database")
    values = {"mongodb_uri": os.environ["MONGODB_URI"]} if "MONGODB_URI" in os.environ else {}
    for name in FIELDS:
        variable = f"{name.upper()}_FILE"
        path = os.environ.get(PREFIX + variable) or os.environ.get(variable)
        if declared(name, "secret") and path:
            try:
                values[name] = Path(path).read_text().strip()
            except (OSError, ValueError) as error:
                raise BadSetting(f"{name}: its file {path} cannot be read: {error}") from error
    return values
