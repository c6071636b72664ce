/* Missing, malformed, too long or non-UTF-8 arguments fail with the documented error and with advice. */
#ifdef __linux__
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#endif
#include "check.h"

/* Creates a client with these options, which must fail with this status and a message that contains this text. */
static void refused(const arr_client_options *options, arr_status expected, const char *fact)
{
    arr_error_info error;
    arr_client *client = (arr_client *)&error;

    arr_error_info_init(&error, sizeof error);
    CHECK_STATUS(arr_client_new(options, &client, &error), expected);
    CHECK(client == NULL);
    CHECK(error.status == expected && error.category == ARR_CATEGORY_USAGE);
    if (strstr(error.message, fact) == NULL) {
        fprintf(stderr, "\"%s\" does not contain \"%s\"\n", error.message, fact);
        CHECK(0);
    }
}

static void bad_options_are_refused_with_advice(void)
{
    arr_client_options good, bad;
    const size_t length = 256u * 1024; /* more than a message or a line of HTTP can hold; longer ones only take longer */
    char *huge = (char *)malloc(length + 1);

    CHECK(huge != NULL);
    memset(huge, 'x', length);
    huge[length] = '\0';
    emulator_options(&good);

    bad = good, bad.account_id = NULL, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`account_id`");
    bad = good, bad.account_key = NULL, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "one of `account_key`, `entra_token` and");
    bad = good, bad.access_token = "a.b.c", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "exactly one of `account_key`");
    bad = good, bad.account_key = "", bad.entra_token = "a b", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`entra_token`");
    bad = good, bad.account_domain = NULL, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`account_domain`");
    bad = good, bad.service_endpoint = NULL, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`service_endpoint`");
    bad = good, bad.account_id = "<account-id>", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "placeholder");
    bad = good, bad.account_id = "not-a-guid", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "\"not-a-guid\"");
    bad = good, bad.account_id = huge, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "GUID");
    bad = good, bad.account_id = "\xff\xfe", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`account_id` is not valid UTF-8");
    bad = good, bad.account_key = "\xc3", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`account_key` is not valid UTF-8");
    bad = good, bad.account_key = " \t", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`account_key`");
    bad = good, bad.account_key = "a\nb", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`account_key`");
    bad = good, bad.account_domain = "eastus9", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "australiaeast");
    bad = good, bad.account_domain = huge, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`account_domain`");
    bad = good, bad.proxy = "socks5://127.0.0.1:1", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`proxy`");
    bad = good, bad.user_agent_suffix = "a\r\nb", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`user_agent_suffix`");
    bad = good, bad.user_agent_suffix = huge, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`user_agent_suffix`");
    bad = good, bad.service_endpoint = "http://example.com", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "HTTPS");
    bad = good, bad.service_endpoint = huge, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`service_endpoint`");
    bad = good, bad.ca_file = "/no/such/file.pem", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "/no/such/file.pem");
    bad = good, bad.ca_pem = "no PEM", refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "ca_pem");
    bad = good, bad.api_version = 0, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`api_version` 0");
    bad = good, bad.api_version = -1, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "ARR_API_VERSION_");
    bad = good, bad.trust = 3, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "ARR_TRUST_");
    bad = good, bad.log_level = 5, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "ARR_LOG_LEVEL_");
    bad = good, bad.max_retries = -2, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`max_retries` is -2");
    bad = good, bad.max_retries = 101, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`max_retries`");
    bad = good, bad.retry_delay_ms = UINT32_MAX, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`retry_delay_ms`");
    bad = good, bad.ready_poll_interval_ms = UINT32_MAX, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`ready_poll_interval_ms`");
    bad = good, bad.poll_interval_ms = UINT32_MAX, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`poll_interval_ms`");
    bad = good, bad.call_timeout_ms = 86400001u, refused(&bad, ARR_ERROR_INVALID_ARGUMENT, "`call_timeout_ms`");
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
    CHECK(strstr(error.message, "`max_lease_seconds` of 0 s") != NULL);
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

static void the_version_matches_the_header(void)
{
    CHECK(arr_abi_version() == ARR_ABI_VERSION);
    CHECK(arr_version_number() == ARR_VERSION_MAJOR * 1000000u + ARR_VERSION_MINOR * 1000u + ARR_VERSION_PATCH);
}

static void every_status_has_a_name_and_a_group(void)
{
    CHECK(strcmp(arr_status_name(ARR_OK), "ARR_OK") == 0);
    CHECK(strcmp(arr_status_name(ARR_ERROR_OUTCOME_UNKNOWN), "ARR_ERROR_OUTCOME_UNKNOWN") == 0);
    CHECK(strcmp(arr_status_name(INT32_MIN), "ARR_ERROR_UNKNOWN") == 0);
    CHECK(arr_status_category(ARR_OK) == ARR_CATEGORY_OK);
    CHECK(arr_status_category(ARR_ERROR_TLS) == ARR_CATEGORY_NETWORK);
    CHECK(arr_status_category(INT32_MAX) == ARR_CATEGORY_OTHER);
}

static void a_small_buffer_returns_the_required_size(arr_client *client)
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

#ifdef __linux__
/* The URL of a server that never answers: it accepts no connection. */
static const char *silent_server(void)
{
    static char url[64];
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 8) == 0);
    CHECK(getsockname(server, (struct sockaddr *)&address, &size) == 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return url;
}
#endif

/* A timeout of 0 does not wait. ARR_TIMEOUT_DEFAULT is the client's. */
static void a_timeout_means_the_same_everywhere(arr_client *client)
{
    arr_client_options options;
    arr_error_info error;
    arr_client *hurried = NULL;
    arr_operation *operation = NULL;
    arr_session_list *list = NULL;

    arr_error_info_init(&error, sizeof error);
    CHECK(ARR_TIMEOUT_DEFAULT == 4294967294u && ARR_WAIT_FOREVER == 4294967295u);
    CHECK_STATUS(arr_client_list_sessions(client, &list, 0, &error), ARR_ERROR_TIMEOUT);
    CHECK(list == NULL && error.http_status == 0 && error.outcome_unknown == 0);
    CHECK_STATUS(arr_client_list_sessions_start(client, 0, &operation, 0, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK(operation == NULL && strstr(error.message, "timeout") != NULL);

    emulator_options(&options);
    options.call_timeout_ms = 1;
#ifdef __linux__
    options.account_domain = options.service_endpoint = silent_server();
#endif
    CHECK_STATUS(arr_client_new(&options, &hurried, NULL), ARR_OK);
#ifdef __linux__
    CHECK_STATUS(arr_client_list_sessions(hurried, &list, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_TIMEOUT);
#endif
    /* For a wait the default is no limit: it returns when the operation has ended. */
    CHECK_STATUS(arr_client_list_sessions_start(hurried, 0, &operation, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK_STATUS(arr_operation_wait(operation, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    arr_operation_free(operation);
    CHECK_STATUS(arr_client_shutdown(hurried, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    arr_client_free(hurried);
}

int main(void)
{
    arr_client *client = emulator_client();
    bad_options_are_refused_with_advice();
    bad_pointers_are_refused(client);
    the_version_matches_the_header();
    every_status_has_a_name_and_a_group();
    a_small_buffer_returns_the_required_size(client);
    a_timeout_means_the_same_everywhere(client);
    arr_client_free(client);
    return checks_result("arguments");
}
