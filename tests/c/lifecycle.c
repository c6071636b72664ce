/* The life cycle of a session in C: the structs at each step, and the service's errors. */
#include "check.h"

static void a_session_is_created_and_stopped(void)
{
    arr_client *client = emulator_client();
    arr_session_create_options options;
    arr_session_properties properties;
    arr_session *session = NULL;
    arr_error_info error;
    int32_t already_gone = 77;
    const uint32_t lease = speaks_2021() ? 86400 : 90000; /* the longest there, and a longer one */
    int slices = 0;
    arr_status status;
    char reply[2048] = "";
    size_t needed = 0;

    arr_error_info_init(&error, sizeof error);
    arr_session_properties_init(&properties, sizeof properties);
    arr_session_create_options_init(&options, sizeof options);
    options.size = ARR_SESSION_SIZE_PREMIUM;
    options.max_lease_seconds = lease;
    CHECK_STATUS(arr_session_create(client, &options, &session, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(error.status == ARR_OK && error.message[0] == '\0');
    CHECK(properties.status == ARR_SESSION_STATUS_STARTING && properties.size == ARR_SESSION_SIZE_PREMIUM);
    CHECK(properties.max_lease_seconds == lease && properties.hostname[0] == '\0');

    /* Without waiting: it is not ready yet, and the cached properties are returned. */
    memset(properties.session_id, 0, sizeof properties.session_id);
    status = arr_session_wait_until_ready(session, &properties, 0, &error);
    /* On a very busy machine it may already be ready. */
    CHECK((status == ARR_ERROR_TIMEOUT && error.retryable == 1) || status == ARR_OK);
    CHECK(strlen(properties.session_id) == 36);

    do {
        status = arr_session_wait_until_ready(session, &properties, 10, &error);
    } while (status == ARR_ERROR_TIMEOUT && ++slices < 6000);
    CHECK_STATUS(status, ARR_OK);
    CHECK(properties.status == ARR_SESSION_STATUS_READY && properties.hostname[0] != '\0');
    CHECK(properties.max_lease_seconds == lease && properties.remaining_seconds > lease - 1000);
    CHECK((properties.creation_time_unix_ms > 1700000000000u) == speaks_2021());
    CHECK((properties.teraflops > 1.0) == speaks_2021());
    CHECK(properties.handshake_port > 0);
    CHECK_STATUS(arr_session_get_reply(session, NULL, 0, &needed, &error), ARR_ERROR_BUFFER_TOO_SMALL);
    CHECK(needed > 100 && needed <= sizeof reply);
    CHECK_STATUS(arr_session_get_reply(session, reply, needed - 1, NULL, &error), ARR_ERROR_BUFFER_TOO_SMALL);
    CHECK(reply[0] == '\0');
    CHECK_STATUS(arr_session_get_reply(session, reply, needed, NULL, &error), ARR_OK);
    CHECK(reply[0] == '{' && strlen(reply) == needed - 1 && strstr(reply, properties.hostname) != NULL);

    CHECK_STATUS(arr_session_stop(session, &already_gone, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(already_gone == 0);
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_FRESH, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(properties.status == ARR_SESSION_STATUS_STOPPED);
    CHECK_STATUS(arr_session_wait_until_ready(session, &properties, ARR_WAIT_FOREVER, &error), ARR_ERROR_SESSION_ENDED);
    CHECK(error.category == ARR_CATEGORY_SESSION);
    arr_session_free(session);
    arr_client_free(client);
}

static void service_errors_are_reported(void)
{
    arr_client_options options;
    arr_client *client = NULL;
    arr_session *session = NULL;
    arr_session_create_options create;
    arr_error_info error;

    arr_error_info_init(&error, sizeof error);
    arr_session_create_options_init(&create, sizeof create);
    create.max_lease_seconds = 60;

    emulator_options(&options);
    CHECK_STATUS(arr_client_new(&options, &client, &error), ARR_OK);
    CHECK_STATUS(arr_session_open(client, "00000000-0000-4000-8000-000000000000", &session, NULL, ARR_TIMEOUT_DEFAULT, &error),
                 ARR_ERROR_NOT_FOUND);
    CHECK(error.http_status == 404 && strlen(error.correlation_vector) > 20 && session == NULL);
    CHECK(strstr(error.message, "00000000-0000-4000-8000-000000000000") != NULL);
    CHECK(strstr(error.message, options.account_id) != NULL);
    arr_client_free(client);

    options.account_key = "d3Jvbmc=";
    CHECK_STATUS(arr_client_new(&options, &client, &error), ARR_OK);
    CHECK_STATUS(arr_session_create(client, &create, &session, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_UNAUTHORIZED);
    CHECK(error.http_status == 401 && error.category == ARR_CATEGORY_AUTHENTICATION);
    CHECK(strstr(error.message, "account key") != NULL && strstr(error.message, "d3Jvbmc=") == NULL);
    arr_client_free(client);

    /* Nothing listens on port 1. */
    emulator_options(&options);
    options.account_domain = options.service_endpoint = "https://127.0.0.1:1";
    options.retry_delay_ms = 1;
    CHECK_STATUS(arr_client_new(&options, &client, &error), ARR_OK);
    CHECK_STATUS(arr_session_create(client, &create, &session, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_NETWORK);
    CHECK(error.retryable == 1 && error.outcome_unknown == 0 && error.http_status == 0);
    arr_client_free(client);

    /* The emulator's certificate, without its authority. */
    emulator_options(&options);
    if (strncmp(options.service_endpoint, "https:", 6) == 0) {
        const int32_t trusts[] = {ARR_TRUST_AUTO, ARR_TRUST_BUNDLED};
        size_t i;
        options.ca_file = NULL;
        for (i = 0; i < sizeof trusts / sizeof trusts[0]; i++) {
            options.trust = trusts[i];
            CHECK_STATUS(arr_client_new(&options, &client, &error), ARR_OK);
            CHECK_STATUS(arr_session_create(client, &create, &session, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_TLS);
            CHECK(error.retryable == 0 && strstr(error.message, "ca_file") != NULL);
            arr_client_free(client);
        }
    }
}

int main(void)
{
    CHECK(arr_abi_version() == ARR_ABI_VERSION);
    a_session_is_created_and_stopped();
    service_errors_are_reported();
    return checks_result("lifecycle");
}
