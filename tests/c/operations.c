/* Every operation on sessions except create, wait and stop, which lifecycle.c covers; the cache and the log. */
#include "check.h"

#define LONG_MS 60000u

static arr_client *logging_client(void)
{
    arr_client_options options;
    arr_client *client = NULL;

    emulator_options(&options);
    options.log_level = ARR_LOG_LEVEL_DEBUG;
    options.user_agent_suffix = "operations/1";
    CHECK_STATUS(arr_client_new(&options, &client, NULL), ARR_OK);
    return client;
}

static arr_session *create(arr_client *client, uint32_t lease)
{
    arr_session_create_options options;
    arr_session *session = NULL;

    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = lease;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    return session;
}

static void a_token_is_copied_to_the_callers_buffer(arr_client *client)
{
    static char token[4096];
    char small[4] = "abc";
    size_t needed = 0, again = 0;
    uint32_t remaining = 0;

    CHECK_STATUS(arr_client_get_token(client, NULL, 0, &needed, &remaining, LONG_MS, NULL), ARR_ERROR_BUFFER_TOO_SMALL);
    CHECK(needed > 100 && needed < sizeof token && remaining == 0);
    CHECK_STATUS(arr_client_get_token(client, small, sizeof small, NULL, NULL, LONG_MS, NULL), ARR_ERROR_BUFFER_TOO_SMALL);
    CHECK(strcmp(small, "abc") == 0);
    again = 77;
    CHECK_STATUS(arr_client_get_token(client, NULL, 8, &again, NULL, LONG_MS, NULL), ARR_ERROR_INVALID_ARGUMENT);
    CHECK(again == 77);
    CHECK_STATUS(arr_client_get_token(client, token, needed, &again, &remaining, LONG_MS, NULL), ARR_OK);
    CHECK(again == needed && strlen(token) + 1 == needed && strncmp(token, "ey", 2) == 0);
    CHECK(remaining > 86000 && remaining <= 86400);

    /* Another client can be created with it. */
    {
        arr_client_options options;
        arr_client *other = NULL;
        arr_session_list *list = NULL;
        emulator_options(&options);
        options.account_key = NULL;
        options.access_token = token;
        options.account_domain = "westus2"; /* never contacted */
        CHECK_STATUS(arr_client_new(&options, &other, NULL), ARR_OK);
        CHECK_STATUS(arr_client_list_sessions(other, &list, LONG_MS, NULL), ARR_OK);
        arr_session_list_free(list);
        arr_client_free(other);

        /* One has expired, the other does not state its expiry. */
        options.access_token = "h.eyJleHAiOjF9.s";
        CHECK_STATUS(arr_client_new(&options, &other, NULL), ARR_OK);
        CHECK_STATUS(arr_client_get_token(other, token, sizeof token, NULL, &remaining, LONG_MS, NULL), ARR_OK);
        CHECK(remaining == 0);
        arr_client_free(other);
        options.access_token = "h.e30.s";
        CHECK_STATUS(arr_client_new(&options, &other, NULL), ARR_OK);
        CHECK_STATUS(arr_client_get_token(other, token, sizeof token, NULL, &remaining, LONG_MS, NULL), ARR_OK);
        CHECK(remaining == ARR_TOKEN_EXPIRY_UNKNOWN);
        arr_client_free(other);
    }
    memset(token, 0, sizeof token);
}

static void a_lease_grows_and_a_cached_read_sends_nothing(arr_client *client)
{
    const uint32_t lease = speaks_2021() ? 86400 : 86341; /* whole minutes, rounded up */
    arr_session *session = create(client, 600);
    arr_session_properties properties;
    arr_error_info error;

    arr_error_info_init(&error, sizeof error);
    arr_session_properties_init(&properties, sizeof properties);
    CHECK_STATUS(arr_session_wait_until_ready(session, &properties, LONG_MS, &error), ARR_OK);
    CHECK(properties.known_to_client == 1);
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_CACHED, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(properties.max_lease_seconds == 600 && properties.age_ms < LONG_MS);
    CHECK_STATUS(arr_session_get_properties(session, 3, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_UNSUPPORTED);

    CHECK_STATUS(arr_session_update_lease(session, 0, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_session_update_lease(session, 540, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "grow") != NULL);
    CHECK_STATUS(arr_session_update_lease(session, 600, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK_STATUS(arr_session_update_lease(session, 86341, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(properties.max_lease_seconds == lease && properties.remaining_seconds > 80000);
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_CACHED, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(properties.max_lease_seconds == lease && properties.age_ms < LONG_MS);
    CHECK_STATUS(arr_session_update_lease(session, 90000, NULL, ARR_TIMEOUT_DEFAULT, &error),
                 speaks_2021() ? ARR_ERROR_INVALID_ARGUMENT : ARR_OK);

    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_CACHED, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(properties.status == ARR_SESSION_STATUS_STOPPED);
    CHECK_STATUS(arr_session_update_lease(session, 86400, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_SESSION_ENDED);
    arr_session_free(session);
}

/* The index of a session in a list, or the list's length. */
static size_t find(arr_session_list *list, const char *id, arr_session_properties *entry)
{
    size_t count = 0, i;
    CHECK_STATUS(arr_session_list_count(list, &count, NULL), ARR_OK);
    for (i = 0; i < count; i++) {
        CHECK_STATUS(arr_session_list_get(list, i, entry, NULL), ARR_OK);
        if (strcmp(entry->session_id, id) == 0) {
            break;
        }
    }
    return i;
}

static void a_list_marks_own_sessions_and_only_they_are_stopped(arr_client *client)
{
    arr_client *stranger = emulator_client();
    arr_session *mine = create(client, 600), *also_mine = create(client, 720), *theirs = create(stranger, 840);
    arr_session_list *list = NULL;
    arr_session_properties entry;
    arr_stop_all_result result;
    arr_error_info error;
    char my_id[257] = "", their_id[257] = "";
    size_t count = 0;

    arr_error_info_init(&error, sizeof error);
    arr_session_properties_init(&entry, sizeof entry);
    arr_stop_all_result_init(&result, sizeof result);
    CHECK_STATUS(arr_session_get_id(mine, my_id, sizeof my_id, NULL, NULL), ARR_OK);
    CHECK_STATUS(arr_session_get_id(theirs, their_id, sizeof their_id, NULL, NULL), ARR_OK);

    CHECK_STATUS(arr_client_list_sessions(client, &list, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK_STATUS(arr_session_list_count(list, &count, &error), ARR_OK);
    CHECK(find(list, my_id, &entry) < count && entry.known_to_client == 1 && entry.max_lease_seconds == 600);
    CHECK(find(list, their_id, &entry) < count && entry.known_to_client == 0 && entry.max_lease_seconds == 840);
    CHECK_STATUS(arr_session_list_get(list, count, &entry, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_session_list_get(list, SIZE_MAX, &entry, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_session_list_get(list, 0, NULL, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_session_list_count(list, NULL, &error), ARR_ERROR_INVALID_ARGUMENT);
    arr_session_list_free(list);

    CHECK_STATUS(arr_client_stop_all(client, 7, &result, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_client_stop_all(client, ARR_STOP_SCOPE_OWN, &result, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(result.stopped == 2 && result.already_gone == 0 && result.failed == 0);
    CHECK_STATUS(arr_session_get_properties(theirs, ARR_READ_FRESH, &entry, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(entry.status == ARR_SESSION_STATUS_STARTING || entry.status == ARR_SESSION_STATUS_READY);
    CHECK_STATUS(arr_session_stop(theirs, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    arr_session_free(mine);
    arr_session_free(also_mine);
    arr_session_free(theirs);
    arr_client_free(stranger);
}

static void models_and_extra_members_are_checked(arr_client *client)
{
    const char *models[] = {"https://example.com/a.arrAsset", "https://example.com/b.arrAsset"};
    const char *gap[] = {"https://example.com/a.arrAsset", NULL};
    arr_session_create_options options;
    arr_session *session = NULL;
    char *huge = (char *)malloc(10u * 1024 * 1024 + 1);

    CHECK(huge != NULL);
    memset(huge, 'x', 10u * 1024 * 1024);
    huge[10u * 1024 * 1024] = '\0';
    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 60;
    options.models = gap;
    options.model_count = 2;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, NULL), ARR_ERROR_INVALID_ARGUMENT);
    options.models = NULL;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, NULL), ARR_ERROR_INVALID_ARGUMENT);
    options.models = models;
    options.model_count = SIZE_MAX;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, NULL), ARR_ERROR_INVALID_ARGUMENT);
    options.model_count = 2;
    options.extra_json = "{\"size\":\"premium\"}";
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, NULL), ARR_ERROR_INVALID_ARGUMENT);
    options.extra_json = huge;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, NULL), ARR_ERROR_INVALID_ARGUMENT);
    CHECK(session == NULL);
    options.extra_json = "{\"directConnectionSession\":\"false\"}";
    if (speaks_2021()) {
        CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, NULL), ARR_ERROR_INVALID_ARGUMENT);
        options.models = NULL;
        options.model_count = 0;
    }
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, NULL), ARR_OK);
    CHECK_STATUS(arr_session_stop(session, NULL, LONG_MS, NULL), ARR_OK);
    arr_session_free(session);
    CHECK_STATUS(arr_session_open(client, huge, &session, NULL, LONG_MS, NULL), ARR_ERROR_INVALID_ARGUMENT);
    free(huge);
}

/* With REST 2021-01-01 the application may choose the id; with v1 the service does. */
static void an_id_can_be_chosen_if_the_service_permits_it(arr_client *client)
{
    arr_session_create_options options;
    arr_session *session = NULL, *again = NULL;
    arr_error_info error;
    char id[257], got[257];

    snprintf(id, sizeof id, "operations_%p-%u", (void *)&options, (unsigned)sizeof options);
    arr_error_info_init(&error, sizeof error);
    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 60;
    options.session_id = "no/id";
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, &error), ARR_ERROR_INVALID_ARGUMENT);
    options.session_id = options.extra_json = ""; /* as if absent */
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, &error), ARR_OK);
    CHECK_STATUS(arr_session_get_id(session, got, sizeof got, NULL, NULL), ARR_OK);
    CHECK(strlen(got) == 36);
    CHECK_STATUS(arr_session_stop(session, NULL, LONG_MS, &error), ARR_OK);
    arr_session_free(session);
    options.session_id = id;
    if (!speaks_2021()) {
        CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, &error), ARR_ERROR_INVALID_ARGUMENT);
        CHECK(strstr(error.message, "chooses") != NULL);
        return;
    }
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, LONG_MS, &error), ARR_OK);
    CHECK_STATUS(arr_session_get_id(session, got, sizeof got, NULL, NULL), ARR_OK);
    CHECK(strcmp(got, id) == 0);
    CHECK_STATUS(arr_session_create(client, &options, &again, NULL, LONG_MS, &error), ARR_OK);
    arr_session_free(again);
    options.max_lease_seconds = 120;
    CHECK_STATUS(arr_session_create(client, &options, &again, NULL, LONG_MS, &error), ARR_ERROR_CONFLICT);
    CHECK(again == NULL && strcmp(error.service_code, "Conflict") == 0 && strstr(error.message, id) != NULL);
    CHECK_STATUS(arr_session_stop(session, NULL, LONG_MS, &error), ARR_OK);
    arr_session_free(session);
}

static void the_log_reports_what_happened_and_no_secret(arr_client *client)
{
    arr_log_entry entry;
    int creates = 0, tokens = 0;
    arr_status status;

    arr_log_entry_init(&entry, sizeof entry);
    CHECK_STATUS(arr_client_next_log(client, NULL, 0, NULL), ARR_ERROR_INVALID_ARGUMENT);
    while ((status = arr_client_next_log(client, &entry, 0, NULL)) == ARR_OK) {
        CHECK(entry.level >= ARR_LOG_LEVEL_ERROR && entry.level <= ARR_LOG_LEVEL_DEBUG);
        CHECK(entry.unix_time_ms > 1700000000000u && entry.lost == 0);
        CHECK(entry.message_length == strlen(entry.message));
        CHECK(strstr(entry.message, from_environment("ARR_ACCOUNT_KEY")) == NULL && strstr(entry.message, "eyJ") == NULL);
        if (strstr(entry.message, speaks_2021() ? ": 201 in " : "sessions/create: 202 in ") != NULL) {
            creates++;
            CHECK(entry.level == ARR_LOG_LEVEL_DEBUG && strlen(entry.correlation_vector) == 24);
        }
        tokens += strstr(entry.message, "new access token") != NULL;
    }
    CHECK_STATUS(status, ARR_ERROR_TIMEOUT);
    CHECK(creates == 4 && tokens == 1);
    CHECK_STATUS(arr_client_next_log(client, &entry, 1, NULL), ARR_ERROR_TIMEOUT);
}

int main(void)
{
    arr_client *client = logging_client();
    a_token_is_copied_to_the_callers_buffer(client);
    a_lease_grows_and_a_cached_read_sends_nothing(client);
    a_list_marks_own_sessions_and_only_they_are_stopped(client);
    models_and_extra_members_are_checked(client);
    the_log_reports_what_happened_and_no_secret(client);
    an_id_can_be_chosen_if_the_service_permits_it(client);
    arr_client_free(client);
    return checks_result("operations");
}
