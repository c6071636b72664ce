"""The official Python SDK against the emulator: conversions of models, and errors."""

import unittest

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.mixedreality.remoterendering import AssetConversionStatus

from emulator import (
    CONTAINER,
    assert_error,
    client,
    control,
    conversion_settings,
    finish_conversions,
    new_id,
    now,
)


class Conversions(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def begin(self, **settings):
        conversion_id = new_id()
        return conversion_id, self.client.begin_asset_conversion(conversion_id, *conversion_settings(**settings))

    def test_a_conversion_runs_and_succeeds(self):
        conversion_id, poller = self.begin(prefix="Output/houses")
        begun = self.client.get_asset_conversion(conversion_id)
        self.assertIn(begun.status, (AssetConversionStatus.NOT_STARTED, AssetConversionStatus.RUNNING))
        self.assertIsNone(begun.output)
        self.assertLess(abs(now() - begun.created_on.timestamp()), 60)
        self.assertFalse(poller.done())
        finish_conversions()
        conversion = poller.result()
        self.assertEqual((conversion.id, conversion.status), (conversion_id, AssetConversionStatus.SUCCEEDED))
        self.assertEqual(conversion.output.asset_uri, f"{CONTAINER}/Output/houses/house.arrAsset")
        self.assertIsNone(conversion.error)
        settings = conversion.settings
        self.assertEqual(settings.input_settings.blob_prefix, "Input/")
        self.assertIsNone(settings.input_settings.storage_container_read_list_sas)
        self.assertIsNone(settings.output_settings.storage_container_write_sas)

    def test_polling_continues_from_a_token_and_from_an_id(self):
        conversion_id, poller = self.begin()
        finish_conversions()
        with client() as another:
            token = poller.continuation_token()
            for how in ({"continuation_token": token}, {"conversion_id": conversion_id}):
                conversion = another.get_asset_conversion_poller(**how).result()
                self.assertEqual((conversion.id, conversion.status), (conversion_id, AssetConversionStatus.SUCCEEDED))

    def test_a_missing_model_fails(self):
        conversion_id, poller = self.begin(path="missing.fbx")
        finish_conversions()
        with self.assertRaises(HttpResponseError) as raised:
            poller.result()
        code = raised.exception.error.code
        # The first is the service's until 2022 (--wire 2021), the second its later one.
        self.assertIn(code, ("ConversionProcessFailed", "InputContainerError"))
        failed = self.client.get_asset_conversion(conversion_id)
        self.assertEqual((failed.status, failed.error.code), (AssetConversionStatus.FAILED, code))

    def test_a_conversion_fails_or_is_cancelled_on_request(self):
        for status, request, code in (
            (AssetConversionStatus.FAILED, {"code": "TooLarge", "message": "too many polygons"}, "TooLarge"),
            (AssetConversionStatus.CANCELLED, {}, "ConversionCancelled"),
        ):
            conversion_id, poller = self.begin()
            control("POST", f"/conversions/{conversion_id}", {"status": status, **request})
            with self.assertRaises(HttpResponseError) as raised:
                poller.result()
            self.assertEqual(raised.exception.error.code, code)
            self.assertEqual(self.client.get_asset_conversion(conversion_id).status, status)

    def test_a_list_has_all_pages(self):
        begun = [self.begin()[0] for _ in range(5)]
        listed = [conversion.id for conversion in self.client.list_asset_conversions()]
        self.assertEqual([conversion_id for conversion_id in listed if conversion_id in begun], begun)
        pages = [len(list(page)) for page in self.client.list_asset_conversions().by_page()]
        self.assertGreaterEqual(len(pages), 3)
        self.assertLessEqual(max(pages), 2)

    def test_a_create_can_be_repeated_but_not_changed(self):
        conversion_id, _ = self.begin()
        again = self.client.begin_asset_conversion(conversion_id, *conversion_settings(signature="?sig=renewed"))
        finish_conversions()
        self.assertEqual(again.result().id, conversion_id)
        with self.assertRaises(ResourceExistsError) as raised:
            self.client.begin_asset_conversion(conversion_id, *conversion_settings(path="shed.fbx"))
        assert_error(self, raised.exception, 409, "Conflict", "already exists")

    def test_without_a_signature_access_is_denied(self):
        with self.assertRaises(HttpResponseError) as raised:
            self.begin(signature=None)
        assert_error(self, raised.exception, 403, "DelegatedResourceAccessError", "insufficient permissions")

    def test_a_malformed_create_is_a_bad_request(self):
        input_settings, output_settings = conversion_settings()
        output_settings.output_asset_filename = "house.fbx"
        with self.assertRaises(HttpResponseError) as raised:
            self.client.begin_asset_conversion(new_id(), input_settings, output_settings)
        assert_error(self, raised.exception, 400, "BadRequest", "outputAssetFilename must end in .arrAsset")

    def test_an_unknown_conversion_is_not_found(self):
        with self.assertRaises(ResourceNotFoundError):
            self.client.get_asset_conversion("unknown")

    def test_a_wrong_key_is_refused(self):
        with client("d3Jvbmc=") as stranger:
            with self.assertRaises(ClientAuthenticationError) as raised:
                stranger.begin_asset_conversion(new_id(), *conversion_settings())
            self.assertEqual(raised.exception.status_code, 401)
