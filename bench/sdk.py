"""A session's life cycle through the official Python SDK."""

import os
import uuid

from azure.core.credentials import AzureKeyCredential
from azure.mixedreality.remoterendering import RemoteRenderingClient

os.environ["REQUESTS_CA_BUNDLE"] = os.environ["ARR_CA_FILE"]

client = RemoteRenderingClient(
    endpoint=os.environ["ARR_SERVICE_ENDPOINT"],
    account_id=os.environ["ARR_ACCOUNT_ID"],
    account_domain="emulator.invalid",
    credential=AzureKeyCredential(os.environ["ARR_ACCOUNT_KEY"]),
    authentication_endpoint_url=os.environ["ARR_SERVICE_ENDPOINT"],
    polling_interval=int(os.environ["ARR_POLL_INTERVAL_MS"]) / 1000,
)
session = client.begin_rendering_session("bench-" + uuid.uuid4().hex, "Standard", 60).result()
client.get_rendering_session(session.id)
client.update_rendering_session(session_id=session.id, lease_time_minutes=120)
list(client.list_rendering_sessions())
client.stop_rendering_session(session.id)
