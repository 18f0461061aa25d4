"""Writes docs/reference/api/ and its part of the navigation from what src/ holds.

    python scripts/reference_pages.py            # write
    python scripts/reference_pages.py --check    # say what is out of step, status 1 if anything

One page for each module or folder at the top of the package, in the order of the road, with one
mkdocstrings directive for each public module; and `names.md`, the names that `itsm_core` itself
exports, each linked to its description. The pages are read from the source: nothing is imported.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "itsm_core"
API = ROOT / "docs" / "reference" / "api"
CONFIGURATION = ROOT / "mkdocs.yml"
BEGIN, END = "# api pages: begin", "# api pages: end"
GENERATED = "<!-- Written by scripts/reference_pages.py; the prose is in the docstrings. -->\n\n"

# In the order of the road, as ROAD in tests/test_architecture.py, which compares the two.
ORDER = [
    "errors", "business_time", "priority", "values", "actors", "responders", "events", "commands", "records",
    "lifecycle", "approvals", "processes", "sla", "oncall", "escalation", "ports", "road",
    "delivery", "running", "naming", "majors", "asking", "desk", "aio", "loop", "stores", "notifiers",
    "importers", "exporters", "reporting", "conformance", "config", "simulation", "frames", "testing",
    "replay", "custody", "foresight", "demo", "cli",
]  # fmt: skip


def dotted(path: Path) -> str:
    """The import path of a file of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def public_modules(top: str) -> list[str]:
    """Import paths of a top-level name's public modules, the folder itself first."""
    file = PACKAGE / f"{top}.py"
    if file.exists():
        return [dotted(file)]
    paths = (p for p in (PACKAGE / top).rglob("*.py") if not _is_private(p))
    return sorted(map(dotted, paths))


def _is_private(path: Path) -> bool:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return any(part.startswith("_") and part != "__init__" for part in parts)


def tops() -> list[str]:
    """The public modules and folders at the top of the package, in the order of the road."""
    parts = (path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py"))
    found = {part.removesuffix(".py") for part in parts}
    return sorted(
        (name for name in found if not name.startswith("_") and public_modules(name)),
        key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name),
    )


def exported() -> dict[str, str]:
    """The literal table `_NAMES` of itsm_core/__init__: name to module."""
    init = PACKAGE / "__init__.py"
    if not init.exists():
        return {}
    for node in ast.parse(init.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and node.value and ast.unparse(node.target) == "_NAMES":
            table: dict[str, str] = ast.literal_eval(node.value)
            return table
    return {}


def api_page(top: str) -> str:
    """The page of one top-level name."""
    directives = "\n".join(f"::: {module}\n" for module in public_modules(top))
    return f"# {top}\n\n{GENERATED}{directives}"


def names_page() -> str:
    """The page of the names that can be imported from `itsm_core` itself."""
    table = exported()
    rows = []
    for name, module in sorted(table.items(), key=lambda row: row[0].lower()):
        full = module if module.startswith("itsm_core") else f"itsm_core.{module.lstrip('.')}"
        rows.append(f"| [`{name}`][{full}.{name}] | `{full}` |\n")
    head = "Each of these can be imported from `itsm_core`; it is looked up on first use.\n\n"
    return f"# Names\n\n{GENERATED}{head}| name | defined in |\n| --- | --- |\n{''.join(rows)}"


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    found = {API / f"{top}.md": api_page(top) for top in tops()}
    return ({API / "names.md": names_page()} if exported() else {}) | found


def configuration() -> str:
    """The text of mkdocs.yml with the API pages between its two marks."""
    lines = CONFIGURATION.read_text(encoding="utf-8").splitlines()
    begin, end = (next(i for i, line in enumerate(lines) if mark in line) for mark in (BEGIN, END))
    indent = lines[begin][: lines[begin].index("#")]
    entries = [f"{indent}- {path.stem}: {path.relative_to(ROOT / 'docs')}" for path in pages()]
    return "\n".join([*lines[: begin + 1], *entries, *lines[end:]]) + "\n"


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def out_of_step() -> list[str]:
    """What the script would change, as paths relative to the repository."""
    wanted = pages() | {CONFIGURATION: configuration()}
    stale = [path for path, text in wanted.items() if not _holds(path, text)]
    extra = [p for p in sorted(API.glob("*.md")) if p not in wanted]
    return [p.relative_to(ROOT).as_posix() for p in stale + extra]


def write() -> None:
    """Brings pages and navigation into step."""
    API.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in API.glob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    CONFIGURATION.write_text(configuration(), encoding="utf-8")


if __name__ == "__main__":
    changed = out_of_step()
    print("\n".join(changed) or "in step")
    if "--check" in sys.argv[1:]:
        sys.exit(bool(changed))
    write()
