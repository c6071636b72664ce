/* Arguments: what is missing, malformed, too long or not UTF-8 gives the documented error, and says what to do. */
#include "check.h"

/* Makes a client of these options, which must fail with this status and a message that has this text. */
static void refused(const arr_client_options *options, arr_status expected, const char *told)
{
    arr_error_info error;
    arr_client *client = (arr_client *)&error;

    arr_error_info_init(&error, sizeof error);
    CHECK_STATUS(arr_client_new(options, &client, &error), expected);
    CHECK(client == NULL);
    CHECK(error.status == expected && error.category == ARR_CATEGORY_USAGE);
    if (strstr(error.message, told) == NULL) {
        fprintf(stderr, "\"%s\" does not tell \"%s\"\n", error.message, told);
        CHECK(0);
    }
}

static void bad_options_are_refused_with_what_to_do(void)
{
    arr_client_options good, bad;
    const size_t length = 256u * 1024; /* more than a message or a line of HTTP can hold; longer ones only take longer */
    char *huge = (char *)malloc(length + 1);

    CHECK(huge != NULL);
    memset(huge, 'x', length);
    huge[length] = '\0';
    emulator_options(&good);

    bad = good, bad.account_id = NULL, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "account id is missing");
    bad = good, bad.account_key = NULL, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "give one of account_key, entra_token and");
    bad = good, bad.access_token = "a.b.c", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "give exactly one of account_key");
    bad = good, bad.account_key = "", bad.entra_token = "a b", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "Entra token has");
    bad = good, bad.account_domain = NULL, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "account domain is missing");
    bad = good, bad.service_endpoint = NULL, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "service endpoint is missing");
    bad = good, bad.account_id = "<account-id>", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "still a placeholder");
    bad = good, bad.account_id = "not-a-guid", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "\"not-a-guid\" is not a GUID");
    bad = good, bad.account_id = huge, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "is not a GUID");
    bad = good, bad.account_id = "\xff\xfe", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "account_id is not valid UTF-8");
    bad = good, bad.account_key = "\xc3", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "account_key is not valid UTF-8");
    bad = good, bad.account_key = " \t", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "account key is missing");
    bad = good, bad.account_key = "a\nb", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "account key has characters");
    bad = good, bad.account_domain = "eastus9", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "the regions are australiaeast");
    bad = good, bad.account_domain = huge, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "account domain");
    bad = good, bad.proxy = "socks5://127.0.0.1:1", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "proxy is neither");
    bad = good, bad.user_agent_suffix = "a\r\nb", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "user agent suffix");
    bad = good, bad.user_agent_suffix = huge, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "user agent suffix");
    bad = good, bad.service_endpoint = "http://example.com", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "not HTTPS");
    bad = good, bad.service_endpoint = huge, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "service endpoint");
    bad = good, bad.ca_file = "/no/such/file.pem", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "cannot be read");
    bad = good, bad.ca_pem = "no PEM", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "CA certificates");
    bad = good, bad.api_version = 0, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "api_version 0");
    bad = good, bad.api_version = -1, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "ARR_API_VERSION_");
    bad = good, bad.trust = 3, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "ARR_TRUST_");
    bad = good, bad.log_level = 5, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "ARR_LOG_LEVEL_");
    bad = good, bad.max_retries = -2, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "max_retries -2");
    bad = good, bad.max_retries = 101, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "give 0 to 100");
    bad = good, bad.retry_delay_ms = UINT32_MAX, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "retry delay");
    bad = good, bad.ready_poll_interval_ms = UINT32_MAX, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "ready poll interval");
    bad = good, bad.poll_interval_ms = UINT32_MAX, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "poll interval");
    bad = good, bad.call_timeout_ms = 86400001u, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "call timeout");
    bad = good, bad.token_on_request = 2, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "token_on_request");
    free(huge);
}

static void bad_pointers_are_refused(arr_client *client)
{
    arr_client_options options;
    arr_client *made = NULL;
    arr_session_create_options create;
    arr_session *session = NULL;
    arr_error_info error;

    arr_error_info_init(&error, sizeof error);
    emulator_options(&options);
    CHECK_STATUS(arr_client_new(NULL, &made, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_client_new(&options, NULL, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_client_options_init(NULL, sizeof options), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_error_info_init(NULL, sizeof error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_session_create(client, NULL, &session, NULL, 1000, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_session_open(client, NULL, &session, NULL, 1000, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_session_open(client, "a/b", &session, NULL, 1000, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_session_open(client, "\x80", &session, NULL, 1000, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "not valid UTF-8") != NULL);

    arr_session_create_options_init(&create, sizeof create);
    CHECK(create.size == ARR_SESSION_SIZE_STANDARD);
    CHECK_STATUS(arr_session_create(client, &create, &session, NULL, 1000, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "a lease of 0 s") != NULL);
    create.max_lease_seconds = UINT32_MAX;
    CHECK_STATUS(arr_session_create(client, &create, &session, NULL, 1000, &error), ARR_ERROR_INVALID_ARGUMENT);
    create.max_lease_seconds = 60;
    create.size = 3;
    CHECK_STATUS(arr_session_create(client, &create, &session, NULL, 1000, &error), ARR_ERROR_INVALID_ARGUMENT);
    create.size = ARR_SESSION_SIZE_STANDARD;
    create.reserved = 1;
    CHECK_STATUS(arr_session_create(client, &create, &session, NULL, 1000, &error), ARR_ERROR_UNSUPPORTED);
    CHECK(session == NULL);
}

static void statuses_have_names_and_groups_for_every_number(void)
{
    CHECK(strcmp(arr_status_name(ARR_OK), "ARR_OK") == 0);
    CHECK(strcmp(arr_status_name(ARR_ERROR_OUTCOME_UNKNOWN), "ARR_ERROR_OUTCOME_UNKNOWN") == 0);
    CHECK(strcmp(arr_status_name(INT32_MIN), "ARR_ERROR_UNKNOWN") == 0);
    CHECK(arr_status_category(ARR_OK) == ARR_CATEGORY_OK);
    CHECK(arr_status_category(ARR_ERROR_TLS) == ARR_CATEGORY_NETWORK);
    CHECK(arr_status_category(INT32_MAX) == ARR_CATEGORY_OTHER);
}

static void a_small_buffer_is_told_the_size(arr_client *client)
{
    arr_session_create_options options;
    arr_session *session = NULL;
    char buffer[64] = "untouched";
    size_t needed = 0;

    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 60;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK_STATUS(arr_session_get_id(session, NULL, 0, &needed, NULL), ARR_ERROR_BUFFER_TOO_SMALL);
    CHECK(needed == 37);
    CHECK_STATUS(arr_session_get_id(session, buffer, needed - 1, NULL, NULL), ARR_ERROR_BUFFER_TOO_SMALL);
    CHECK(strcmp(buffer, "untouched") == 0);
    CHECK_STATUS(arr_session_get_id(session, buffer, needed, NULL, NULL), ARR_OK);
    CHECK(strlen(buffer) == 36);
    CHECK_STATUS(arr_session_get_message(session, buffer, sizeof buffer, &needed, NULL), ARR_OK);
    CHECK(needed == 1 && buffer[0] == '\0');
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    arr_session_free(session);
}

int main(void)
{
    arr_client *client = emulator_client();
    bad_options_are_refused_with_what_to_do();
    bad_pointers_are_refused(client);
    statuses_have_names_and_groups_for_every_number();
    a_small_buffer_is_told_the_size(client);
    arr_client_free(client);
    return checks_result("arguments");
}
