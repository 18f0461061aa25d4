"""The kit as a package: what it offers, what it loads, and what it says where Hypothesis is missing."""

import json
import subprocess
import sys

import pytest

import itsm_core.testing as kit


def loaded(statement, folder):
    """The modules that a fresh interpreter has loaded after a statement."""
    code = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_the_library_does_not_load_the_kit(tmp_path):
    """Nor does the desk."""
    for statement in ("import itsm_core", "from itsm_core import ServiceDesk, INCIDENT, decide"):
        assert not any(
            name.startswith(("itsm_core.testing", "hypothesis")) for name in loaded(statement, tmp_path)
        )


def test_the_kit_loads_neither_pytest_nor_hypothesis(tmp_path):
    """Only the machine needs Hypothesis, and nothing but the contracts needs pytest."""
    names = loaded("from itsm_core.testing import assert_edges, assert_sound, paths, walk", tmp_path)
    assert not any(name.split(".")[0] in ("pytest", "hypothesis") for name in names)
    assert "hypothesis.stateful" in loaded("from itsm_core.testing import lifecycle_machine", tmp_path)
    assert "pytest" in loaded("from itsm_core.testing import StoreContract", tmp_path)


def test_every_name_is_there():
    """And explains itself."""
    for name in kit.__all__:
        assert getattr(kit, name).__doc__ or name == "LAWS"
    assert kit.CONTRACT == "1.1"


def test_a_misspelt_name_is_an_attribute_error():
    """As anywhere else."""
    with pytest.raises(AttributeError, match="no attribute 'lifecycle_machines'"):
        kit.lifecycle_machines  # noqa: B018


def test_without_hypothesis_it_says_what_to_install(monkeypatch):
    """The rest of the kit works without."""
    for name in [name for name in sys.modules if name.startswith("hypothesis")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("itsm_core.testing.machine", "itsm_core.testing.strategies"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ImportError, match="pip install hypothesis"):
        kit.lifecycle_machine  # noqa: B018


def test_without_pytest_the_contracts_say_what_to_install(monkeypatch):
    """Lifecycles are proved without it."""
    for name in [name for name in sys.modules if name.startswith("itsm_core.testing.contract")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pytest", None)
    with pytest.raises(ImportError, match="StoreContract needs pytest: pip install pytest"):
        kit.StoreContract  # noqa: B018
    assert kit.lifecycle_machine


def test_another_missing_module_is_not_blamed_on_hypothesis(monkeypatch):
    """It is named as it is."""
    monkeypatch.delitem(sys.modules, "itsm_core.testing.machine", raising=False)
    monkeypatch.setitem(sys.modules, "itsm_core.testing.strategies", None)
    with pytest.raises(ModuleNotFoundError, match="strategies"):
        kit.lifecycle_machine  # noqa: B018
