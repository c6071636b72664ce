"""The asynchronous half of the official Python SDK against the emulator: sessions, conversions, and errors."""

import unittest

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mixedreality.remoterendering import (
    AssetConversionStatus,
    RenderingSessionSize,
    RenderingSessionStatus,
)

from emulator import CONTAINER, assert_error, async_client, control, conversion_settings, finish_conversions, new_id


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = async_client()
        self.addAsyncCleanup(self.client.close)

    async def begin(self, **settings):
        conversion_id = new_id()
        poller = await self.client.begin_asset_conversion(conversion_id, *conversion_settings(**settings))
        return conversion_id, poller

    async def test_a_session_becomes_ready_is_extended_and_stopped(self):
        session_id = new_id()
        poller = await self.client.begin_rendering_session(session_id, RenderingSessionSize.STANDARD, 15)
        session = await poller.result()
        self.assertEqual((session.id, session.status), (session_id, RenderingSessionStatus.READY))
        longer = await self.client.update_rendering_session(session_id, lease_time_minutes=20)
        self.assertEqual(longer.lease_time_minutes, 20)
        listed = [session.id async for session in await self.client.list_rendering_sessions()]
        self.assertIn(session_id, listed)
        with self.assertRaises(ResourceExistsError):
            await self.client.begin_rendering_session(session_id, RenderingSessionSize.PREMIUM, 15)
        await self.client.stop_rendering_session(session_id)
        stopped = await self.client.get_rendering_session(session_id)
        self.assertEqual(stopped.status, RenderingSessionStatus.STOPPED)

    async def test_a_conversion_runs_and_succeeds(self):
        conversion_id, poller = await self.begin()
        begun = await self.client.get_asset_conversion(conversion_id)
        self.assertIn(begun.status, (AssetConversionStatus.NOT_STARTED, AssetConversionStatus.RUNNING))
        finish_conversions()
        conversion = await poller.result()
        self.assertEqual((conversion.id, conversion.status), (conversion_id, AssetConversionStatus.SUCCEEDED))
        self.assertEqual(conversion.output.asset_uri, f"{CONTAINER}/Output/house.arrAsset")
        resumed = await self.client.get_asset_conversion_poller(conversion_id=conversion_id)
        self.assertEqual((await resumed.result()).id, conversion_id)

    async def test_a_conversion_fails_or_is_cancelled(self):
        for status in (AssetConversionStatus.FAILED, AssetConversionStatus.CANCELLED):
            conversion_id, poller = await self.begin()
            control("POST", f"/conversions/{conversion_id}", {"status": status})
            with self.assertRaises(HttpResponseError) as raised:
                await poller.result()
            self.assertTrue(raised.exception.error.code)
            self.assertEqual((await self.client.get_asset_conversion(conversion_id)).status, status)
        _, poller = await self.begin(path="missing.fbx")
        finish_conversions()
        with self.assertRaises(HttpResponseError):
            await poller.result()

    async def test_a_list_has_all_pages(self):
        begun = [(await self.begin())[0] for _ in range(3)]
        listed = [conversion.id async for conversion in await self.client.list_asset_conversions()]
        self.assertEqual([conversion_id for conversion_id in listed if conversion_id in begun], begun)

    async def test_refused_creates_are_errors(self):
        conversion_id, _ = await self.begin()
        with self.assertRaises(ResourceExistsError) as raised:
            await self.client.begin_asset_conversion(conversion_id, *conversion_settings(path="shed.fbx"))
        assert_error(self, raised.exception, 409, "Conflict", "already exists")
        with self.assertRaises(HttpResponseError) as raised:
            await self.begin(signature=None)
        assert_error(self, raised.exception, 403, "DelegatedResourceAccessError", "insufficient permissions")
        with self.assertRaises(ResourceNotFoundError):
            await self.client.get_asset_conversion("unknown")
