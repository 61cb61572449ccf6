"""What a server of the first edition of the contract does not have yet."""

import pytest


def needs(edition, *options):
    """Skip, saying so, where the server is of the first edition of the contract."""
    missing = [o for o in options if o not in edition]
    if missing:
        pytest.skip(f"this server has no option {', '.join(missing)} (first edition of the contract)")
