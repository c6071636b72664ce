"""What the tests share: the emulator under test, clients of it, and its control calls.

Reads ARR_ACCOUNT_ID, ARR_ACCOUNT_KEY, ARR_SERVICE_ENDPOINT (also the token service's URL), ARR_CA_FILE and ARR_EMULATOR
(the program, for tests that start their own). Expects HTTPS, pages of two, a short startup, conversions that take a
minute, and that `**/missing.fbx` is a missing input.
"""

import json
import os
import ssl
import urllib.request
import uuid

ACCOUNT_ID = os.environ["ARR_ACCOUNT_ID"]
ACCOUNT_KEY = os.environ["ARR_ACCOUNT_KEY"]
ENDPOINT = os.environ["ARR_SERVICE_ENDPOINT"]
CA_FILE = os.environ["ARR_CA_FILE"]

# The SDK's clients create their token clients without options. Those take the certificate authority from the
# environment: requests reads the one variable at each request, aiohttp the other when it is imported.
os.environ["REQUESTS_CA_BUNDLE"] = CA_FILE
os.environ["SSL_CERT_FILE"] = CA_FILE
# The emulator is not behind this machine's proxy.
os.environ["NO_PROXY"] = "*"

from azure.core.credentials import AzureKeyCredential  # noqa: E402
from azure.mixedreality import remoterendering  # noqa: E402
from azure.mixedreality.remoterendering import aio  # noqa: E402

SIGNATURE = "?sv=2015-04-05&sr=c&sp=rwl&sig=s3cret"
CONTAINER = "https://contoso.blob.core.windows.net/models"


def client(account_key=ACCOUNT_KEY, package=remoterendering):
    return package.RemoteRenderingClient(
        endpoint=ENDPOINT,
        account_id=ACCOUNT_ID,
        account_domain="emulator.invalid",
        credential=AzureKeyCredential(account_key),
        authentication_endpoint_url=ENDPOINT,
        polling_interval=0.05,
    )


def async_client():
    return client(package=aio)


def new_id():
    return "python-" + uuid.uuid4().hex


def conversion_settings(path="house.fbx", prefix="Output", signature=SIGNATURE):
    """The settings of a conversion's input and output."""
    return (
        remoterendering.AssetConversionInputSettings(
            storage_container_uri=CONTAINER,
            storage_container_read_list_sas=signature,
            blob_prefix="Input",
            relative_input_asset_path=path,
        ),
        remoterendering.AssetConversionOutputSettings(
            storage_container_uri=CONTAINER, storage_container_write_sas=signature, blob_prefix=prefix
        ),
    )


def control(method, path, body=None):
    """A control call; `path` is below /emulator."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ENDPOINT}/emulator{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=30, context=ssl.create_default_context(cafile=CA_FILE)) as reply:
        return json.load(reply)


def now():
    """The emulator's time, which tests move."""
    return control("GET", "/clock")["unix_ms"] / 1000


def finish_conversions():
    """Moves the clock, so that conversions end however slow this machine is, and not before."""
    control("POST", "/clock", {"advance_ms": 60_000})


def assert_error(test, error, status, code, message):
    test.assertEqual(error.status_code, status)
    test.assertEqual(error.error.code, code)
    test.assertIn(message, error.error.message)
