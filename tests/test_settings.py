"""Settings: sources, their order, and what is rejected."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from command_line import read_settings as read_all
from data_dir import plain_data_dir
from settings import FIELDS, BadSetting, Settings, declared
from tests.support.process import ROOT
from tests.support.source import PRODUCT_FILES, tree_of


def read_settings(arguments: Sequence[str], environment: dict[str, str]) -> Settings:
    """With exactly this environment."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in os.environ:
            patch.delenv(variable)
        for variable, value in environment.items():
            patch.setenv(variable, value)
        return read_all(arguments)


def test_no_setting_is_required() -> None:
    defaults = read_settings([], {})

    assert (defaults.port, defaults.address, defaults.data_dir) == (8888, "127.0.0.1", Path("data"))


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tessera.toml"
    file.write_text('port = 1001\nworkers = 3\ndatabase = "ours"\nallowed_sources = ["a.example", "b.example"]\n')
    environment = {"TESSERA_PORT": "1002", "TESSERA_WORKERS": "4", "TESSERA_CONFIG": str(file)}

    chosen = read_settings(["--port=1003"], environment)

    assert (chosen.port, chosen.workers, chosen.database) == (1003, 4, "ours")
    assert chosen.allowed_sources == ("a.example", "b.example")


def test_mongodb_uri_is_also_read_without_prefix() -> None:
    assert read_settings([], {"MONGODB_URI": "mongodb://db.example"}).mongodb_uri == "mongodb://db.example"
    both = {"MONGODB_URI": "mongodb://db.example", "TESSERA_MONGODB_URI": "mongodb://other.example"}
    assert read_settings([], both).mongodb_uri == "mongodb://other.example"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--port=0"],
        ["--data_dir=/srv/tessera"],
        ["--data_dir=~/a=b", "--port=65535"],
        ["--data_dir=a", "--data_dir=b"],
    ],
)
def test_the_folder_of_an_embedded_database_is_plain_without_other_settings(arguments: list[str]) -> None:
    settings = read_settings(arguments, {})

    assert plain_data_dir(arguments, {"HOME": "/root"}) == settings.data_dir
    assert settings.mongodb_uri == ""


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--check"], {}),
        (["--help"], {}),
        (["--port=65536"], {}),
        (["--port=http"], {}),
        (["--data_dir="], {}),
        (["--data_dir", "a"], {}),
        (["--data_dir=a", "--config=tessera.toml"], {}),
        (["--mongodb_uri=mongodb://db.example"], {}),
        ([], {"TESSERA_CONFIG": "tessera.toml"}),
        ([], {"tessera_data_dir": "a"}),
        ([], {"MONGODB_URI": "mongodb://db.example"}),
    ],
)
def test_with_any_other_setting_or_a_wrong_one_it_is_not_plain(
    arguments: list[str], environment: dict[str, str]
) -> None:
    assert plain_data_dir(arguments, environment) is None


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--port=70000", ["port", "70000", "0 to 65535"]),
        ("--port=http", ["port", "'http'", "a whole number"]),
        ("--workers=0", ["workers", "0", "1 to 256"]),
        ("--access=everybody", ["access", "'everybody'", "session, open"]),
        ("--qiniu_private=perhaps", ["qiniu_private", "'perhaps'", "true or false"]),
        ("--public_url=example.com", ["public_url", "'example.com'", "http://HOST"]),
        ("--public_url=https://example.com/?a=1", ["public_url", "nothing else"]),
        ("--public_url=https://example.com/#top", ["public_url", "nothing else"]),
        ("--public_url=https://example.com/a b", ["public_url", "nothing else"]),
        ("--public_url=https://ada@example.com", ["public_url", "nothing else"]),
        ("--public_url=https://example.com/../x", ["public_url", "nothing else"]),
        ("--public_url=https://example.com:x", ["public_url", "nothing else"]),
        ("--public_url=https://example.com:99999", ["public_url", "nothing else"]),
        ("--dask=localhost:8786", ["dask", "'localhost:8786'", "tcp://HOST"]),
        ("--mongodb_uri=redis://x", ["mongodb_uri", "mongodb://HOST"]),
        ("--trusted_proxies=10.0.0.1,proxy.example", ["trusted_proxies", "proxy.example", "10.0.0.0/8"]),
        ("--config=/none/tessera.toml", ["config", "/none/tessera.toml", "cannot be read"]),
        ("--colour=red", ["--colour"]),
        ("--por=1", ["--por"]),
        ("--cookie_secret=x", ["--cookie_secret"]),
    ],
)
def test_a_bad_setting_is_one_line_that_says_what_is_allowed(argument: str, words: list[str]) -> None:
    with pytest.raises(BadSetting) as refused:
        read_settings([argument], {})

    assert "\n" not in str(refused.value)
    assert all(word in str(refused.value) for word in words)


def test_the_service_links_of_kubernetes_are_no_settings() -> None:
    links = {
        "TESSERA_SERVICE_HOST": "10.96.0.7",
        "TESSERA_SERVICE_PORT": "8888",
        "TESSERA_SERVICE_PORT_HTTP": "8888",
        "TESSERA_PORT": "tcp://10.96.0.7:8888",
        "TESSERA_PORT_8888_TCP": "tcp://10.96.0.7:8888",
        "TESSERA_PORT_8888_TCP_PROTO": "tcp",
        "TESSERA_PORT_8888_TCP_PORT": "8888",
        "TESSERA_PORT_8888_TCP_ADDR": "10.96.0.7",
    }

    assert read_settings([], links).model_dump() == read_settings([], {}).model_dump()
    assert read_settings(["--port=1003"], links).port == 1003
    with pytest.raises(BadSetting, match="TESSERA_SERVICE"):
        read_settings([], {"TESSERA_SERVICES": "1"})


def test_the_public_url_is_normalised() -> None:
    chosen = read_settings(["--public_url=HTTPS://Tessera.Example:8443/Mosaics/"], {})

    assert chosen.public_url == "https://tessera.example:8443/Mosaics"
    assert read_settings(["--public_url=http://[2001:DB8::1]/"], {}).public_url == "http://[2001:db8::1]"


def test_trusted_proxies_are_addresses_and_networks() -> None:
    chosen = read_settings(["--trusted_proxies=127.0.0.1, 10.0.0.0/8,fd00::/8"], {})

    assert chosen.trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize("environment", [{"TESSERA_COLOUR": "red"}, {"TESSERA_PORT": "x"}])
def test_a_bad_setting_in_the_environment_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(BadSetting):
        read_settings([], environment)


@pytest.mark.parametrize("text", ["port = ", "colour = 'red'", "port = [1]"])
def test_a_bad_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tessera.toml"
    file.write_text(text)

    with pytest.raises(BadSetting):
        read_settings([f"--config={file}"], {})


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--cookie_secret=made-up", ["--cookie_secret", "TESSERA_COOKIE_SECRET", "TESSERA_COOKIE_SECRET_FILE"]),
        (
            "--mongodb_uri=mongodb://ada:made-up@db.example",
            ["--mongodb_uri", "no password", "TESSERA_MONGODB_URI_FILE"],
        ),
        ("--mongodb_uri=redis://ada:made-up@db.example", ["--mongodb_uri", "no password"]),
    ],
)
def test_the_command_line_carries_no_secret_and_the_error_does_not_repeat_it(argument: str, words: list[str]) -> None:
    with pytest.raises(BadSetting) as refused:
        read_settings([argument], {})

    assert all(word in str(refused.value) for word in words)
    assert "made-up" not in str(refused.value)


def test_the_value_of_a_secret_is_shown_by_no_error() -> None:
    assert "made-up" not in repr(read_settings([], {"TESSERA_COOKIE_SECRET": "made-up"}))
    with pytest.raises(BadSetting, match="mongodb_uri: this value is not possible; allowed: mongodb://HOST") as refused:
        read_settings([], {"MONGODB_URI": "redis://ada:made-up@db.example"})

    assert "made-up" not in str(refused.value)


def test_a_secret_is_read_from_the_file_that_a_variable_names(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("made-up\n")

    for variable in ("TESSERA_COOKIE_SECRET_FILE", "COOKIE_SECRET_FILE"):
        assert read_settings([], {variable: str(file)}).cookie_secret == "made-up"
        with pytest.raises(BadSetting, match=r"cookie_secret: its file .*/missing cannot be read"):
            read_settings([], {variable: str(tmp_path / "missing")})
    both = {"COOKIE_SECRET_FILE": str(file), "TESSERA_COOKIE_SECRET": "the variable wins"}
    assert read_settings([], both).cookie_secret == "the variable wins"
    with pytest.raises(BadSetting, match="TESSERA_PORT_FILE"):
        read_settings([], {"TESSERA_PORT_FILE": str(file)})


def test_every_setting_is_read() -> None:
    modules = [path for path in PRODUCT_FILES if path.parent == ROOT and path.name != "settings.py"]
    nodes = [node for path in modules for node in ast.walk(tree_of(path))]
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}

    assert FIELDS.keys() - read == set()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        read_settings([], {}).port = 1


def test_kodo_needs_keys_bucket_and_domain() -> None:
    environment = {"TESSERA_QINIU_ACCESS_KEY": "made-up-access", "TESSERA_QINIU_SECRET_KEY": "made-up-secret"}

    with pytest.raises(BadSetting, match="qiniu_bucket"):
        read_settings([], environment)
    whole = read_settings(["--qiniu_bucket=b", "--qiniu_domain=http://b.example"], environment)
    assert whole.qiniu_bucket == "b"


def test_the_manual_offers_no_option_for_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(["--help"], {})

    manual = capsys.readouterr().out
    named = {name for name in FIELDS if f"--{name}" in manual}
    assert FIELDS.keys() - named == {
        "cookie_secret",
        "qiniu_access_key",
        "qiniu_secret_key",
    }


def test_the_manual_names_each_setting_once_in_a_chapter_or_among_the_secrets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        read_settings(["--help"], {})

    manual = capsys.readouterr().out
    options = re.findall(r"^  --(\w+) VALUE", manual, re.M)
    secrets = re.findall(r"^  TESSERA_(\w+) +\S", manual, re.M)
    assert sorted([*options, *(name.lower() for name in secrets)]) == sorted(FIELDS)
    assert all(f"\n{title}:\n" in manual for title in {declared(name, "group") for name in FIELDS})
    assert all(len(line) <= 120 for line in manual.splitlines())


def test_every_example_of_the_manual_is_valid(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        read_settings(["--help"], {})

    examples = capsys.readouterr().out.partition("Examples:")[2].partition("Exit codes:")[0].replace("\\\n", "")
    (tmp_path / "tessera.toml").write_text("")
    lines = [line for line in examples.splitlines() if "server.py" in line]
    assert len(lines) >= 5
    for line in lines:
        before, _, after = line.replace("/etc/", f"{tmp_path}/").partition("server.py")
        read_settings(after.split(), dict(word.split("=", 1) for word in before.split()))


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    with pytest.raises(SystemExit) as ended:
        read_all(["--version"])

    assert (ended.value.code, capsys.readouterr().out) == (0, f"Tessera {project['version']}\n")
