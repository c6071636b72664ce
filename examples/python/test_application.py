"""Tests as an application has them, in place of a bill for rendering servers."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mixedreality.remoterendering import (
    AssetConversionInputSettings,
    AssetConversionOutputSettings,
    RenderingSessionSize,
)


def begin_conversion(client, path):
    container, signature = "https://contoso.blob.core.windows.net/models", "?sig=any"
    return client.begin_asset_conversion(
        f"conversion-{uuid.uuid4()}",
        AssetConversionInputSettings(
            storage_container_uri=container,
            storage_container_read_list_sas=signature,
            relative_input_asset_path=path,
        ),
        AssetConversionOutputSettings(storage_container_uri=container, storage_container_write_sas=signature),
    )


def test_a_session_becomes_ready_and_expires(emulator, client):
    session_id = f"session-{uuid.uuid4()}"
    poller = client.begin_rendering_session(session_id, RenderingSessionSize.STANDARD, lease_time_minutes=30)
    assert poller.status() == "Starting"
    emulator.advance(seconds=120)
    assert poller.result().status == "Ready"
    emulator.advance(seconds=30 * 60)
    assert client.get_rendering_session(session_id).status == "Expired"


def test_a_busy_service_is_retried(emulator, client):
    busy = {"type": "status", "status": 429, "headers": {"Retry-After": "0"}}
    emulator.control("POST", "/faults", {"rules": [{"method": "PUT", "times": 2, "action": busy}]})
    begin_conversion(client, "house.fbx")
    requests = emulator.control("GET", "/requests")["requests"]
    assert [request["status"] for request in requests if request["method"] == "PUT"] == [429, 429, 201]


def test_a_missing_model_fails(emulator, client):
    poller = begin_conversion(client, "missing.fbx")
    emulator.advance(seconds=300)
    with pytest.raises(HttpResponseError) as failure:
        poller.result()
    assert failure.value.error.code == "InputContainerError"
