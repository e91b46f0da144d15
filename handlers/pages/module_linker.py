"""Joins the ES modules of the page into one, so that a browser fetches them with one request.

Every module becomes a function that runs when it is first imported; `import()` resolves without a request. The modules
are not transformed further, except that documentation comments and indentation are left out, a fifth of the bytes; a
line stays a line, and a template literal has to end in the line where it begins. Modules that few visitors need are
linked into a file of their own, an extension, which `import()` fetches.
Two forms are understood, each at the start of a line, and any other raises LinkError:

    import { name, other as alias } from "./module.js";
    export class | function | async function | const
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"(\.[^"]+)";', re.MULTILINE)
_DYNAMIC_IMPORT = re.compile(r'\bimport\((["`])(\.[^"`]+)\1\)')
_EXPORT = re.compile(r"^export (?=(?:class|(?:async )?function|const) (\w+))", re.MULTILINE)
_DOC_COMMENT = re.compile(r"^[ \t]*/\*\*.*?\*/", re.MULTILINE | re.DOTALL)
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_UNSUPPORTED = re.compile(r"^(?:import|export)\b(?!\().*", re.MULTILINE)
_RUNTIME = """\
const modules = {}, exportsOf = {};
const use = (name) => (exportsOf[name] ??= modules[name]());
const useLater = (name) => Promise.resolve().then(() => use(name));
"""
_FETCHING = """\
const useFrom = (address, name) => import(address).then(({ extend }) => { extend(modules, use); return use(name); });
"""


class LinkError(ValueError):
    """A module has an import or export that cannot be linked; the message names module and line."""


def link(sources: Mapping[str, str], entry: str, extensions: Mapping[str, str] = {}) -> str:
    """One module that does what `entry` does. sources: text by path; paths are relative to the same folder.

    extensions: the address of each folder that `link_extension` has linked, whose modules are left out.
    Only the entry may await at its top level. Raises LinkError.
    """
    _check(sources)
    functions = [
        _function(path, text, extensions)
        for path, text in sorted(sources.items())
        if path != entry and _folder(path) not in extensions
    ]
    runtime = [_RUNTIME, _FETCHING] if extensions else [_RUNTIME]
    return "".join([*runtime, *functions, _rewrite(entry, sources[entry], extensions)])


def link_extension(sources: Mapping[str, str], folder: str) -> str:
    """A module that adds those of a folder to the ones of `link`, which must not import them statically."""
    inside = [_function(path, text, {}) for path, text in sorted(sources.items()) if _folder(path) == folder]
    return "".join(["export const extend = (modules, use) => {\n", *inside, "};\n"])


def _check(sources: Mapping[str, str]) -> None:
    """Raises LinkError for an import of what does not exist, and for modules that import each other."""
    imports = {path: _imports_of(path, text) for path, text in sources.items()}
    exports = {path: _EXPORT.findall(text) for path, text in sources.items()}
    for path, imported in imports.items():
        for module, names in imported:
            if module not in sources:
                raise LinkError(f"{path}: there is no module {module}")
            if missing := [name for name in names if name not in exports[module]]:
                raise LinkError(f"{path}: {module} does not export {', '.join(missing)}")
    _check_order({path: [module for module, _ in imported] for path, imported in imports.items()})


def _function(path: str, text: str, extensions: Mapping[str, str]) -> str:
    exports = ", ".join(_EXPORT.findall(text))
    return f"modules[{path!r}] = () => {{\n{_rewrite(path, text, extensions)}return {{ {exports} }};\n}};\n"


def _imports_of(path: str, text: str) -> list[tuple[str, list[str]]]:
    """The modules that one imports statically, each with the names that it takes from it."""
    return [
        (_resolve(path, module), [name.split(" as ")[0].strip() for name in names.split(",") if name.strip()])
        for names, module in _IMPORT.findall(text)
    ]


def _rewrite(path: str, text: str, extensions: Mapping[str, str]) -> str:
    def replace_import(match: re.Match[str]) -> str:
        names, module = match[1], _resolve(path, match[2])
        return f"use({module!r});" if names is None else f"const {{{names.replace(' as ', ': ')}}} = use({module!r});"

    def replace_dynamic_import(match: re.Match[str]) -> str:
        module = _resolve(path, match[2])
        if _folder(module) in extensions:
            return f'useFrom("{extensions[_folder(module)]}", {module!r})'
        return f"useLater({match[1]}{module}{match[1]})"

    text = _DOC_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    text = _IMPORT.sub(replace_import, text)
    text = _DYNAMIC_IMPORT.sub(replace_dynamic_import, text)
    text = _EXPORT.sub("", text)
    if unsupported := _UNSUPPORTED.search(text):
        raise LinkError(f"{path}: cannot link `{unsupported[0]}`")
    for line in text.splitlines():
        if _QUOTED.sub("", line).count("`") % 2:
            raise LinkError(f"{path}: a template literal of several lines: {line.strip()}")
    return _INDENTATION.sub("", text)


def _resolve(path: str, module: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), module))


def _folder(path: str) -> str:
    return posixpath.dirname(path)


def _check_order(graph: Mapping[str, list[str]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise LinkError(f"modules import each other: {' -> '.join(error.args[1])}") from error
