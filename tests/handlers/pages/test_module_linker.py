"""Linking: modules become functions of one module; what cannot be linked is named. The page itself is the real case."""

from __future__ import annotations

import pytest

from handlers.pages.module_linker import LinkError, link, link_extension


def test_imports_exports_and_later_imports_are_joined() -> None:
    modules = {
        "app.js": 'import { two as second } from "./lib/two.js";\nawait import("./lib/three.js");\nuse(second);\n',
        "lib/two.js": 'import { one } from "../one.js";\nexport const two = () => one + 1;\n',
        "lib/three.js": "const load = (tag) => import(`../strings.${tag}.js`);\nexport class Three {}\n",
        "one.js": '/** Of\n * one. */\nexport const one = 1;\nexport async function more() {\n  one(`a  "`);\n}\n',
    }

    text = link(modules, "app.js")

    assert "const { two: second } = use('lib/two.js');\nawait useLater(\"lib/three.js\");" in text
    assert (
        "modules['one.js'] = () => {\n\n\nconst one = 1;\nasync function more() {\none(`a  \"`);\n}\n"
        "return { one, more };\n};\n" in text
    )
    assert "useLater(`strings.${tag}.js`)" in text
    assert text.endswith("use(second);\n")


def test_the_modules_of_an_extension_are_fetched_when_they_are_needed() -> None:
    modules = {
        "app.js": 'await import("./far/away.js");\n',
        "one.js": "export const one = 1;\n",
        "far/away.js": 'import { one } from "../one.js";\nexport const two = one + 1;\n',
    }

    text, extension = link(modules, "app.js", {"far": "./far.js?v=1"}), link_extension(modules, "far")

    assert text.endswith("await useFrom(\"./far.js?v=1\", 'far/away.js');\n")
    assert "modules['far/away.js']" not in text
    assert extension == (
        "export const extend = (modules, use) => {\nmodules['far/away.js'] = () => {\n"
        "const { one } = use('one.js');\nconst two = one + 1;\nreturn { two };\n};\n};\n"
    )


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ('import { one } from "./none.js";\n', "app.js: there is no module none.js"),
        ('import { none } from "./one.js";\n', "app.js: one.js does not export none"),
        ('import * as one from "./one.js";\n', 'app.js: cannot link `import * as one from "./one.js";`'),
        ("export default 1;\n", "app.js: cannot link `export default 1;`"),
        ("  const lines = `one\n  two`;\n", "app.js: a template literal of several lines: const lines = `one"),
    ],
)
def test_what_cannot_be_linked_is_named(module: str, message: str) -> None:
    with pytest.raises(LinkError) as refused:
        link({"app.js": module, "one.js": "export const one = 1;\n"}, "app.js")

    assert str(refused.value) == message


def test_modules_that_import_each_other_are_refused() -> None:
    modules = {
        "app.js": 'import { a } from "./a.js";\n',
        "a.js": 'import { b } from "./b.js";\nexport const a = 1;\n',
        "b.js": 'import { a } from "./a.js";\nexport const b = 1;\n',
    }

    with pytest.raises(LinkError, match="modules import each other"):
        link(modules, "app.js")
