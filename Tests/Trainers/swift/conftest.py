"""The model and the data sets, written once."""

import pytest
import training


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """One picture a row."""
    return training.prepare(tmp_path_factory.mktemp("swift"))


@pytest.fixture(scope="session")
def mixed(tmp_path_factory):
    """Rows with one picture, with none, and with two."""
    return training.prepare(tmp_path_factory.mktemp("mixed"), pictures_of_row=(1, 0, 2, 1))
