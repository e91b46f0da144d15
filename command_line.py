"""The command line and its manual; it comes before the environment, a TOML file and the defaults."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from settings import FIELDS, PREFIX, VERSION, BadSetting, Settings, declared, describe_range, explain, is_service_link

DESCRIPTION = """\
Tessera turns photos into mosaics and lets people share them.

No setting is required: `server.py` serves http://127.0.0.1:8888 with an embedded database and an embedded image
store in the folder `data`. SIGTERM and SIGINT stop it: running tasks get time to finish, queued ones stay queued."""

EPILOG = """\
Where settings are read from; the first that names a setting wins:
  --name=VALUE           the command line
  TESSERA_NAME=VALUE     the environment (for mongodb_uri also MONGODB_URI)
  name = value           the TOML file that --config or TESSERA_CONFIG names

Secrets, not accepted on the command line. TESSERA_NAME_FILE or NAME_FILE names a file that holds the value:
{secrets}

Examples:
  server.py
      try it on this machine
  server.py --check
      test the complete flow once; each line says ok or what is wrong
  server.py --config=/etc/tessera.toml --log_json=true
      as a service (docs/operations.md has the unit)
  MONGODB_URI=mongodb://db.example server.py --public_url=https://tessera.example --trusted_proxies=10.0.0.2
      one of several servers with a common database, behind a proxy
  TESSERA_QINIU_ACCESS_KEY=... TESSERA_QINIU_SECRET_KEY=... server.py \\
      --qiniu_bucket=pictures --qiniu_domain=https://pictures.example --public_url=https://tessera.example
      images in Kodo, which must be able to call public_url

Exit codes:
  0  stopped on request; with --check: everything works
  1  --check found a fault, or a second signal stopped the server at once
  2  it could not start: one line on standard error says why

`python admin.py --help` lists the administration commands."""


def read_settings(arguments: Sequence[str]) -> Settings:
    """Raises BadSetting. Prints the manual and exits for --help."""
    options = _parse(arguments)
    path = options.pop("config", None) or os.environ.get(f"{PREFIX}CONFIG")
    if path and not os.access(path, os.R_OK):
        raise BadSetting(f"config: {path} cannot be read")
    variables = {name.upper() for name in FIELDS} | {
        f"{name.upper()}_FILE" for name in FIELDS if declared(name, "secret")
    }
    for variable, value in os.environ.items():
        is_setting = variable.removeprefix(PREFIX) in {*variables, "CONFIG"} or is_service_link(variable, value)
        if variable.startswith(PREFIX) and not is_setting:
            raise BadSetting(f"{variable} in the environment is not a setting; see --help")

    class WithFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        return WithFile(**options)
    except ValidationError as error:
        raise BadSetting(explain(error)) from None
    except ValueError as error:
        raise BadSetting(f"config: {path} cannot be read: {error}") from error


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadSetting(message)


def _parse(arguments: Sequence[str]) -> dict[str, Any]:
    """The options on the command line. Raises BadSetting."""
    secrets = [name for name in FIELDS if declared(name, "secret") == "secret"]
    parser = _Parser(
        prog="server.py",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=116),
        usage="server.py [--check | --version] [--config=FILE] [--name=VALUE ...]",
        description=DESCRIPTION,
        epilog=EPILOG.format(secrets="\n".join(f"  {PREFIX}{n.upper():<18} {FIELDS[n].description}" for n in secrets)),
    )
    parser.add_argument("--check", action="store_true", help="test the complete flow once, say what is wrong, and exit")
    parser.add_argument("--version", action="version", version=f"Tessera {VERSION}", help="show the version and exit")
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings")
    groups: dict[str, Any] = {}
    for name in FIELDS:
        title = declared(name, "group")
        group = groups[title] = groups.get(title) or parser.add_argument_group(title)
        help_text = argparse.SUPPRESS if name in secrets else _help(name)
        group.add_argument(f"--{name}", metavar="VALUE", help=help_text, type=partial(_refuse_secret, name))
    options = vars(parser.parse_args(arguments))
    options.pop("check", None)
    return options


def _refuse_secret(name: str, value: str) -> str:
    """The value, if the command line may carry it. Raises BadSetting."""
    secret = declared(name, "secret")
    if secret == "secret" or (secret == "password" and urlsplit(value).password):
        places = f"{PREFIX}{name.upper()}, {PREFIX}{name.upper()}_FILE or the TOML file"
        raise BadSetting(f"--{name}: the command line, which others can see, takes no {secret}; use {places}")
    return value


def _help(name: str) -> str:
    default, allowed = FIELDS[name].default, describe_range(name)
    text = f"{FIELDS[name].description}" + (f" [{allowed}]" if allowed else "")
    if default not in ("", ()) and "default" not in text:
        text += f" (default: {str(default).lower() if isinstance(default, bool) else default})"
    return text.replace("%", "%%")
