"""What docs/emulator.md says of the official Python SDK: how it finds the certificate authority, and default endpoints."""

import os
import socket
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ServiceRequestError
from azure.mixedreality.remoterendering import RemoteRenderingClient

from emulator import ACCOUNT_ID, ACCOUNT_KEY, CA_FILE, ENDPOINT

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/python"))

from arr_emulator import ArrEmulator  # noqa: E402

# In a process of its own, because aiohttp reads the variable when it is imported.
ASYNCHRONOUS = """
import asyncio, sys
from azure.core.credentials import AzureKeyCredential
from azure.mixedreality.remoterendering.aio import RemoteRenderingClient

async def main(endpoint, account_id, account_key):
    async with RemoteRenderingClient(
        endpoint, account_id, "emulator.invalid", AzureKeyCredential(account_key),
        authentication_endpoint_url=endpoint, retry_total=0,
    ) as client:
        print("sessions:", [session.id async for session in await client.list_rendering_sessions()])

asyncio.run(main(*sys.argv[1:]))
"""


def environment(**variables):
    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
    return {name: value for name, value in os.environ.items() if name not in names} | variables


class Certificates(unittest.TestCase):
    def list_sessions(self, variables, **options):
        with mock.patch.dict(os.environ, environment(**variables), clear=True):
            with RemoteRenderingClient(
                ENDPOINT,
                ACCOUNT_ID,
                "emulator.invalid",
                AzureKeyCredential(ACCOUNT_KEY),
                authentication_endpoint_url=ENDPOINT,
                # The token client retries all the same.
                retry_total=0,
                **options,
            ) as client:
                return list(client.list_rendering_sessions())

    def test_connection_verify_does_not_reach_the_token_client(self):
        for variables in ({}, {"SSL_CERT_FILE": CA_FILE}):
            with self.assertRaises(ServiceRequestError) as raised:
                self.list_sessions(variables, connection_verify=CA_FILE)
            self.assertIn("CERTIFICATE_VERIFY_FAILED", str(raised.exception))

    def test_requests_ca_bundle_reaches_both_clients(self):
        self.list_sessions({"REQUESTS_CA_BUNDLE": CA_FILE})

    def test_the_asynchronous_clients_need_ssl_cert_file(self):
        for name, succeeds in (("SSL_CERT_FILE", True), ("REQUESTS_CA_BUNDLE", False)):
            done = subprocess.run(
                [sys.executable, "-c", ASYNCHRONOUS, ENDPOINT, ACCOUNT_ID, ACCOUNT_KEY],
                env=environment(**{name: CA_FILE}),
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual("sessions:" in done.stdout, succeeds, done.stderr)
            self.assertEqual("CERTIFICATE_VERIFY_FAILED" in done.stderr, not succeeds, done.stderr)


class DefaultEndpoints(unittest.TestCase):
    def test_an_unchanged_client_reaches_the_emulator_under_the_services_names(self):
        domain = "eastus.mixedreality.azure.com"
        names = [f"sts.{domain}", f"remoterendering.{domain}"]
        options = [word for name in names for word in ("--tls-name", name)]
        with mock.patch.dict(os.environ), ArrEmulator(*options) as emulator:
            lookup = socket.getaddrinfo

            def redirected(host, port, *rest, **more):
                # In place of the hosts file, and of the emulator on port 443.
                if host in names:
                    host, port = "127.0.0.1", emulator.port
                return lookup(host, port, *rest, **more)

            with mock.patch("socket.getaddrinfo", redirected):
                with RemoteRenderingClient(
                    f"https://remoterendering.{domain}",
                    emulator.account_id,
                    domain,
                    AzureKeyCredential(emulator.account_key),
                ) as client:
                    self.assertEqual(list(client.list_asset_conversions()), [])
            hosts = [request["headers"]["host"] for request in emulator.control("GET", "/requests")["requests"]]
            self.assertEqual(hosts, names)
