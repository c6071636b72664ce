"""Fixtures for tests of an application that uses the official Python SDK:

    pip install pytest azure-mixedreality-remoterendering six
    ARR_EMULATOR=target/release/arr-emulator pytest examples/python
"""

import pytest

from arr_emulator import ArrEmulator


@pytest.fixture(scope="session")
def shared_emulator():
    # The tests move the clock, so these times cost nothing.
    options = ["--startup", "2m", "--conversion", "5m", "--missing-input", "**/missing.fbx"]
    with ArrEmulator(*options) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared_emulator):
    """The emulator, without the faults and recorded requests of the test before."""
    shared_emulator.control("DELETE", "/faults")
    shared_emulator.control("DELETE", "/requests")
    return shared_emulator


@pytest.fixture
def client(emulator):
    # Imported late: the emulator has set the variables that tell the SDK whom to trust.
    from azure.core.credentials import AzureKeyCredential
    from azure.mixedreality.remoterendering import RemoteRenderingClient

    with RemoteRenderingClient(
        endpoint=emulator.url,
        account_id=emulator.account_id,
        account_domain="emulator.invalid",
        credential=AzureKeyCredential(emulator.account_key),
        authentication_endpoint_url=emulator.url,
        polling_interval=0.05,
    ) as client:
        yield client
