# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import disks  # noqa: E402


def pytest_configure(config):
    if not disks.TOOL.exists():
        pytest.exit("%s does not exist: run make, or set MIRRORBOOT_BUILD" % disks.TOOL, 2)


@pytest.fixture
def box(tmp_path, monkeypatch):
    """An empty folder to be in, so that messages have short paths."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
