"""The official Python SDK against the emulator: sessions from their creation to their end, and errors."""

import unittest

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.mixedreality.authentication import MixedRealityStsClient
from azure.mixedreality.remoterendering import (
    RemoteRenderingClient,
    RenderingSessionSize,
    RenderingSessionStatus,
)

from emulator import ACCOUNT_ID, ACCOUNT_KEY, ENDPOINT, assert_error, client, new_id, now


class LifeCycle(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)
        self.begun = []

    def tearDown(self):
        for session_id in self.begun:
            self.client.stop_rendering_session(session_id)

    def begin(self, size=RenderingSessionSize.STANDARD, minutes=15):
        session_id = new_id()
        poller = self.client.begin_rendering_session(session_id, size, minutes)
        self.begun.append(session_id)
        return session_id, poller

    def test_a_session_becomes_ready_is_extended_and_stopped(self):
        session_id, poller = self.begin()
        started = self.client.get_rendering_session(session_id)
        self.assertEqual(started.status, RenderingSessionStatus.STARTING)
        self.assertFalse(started.hostname)
        self.assertFalse(started.arr_inspector_port)
        self.assertLess(abs(now() - started.created_on.timestamp()), 60)

        session = poller.result()
        self.assertEqual(session.id, session_id)
        self.assertEqual(session.status, RenderingSessionStatus.READY)
        self.assertEqual(session.size, RenderingSessionSize.STANDARD)
        self.assertEqual(session.lease_time_minutes, 15)
        self.assertEqual(session.elapsed_time_minutes, 0)
        self.assertTrue(session.hostname)
        self.assertIn(session.arr_inspector_port, range(49152, 65535))
        self.assertIn(session.handshake_port, range(49152, 65535))
        self.assertGreater(session.teraflops, 0)
        self.assertIsNone(session.error)

        longer = self.client.update_rendering_session(session_id, lease_time_minutes=20)
        self.assertEqual((longer.id, longer.lease_time_minutes), (session_id, 20))
        self.assertEqual(self.client.get_rendering_session(session_id).lease_time_minutes, 20)

        self.client.stop_rendering_session(session_id)
        stopped = self.client.get_rendering_session(session_id)
        self.assertEqual(stopped.status, RenderingSessionStatus.STOPPED)
        self.assertFalse(stopped.hostname)

    def test_polling_continues_from_a_token_and_from_an_id(self):
        session_id, poller = self.begin(RenderingSessionSize.PREMIUM)
        token = poller.continuation_token()
        with client() as another:
            session = another.get_rendering_session_poller(continuation_token=token).result()
            self.assertEqual((session.id, session.status), (session_id, RenderingSessionStatus.READY))
            session = another.get_rendering_session_poller(session_id=session_id).result()
            self.assertEqual((session.id, session.size), (session_id, RenderingSessionSize.PREMIUM))

    def test_a_list_has_all_pages(self):
        begun = [self.begin()[0] for _ in range(5)]
        listed = [session.id for session in self.client.list_rendering_sessions()]
        self.assertEqual([session_id for session_id in listed if session_id in begun], begun)
        pages = [len(list(page)) for page in self.client.list_rendering_sessions().by_page()]
        self.assertGreaterEqual(len(pages), 3)
        self.assertLessEqual(max(pages), 2)

        self.client.stop_rendering_session(begun[1])
        listed = [session.id for session in self.client.list_rendering_sessions()]
        self.assertNotIn(begun[1], listed)
        self.assertIn(begun[2], listed)

    def test_a_create_can_be_repeated_but_not_changed(self):
        session_id, _ = self.begin()
        again = self.client.begin_rendering_session(session_id, RenderingSessionSize.STANDARD, 15).result()
        self.assertEqual(again.id, session_id)
        with self.assertRaises(ResourceExistsError) as raised:
            self.client.begin_rendering_session(session_id, RenderingSessionSize.PREMIUM, 15)
        assert_error(self, raised.exception, 409, "Conflict", "already exists")

    def test_a_negative_lease_is_a_bad_request(self):
        with self.assertRaises(HttpResponseError) as raised:
            self.client.begin_rendering_session(new_id(), RenderingSessionSize.STANDARD, -4)
        assert_error(self, raised.exception, 400, "BadRequest", "The maxLeaseTimeMinutes value cannot be negative.")

    def test_a_lease_can_only_grow(self):
        session_id, _ = self.begin()
        with self.assertRaises(HttpResponseError) as raised:
            self.client.update_rendering_session(session_id, lease_time_minutes=15)
        assert_error(self, raised.exception, 422, "UnprocessableEntity", "not larger")

    def test_an_unknown_session_is_not_found(self):
        for call in (
            self.client.get_rendering_session,
            self.client.stop_rendering_session,
            lambda session_id: self.client.update_rendering_session(session_id, lease_time_minutes=15),
            lambda session_id: self.client.get_rendering_session_poller(session_id=session_id),
        ):
            with self.assertRaises(ResourceNotFoundError) as raised:
                call("unknown")
            self.assertEqual(raised.exception.status_code, 404)

    def test_a_wrong_key_is_refused(self):
        with client("d3Jvbmc=") as stranger:
            with self.assertRaises(ClientAuthenticationError) as raised:
                stranger.get_rendering_session("mine")
            self.assertEqual(raised.exception.status_code, 401)

    def test_a_token_states_its_expiry(self):
        sts = MixedRealityStsClient(
            ACCOUNT_ID, "emulator.invalid", AzureKeyCredential(ACCOUNT_KEY), custom_endpoint_url=ENDPOINT
        )
        with sts:
            token = sts.get_token()
        # It expires on a whole second.
        lifetime = token.expires_on - now()
        self.assertTrue(23 * 3600 < lifetime <= 24 * 3600 + 1, lifetime)
        with RemoteRenderingClient(ENDPOINT, ACCOUNT_ID, "emulator.invalid", token) as holder:
            with self.assertRaises(ResourceNotFoundError):
                holder.get_rendering_session("unknown")
