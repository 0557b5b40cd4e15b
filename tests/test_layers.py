"""One direction: a module imports only from the layers below it. This is the table, and the code is held to it."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "settings"),
    ("outline", "cleaning", "pdf", "formats", "articles", "passages", "glossary", "questions"),
    ("graph", "encoder", "dense", "kernel", "lexical", "segmentation"),
    ("storage", "index"),
    (
        "vocabulary",
        "neighbours",
        "retrieval",
        "reader",
        "crossencoder",
        "differences",
        "echoes",
        "contradictions",
        "selection",
        "reasons",
        "topics",
        "gaps",
    ),
    ("answers", "safety", "languages", "conversation", "screening", "acquaintance"),
    ("finder", "assistant"),
)
"""From the bottom. Within one, a module may import those named before it. Whatever is not here is above."""
DOORS = {"api", "pages", "console"}
ONLY_IN = {
    "faiss": {"dense"},
    "bm25s": {"lexical"},
    "torch": {"encoder", "crossencoder"},
    "sentence_transformers": {"encoder", "crossencoder"},
    "onnxruntime": {"graph", "reader"},
    "nltk": {"passages", "lexical"},
    "pypdf": {"pdf"},
    "trafilatura": {"formats"},
    "py3langid": {"languages"},
    "gradio": {"pages"},
    "uvicorn": {"serving"},
    "limits": {"admission"},
    "argon2": {"accounts"},
    "matplotlib": {"evaluation"},
    "sklearn": {"gaps"},
    "sqlite3": {"database", "journal"},
    "phonenumbers": {"redaction"},
    "prometheus_client": {"watch"},
}
"""Each of these libraries has one place, so that it can be replaced in one place."""
SLOW = {"torch", "sentence_transformers", "transformers", "onnxruntime", "tokenizers", "matplotlib"}
"""Loaded when they are first needed, not when a module is imported."""

PACKAGE = ROOT / "chatbot"
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")
ORDER = {name: (level, place) for level, names in enumerate(LAYERS) for place, name in enumerate(names)}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of the modules that a piece of code imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "chatbot" else (module,)


def own_imports(module: str) -> set[str]:
    """The modules of the package that this one imports, anywhere in it."""
    names = (name.split(".") for name in imported(parsed(PACKAGE / f"{module}.py")))
    return {parts[1] for parts in names if parts[0] == "chatbot" and len(parts) > 1 and parts[1] in MODULES}


def at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported: all but the bodies of functions."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [
            child
            for child in ast.iter_child_nodes(node)
            if not (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and child not in decorators(node)
            )
        ]


def decorators(node: ast.AST) -> list[ast.expr]:
    return getattr(node, "decorator_list", [])


def test_the_table_names_modules_that_there_are() -> None:
    assert set(ORDER) <= set(MODULES)
    assert len(ORDER) == sum(map(len, LAYERS))


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    above = (len(LAYERS), 0)
    for other in own_imports(module):
        if module in ORDER:
            assert ORDER.get(other, above) < ORDER[module], f"{module} must not import {other}"
        assert other != "__main__"


def test_no_module_imports_itself_in_a_circle() -> None:
    done: list[str] = []

    def follow(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " -> ".join((*above, module))
        if module not in done:
            for other in sorted(own_imports(module)):
                follow(other, (*above, module))
            done.append(module)

    for module in MODULES:
        follow(module, ())


def test_the_doors_do_not_know_each_other() -> None:
    for door in DOORS & set(MODULES):
        assert not own_imports(door) & DOORS


def test_search_knows_rows_and_terms_not_passages() -> None:
    for module in ("dense", "kernel", "lexical"):
        assert own_imports(module) <= {"graph", "errors"}


@pytest.mark.parametrize("module", MODULES)
def test_each_library_has_its_place(module: str) -> None:
    for name in imported(parsed(PACKAGE / f"{module}.py")):
        assert module in ONLY_IN.get(name.split(".")[0], {module}), f"{module} must not import {name}"


@pytest.mark.parametrize("module", MODULES)
def test_what_loads_slowly_is_not_imported_at_the_top(module: str) -> None:
    tree = parsed(PACKAGE / f"{module}.py")
    for node in at_import(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert not {name.split(".")[0] for name in imported(node)} & SLOW


def environment_uses(path: Path) -> list[str]:
    """Source of the expressions that touch the process's environment."""
    tree = parsed(path)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "putenv"):
            use: ast.AST = node
            while isinstance(parents[use], ast.expr) and not isinstance(parents[use], ast.IfExp):
                use = parents[use]
            found.append(ast.unparse(use))
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            assert not {"environ", "getenv"} & {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("module", [*MODULES, "../app", "../build_index"])
def test_only_settings_read_the_environment(module: str) -> None:
    uses = environment_uses(PACKAGE / f"{module}.py")
    allowed = {
        "settings": uses,
        "encoder": ["HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM"],
        "crossencoder": ["HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM"],
        "pages": ["GRADIO_ANALYTICS_ENABLED"],
        "../app": ["GRADIO_ANALYTICS_ENABLED"],
    }.get(module, [])
    for use in uses:  # others may set what a library will look at
        assert any(name in use for name in allowed), f"{module}: {use}"


IMPORT_ALL = """
import importlib, os, sys

noticed = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
DEEDS = ("os.mkdir", "os.rename", "os.remove", "socket.__new__", "socket.getaddrinfo", "subprocess.Popen")

def is_ours():
    # What a library does while it is itself imported is its own business.
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if "importlib" in name:
            return False
        if name.startswith(sys.argv[1]):
            return True
        frame = frame.f_back
    return False

def notice(event, arguments):
    written = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
    if (written or event in DEEDS) and is_ours():
        noticed.append((event, str(arguments[0])))

sys.addaudithook(notice)
for name in sys.argv[2:]:
    importlib.import_module(name)
for event in noticed:
    print("did", *event)
print("loaded", *sorted({name.split(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def imported_at_once(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a fresh process prints that imports every module."""
    names = [f"chatbot.{module}" for module in MODULES] + ["app", "build_index"]
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", IMPORT_ALL, str(PACKAGE), *names]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert list(folder.iterdir()) == []
    return done.stdout.splitlines()


def test_importing_loads_no_model(imported_at_once: list[str]) -> None:
    loaded = set(imported_at_once[-1].split()[1:])
    assert "chatbot" in loaded
    assert not loaded & SLOW


def test_importing_opens_no_socket_and_writes_nothing(imported_at_once: list[str]) -> None:
    assert [line for line in imported_at_once if line.startswith("did")] == []


@pytest.mark.parametrize("name", ["app.py", "build_index.py"])
def test_the_commands_only_wire(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_read_in_one_sitting(module: str) -> None:
    path = PACKAGE / f"{module}.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 310
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 55, f"{module}.{node.name}"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(parsed(PACKAGE / f"{module}.py"))
