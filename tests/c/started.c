/* Started operations, as a frame loop uses them. */
#include "check.h"

#define SOON_MS 20000u
#define SESSION 7u

static arr_client *client;
static arr_error_info error;

static arr_operation_state ended(arr_operation *operation)
{
    arr_operation_state state = ARR_OPERATION_RUNNING;
    CHECK_STATUS(arr_operation_wait(operation, &state, SOON_MS, &error), ARR_OK);
    return state;
}

/* The event of an ended operation, by its handle; other events are skipped. */
static arr_event event_of(const arr_operation *operation)
{
    arr_event event;
    arr_event_init(&event, sizeof event);
    do {
        CHECK_STATUS(arr_client_next_event(client, &event, SOON_MS, &error), ARR_OK);
    } while (error.status == ARR_OK && event.operation != operation);
    CHECK(event.type == ARR_EVENT_OPERATION_ENDED && event.struct_size == sizeof event);
    return event;
}

static void no_event_is_left(void)
{
    arr_event event;
    arr_event_init(&event, sizeof event);
    CHECK_STATUS(arr_client_next_event(client, &event, 0, &error), ARR_ERROR_TIMEOUT);
    CHECK(error.category == ARR_CATEGORY_ENDED && error.retryable == 1);
    CHECK(strcmp(error.message, "arr_client_next_event: there is no event") == 0);
    CHECK(error.message_length == strlen(error.message));
}

/* There is no event, so only a wake ends the wait. It comes before the wait, and is not lost. */
static void a_wake_ends_a_wait(void)
{
    arr_event event;
    arr_event_init(&event, sizeof event);
    CHECK_STATUS(arr_client_wake(client, &error), ARR_OK);
    CHECK_STATUS(arr_client_next_event(client, &event, ARR_WAIT_FOREVER, &error), ARR_ERROR_TIMEOUT);
    CHECK(strcmp(error.message, "arr_client_next_event: there is no event") == 0);
}

static arr_session *created(arr_session_properties *properties)
{
    arr_session_create_options options;
    arr_operation *operation = NULL;
    arr_session *session = NULL;
    arr_event event;
    arr_operation_kind kind = ARR_OPERATION_KIND_NONE;
    int32_t reused = 77;

    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 600;
    CHECK_STATUS(arr_session_create_start(client, &options, 1, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    event = event_of(operation);
    CHECK(event.user_data == 1 && event.status == ARR_OK && event.session == NULL);
    CHECK(event.operation_kind == ARR_OPERATION_KIND_CREATE && event.reserved == 0);
    CHECK_STATUS(arr_operation_get_kind(operation, &kind, &error), ARR_OK);
    CHECK(kind == ARR_OPERATION_KIND_CREATE);
    CHECK_STATUS(arr_operation_get_kind(operation, NULL, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_operation_get_session(operation, &session, properties, &reused, &error), ARR_OK);
    CHECK(session != NULL && reused == 0 && strcmp(properties->session_id, event.session_id) == 0);
    arr_operation_free(operation);
    return session;
}

static void a_session_is_used_without_blocking(void)
{
    arr_session_properties properties;
    arr_operation *operation = NULL;
    arr_session_list *list = NULL;
    arr_session *session;
    arr_event event;
    char token[4096];
    size_t needed = 0, count = 0;
    uint32_t remaining = 0;
    int32_t gone = 77;

    arr_session_properties_init(&properties, sizeof properties);
    session = created(&properties);

    CHECK_STATUS(arr_session_wait_until_ready_start(session, 2, &operation, SOON_MS, &error), ARR_OK);
    CHECK(event_of(operation).user_data == 2);
    CHECK_STATUS(arr_operation_get_properties(operation, &properties, &error), ARR_OK);
    CHECK(properties.status == ARR_SESSION_STATUS_READY && properties.hostname[0] != '\0');
    arr_operation_free(operation);

    CHECK_STATUS(arr_session_update_lease_start(session, 1200, 3, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(ended(operation) == ARR_OPERATION_SUCCEEDED);
    CHECK_STATUS(arr_operation_get_properties(operation, &properties, &error), ARR_OK);
    CHECK(properties.max_lease_seconds == 1200);
    arr_operation_free(operation);

    CHECK_STATUS(arr_session_get_properties_start(session, 4, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(ended(operation) == ARR_OPERATION_SUCCEEDED);
    CHECK_STATUS(arr_operation_get_properties(operation, &properties, &error), ARR_OK);
    CHECK(properties.max_lease_seconds == 1200 && properties.age_ms == 0);
    /* Each kind of operation has its getter; the others say so. */
    CHECK_STATUS(arr_operation_get_list(operation, &list, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "arr_operation_get_properties") != NULL && list == NULL);
    CHECK_STATUS(arr_operation_get_stop(operation, &gone, NULL), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_operation_get_token(operation, token, sizeof token, NULL, NULL, NULL), ARR_ERROR_INVALID_ARGUMENT);
    CHECK(gone == 77);
    arr_operation_free(operation);

    CHECK_STATUS(arr_client_list_sessions_start(client, 5, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(ended(operation) == ARR_OPERATION_SUCCEEDED);
    CHECK_STATUS(arr_operation_get_list(operation, &list, &error), ARR_OK);
    arr_operation_free(operation);
    CHECK_STATUS(arr_session_list_count(list, &count, &error), ARR_OK);
    CHECK(count >= 1);
    {
        arr_session *none = (arr_session *)&count;
        CHECK_STATUS(arr_session_list_get_session(list, 0, &none, &error), ARR_ERROR_INVALID_ARGUMENT);
        CHECK(none == NULL);
    }
    arr_session_list_free(list);

    CHECK_STATUS(arr_client_get_token_start(client, 6, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(ended(operation) == ARR_OPERATION_SUCCEEDED);
    CHECK_STATUS(arr_operation_get_token(operation, NULL, 0, &needed, NULL, &error), ARR_ERROR_BUFFER_TOO_SMALL);
    CHECK_STATUS(arr_operation_get_token(operation, token, sizeof token, &needed, &remaining, &error), ARR_OK);
    CHECK(needed == strlen(token) + 1 && remaining > 3600);
    arr_operation_free(operation);

    CHECK_STATUS(arr_session_stop_start(session, 8, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(ended(operation) == ARR_OPERATION_SUCCEEDED);
    CHECK_STATUS(arr_operation_get_stop(operation, &gone, &error), ARR_OK);
    CHECK(gone == 0);
    event = event_of(operation); /* the events of freed operations are gone */
    CHECK(event.user_data == 8 && event.operation_kind == ARR_OPERATION_KIND_STOP);
    CHECK(strcmp(event.session_id, properties.session_id) == 0);
    arr_operation_free(operation);
    no_event_is_left();

    CHECK_STATUS(arr_session_open_start(client, properties.session_id, 9, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(ended(operation) == ARR_OPERATION_SUCCEEDED);
    {
        arr_session *opened = NULL;
        int32_t reused = 0;
        CHECK_STATUS(arr_operation_get_session(operation, &opened, &properties, &reused, &error), ARR_OK);
        CHECK(opened != session && reused == 1 && properties.status == ARR_SESSION_STATUS_STOPPED);
        arr_session_free(opened);
    }
    arr_operation_free(operation);
    arr_session_free(session);
}

static void a_failure_has_a_reason_and_a_cancel_takes_effect_at_once(void)
{
    arr_operation *operation = NULL;
    arr_session_properties properties;
    arr_operation_state state = 77;
    arr_session *session;
    arr_event event;

    CHECK_STATUS(arr_session_open_start(client, "no-such-session", 1, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(ended(operation) == ARR_OPERATION_FAILED);
    CHECK_STATUS(arr_operation_get_error(operation, &error), ARR_ERROR_NOT_FOUND);
    CHECK(error.http_status == 404 && strncmp(error.message, "arr_operation_get_error: ", 25) == 0);
    event = event_of(operation);
    CHECK(event.status == ARR_ERROR_NOT_FOUND && event.operation_kind == ARR_OPERATION_KIND_OPEN);
    CHECK(strcmp(event.session_id, "no-such-session") == 0);
    arr_operation_free(operation);

    arr_session_properties_init(&properties, sizeof properties);
    session = created(&properties);
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    arr_session_free(session);

    /* A wait without limit, or for as long as the emulator takes to start a session. */
    session = created(&properties);
    CHECK_STATUS(arr_session_wait_until_ready_start(session, 2, &operation, ARR_WAIT_FOREVER, &error), ARR_OK);
    CHECK_STATUS(arr_operation_wait(operation, &state, 0, &error), ARR_ERROR_TIMEOUT);
    CHECK(state == ARR_OPERATION_RUNNING);
    CHECK_STATUS(arr_operation_get_error(operation, &error), ARR_ERROR_PENDING);
    CHECK_STATUS(arr_operation_get_properties(operation, &properties, &error), ARR_ERROR_PENDING);
    CHECK_STATUS(arr_operation_cancel(operation, &error), ARR_OK);
    CHECK_STATUS(arr_operation_poll(operation, &state, &error), ARR_OK);
    CHECK(state == ARR_OPERATION_CANCELLED);
    CHECK_STATUS(arr_operation_cancel(operation, &error), ARR_OK);
    CHECK_STATUS(arr_operation_get_error(operation, &error), ARR_ERROR_CANCELLED);
    CHECK(event_of(operation).status == ARR_ERROR_CANCELLED);
    arr_operation_free(operation);
    arr_operation_free(operation);
    CHECK_STATUS(arr_operation_poll(operation, &state, &error), ARR_ERROR_INVALID_HANDLE);

    /* A stop continues without its handle. */
    CHECK_STATUS(arr_session_stop_start(session, 3, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    arr_operation_free(operation);
    do {
        CHECK_STATUS(arr_session_get_properties(session, ARR_READ_FRESH, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    } while (error.status == ARR_OK && properties.status != ARR_SESSION_STATUS_STOPPED);
    arr_session_free(session);
    no_event_is_left();
}

static void a_watched_session_reports_events(void)
{
    arr_session_properties properties;
    arr_watch_options watch;
    arr_keep_alive_options keep;
    arr_snapshot snapshot;
    arr_event event;
    arr_session *session;

    arr_session_properties_init(&properties, sizeof properties);
    arr_watch_options_init(&watch, sizeof watch);
    arr_keep_alive_options_init(&keep, sizeof keep);
    arr_snapshot_init(&snapshot, sizeof snapshot);
    arr_event_init(&event, sizeof event);
    session = created(&properties);
    CHECK_STATUS(arr_session_snapshot(session, &snapshot, &error), ARR_OK);
    CHECK(snapshot.max_lease_seconds == 600 && snapshot.revision > 0);

    CHECK_STATUS(arr_session_keep_alive(session, &keep, &error), ARR_ERROR_INVALID_ARGUMENT); /* not watched */
    CHECK_STATUS(arr_session_watch(session, &watch, SESSION, &error), ARR_OK);
    CHECK_STATUS(arr_session_keep_alive(session, &keep, &error), ARR_ERROR_INVALID_ARGUMENT); /* no cap */
    CHECK(strstr(error.message, "cap") != NULL);
    keep.threshold_seconds = 3600;
    keep.cap_seconds = 1500;
    CHECK_STATUS(arr_session_keep_alive(session, &keep, &error), ARR_OK);
    CHECK_STATUS(arr_session_touch(session, &error), ARR_OK);

    do { /* ready, extended at once up to the cap, and then the cap is reported */
        CHECK_STATUS(arr_client_next_event(client, &event, SOON_MS, &error), ARR_OK);
        CHECK(event.session == session && event.user_data == SESSION && event.operation == NULL);
        CHECK(strcmp(event.session_id, properties.session_id) == 0);
    } while (error.status == ARR_OK && event.type != ARR_EVENT_LEASE_CAP_REACHED);
    CHECK(event.session_status == ARR_SESSION_STATUS_READY && event.max_lease_seconds == 1500);
    CHECK_STATUS(arr_session_snapshot(session, &snapshot, &error), ARR_OK);
    CHECK(snapshot.status == ARR_SESSION_STATUS_READY && snapshot.remaining_seconds + 60 > 1500);
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_KNOWN, &properties, 0, &error), ARR_OK);
    CHECK(properties.max_lease_seconds == 1500 && properties.hostname[0] != '\0');

    watch.on_suspend = ARR_ON_SUSPEND_STOP;
    CHECK_STATUS(arr_session_watch(session, &watch, SESSION, &error), ARR_OK);
    CHECK_STATUS(arr_client_suspend(client, SOON_MS, &error), ARR_OK);
    CHECK_STATUS(arr_client_resume(client, &error), ARR_OK);
    do {
        CHECK_STATUS(arr_client_next_event(client, &event, SOON_MS, &error), ARR_OK);
    } while (error.status == ARR_OK && event.type != ARR_EVENT_RESUMED);
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_FRESH, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(properties.status == ARR_SESSION_STATUS_STOPPED);
    watch.stop_on_shutdown = 2;
    CHECK_STATUS(arr_session_watch(session, &watch, SESSION, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(arr_session_watch(session, NULL, 0, &error), ARR_OK);
    CHECK_STATUS(arr_client_set_token(client, "a.b.c", &error), ARR_ERROR_INVALID_ARGUMENT); /* it was created with a key */
    arr_session_free(session);
}

static void shutdown_sends_the_promised_stops(void)
{
    arr_session_properties properties;
    arr_watch_options watch;
    arr_operation *operation = NULL;
    arr_session *session;
    arr_event event;
    arr_client *other;

    arr_session_properties_init(&properties, sizeof properties);
    arr_event_init(&event, sizeof event);
    arr_watch_options_init(&watch, sizeof watch);
    watch.stop_on_shutdown = 1;
    session = created(&properties);
    CHECK_STATUS(arr_session_watch(session, &watch, SESSION, &error), ARR_OK);
    CHECK_STATUS(arr_session_wait_until_ready_start(session, 1, &operation, ARR_WAIT_FOREVER, &error), ARR_OK);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, &error), ARR_OK);
    do {
        arr_status pulled = arr_client_next_event(client, &event, 0, &error);
        CHECK(pulled == ARR_OK || pulled == ARR_ERROR_SHUT_DOWN);
    } while (error.status == ARR_OK);
    CHECK_STATUS(arr_session_get_properties_start(session, 2, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_SHUT_DOWN);
    CHECK(operation == NULL);
    arr_session_free(session);
    arr_client_free(client);

    other = emulator_client();
    CHECK_STATUS(arr_session_open(other, properties.session_id, &session, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(properties.status == ARR_SESSION_STATUS_STOPPED);
    arr_session_free(session);
    arr_client_free(other);
    CHECK_STATUS(arr_shutdown(SOON_MS, &error), ARR_OK);
    client = emulator_client(); /* a new client works */
    CHECK_STATUS(arr_client_get_token(client, NULL, 0, NULL, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_BUFFER_TOO_SMALL);
    arr_client_free(client);
}

static void an_unusable_journal_fails_the_client(void)
{
    arr_client_options options;
    arr_client *none = NULL;
    arr_operation *operation = NULL;
    emulator_options(&options);
    options.journal_folder = "/no/such/folder/journal";
    CHECK_STATUS(arr_client_new(&options, &none, &error), ARR_ERROR_STORAGE);
    CHECK(none == NULL && error.category == ARR_CATEGORY_STORAGE && strstr(error.message, "/no/such/folder") != NULL);
    CHECK_STATUS(arr_client_recover_sessions_start(client, 0, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "journal") != NULL);
}

/* A client with a journal. */
static arr_client *client_with_journal(void)
{
    arr_client_options options;
    arr_client *made = NULL;
    emulator_options(&options);
    options.journal_folder = from_environment("ARR_JOURNAL");
    CHECK_STATUS(arr_client_new(&options, &made, &error), ARR_OK);
    return made;
}

static void the_next_client_recovers_what_one_leaves(void)
{
    arr_session_create_options create;
    arr_reuse_options reuse;
    arr_session_properties properties, found;
    arr_session_list *list = NULL;
    arr_session *session = NULL;
    arr_operation *operation = NULL;
    size_t count = 77;
    int32_t reused = 77;

    arr_session_properties_init(&properties, sizeof properties);
    arr_session_properties_init(&found, sizeof found);
    arr_session_create_options_init(&create, sizeof create);
    arr_reuse_options_init(&reuse, sizeof reuse);
    create.max_lease_seconds = 1200;

    client = client_with_journal();
    CHECK_STATUS(arr_session_create(client, &create, &session, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    arr_session_free(session);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, &error), ARR_OK);
    arr_client_free(client);

    /* One that reuses it, and does not stop it either. */
    client = client_with_journal();
    CHECK_STATUS(arr_session_reuse_or_create_start(client, &create, &reuse, 1, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(ended(operation) == ARR_OPERATION_SUCCEEDED);
    CHECK_STATUS(arr_operation_get_session(operation, &session, &found, &reused, &error), ARR_OK);
    CHECK(reused == 1 && strcmp(found.session_id, properties.session_id) == 0);
    arr_operation_free(operation);
    arr_session_free(session);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, &error), ARR_OK);
    arr_client_free(client);

    /* And one that stops it. */
    client = client_with_journal();
    CHECK_STATUS(arr_client_recover_sessions(client, &list, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK_STATUS(arr_session_list_count(list, &count, &error), ARR_OK);
    CHECK(count == 1);
    CHECK_STATUS(arr_session_list_get(list, 0, &found, &error), ARR_OK);
    CHECK(found.claim == ARR_CLAIM_OURS && strcmp(found.session_id, properties.session_id) == 0);
    CHECK_STATUS(arr_session_list_get_session(list, 0, &session, &error), ARR_OK);
    arr_session_list_free(list);
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    arr_session_free(session);
    CHECK_STATUS(arr_client_recover_sessions_start(client, 1, &operation, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(ended(operation) == ARR_OPERATION_SUCCEEDED);
    CHECK_STATUS(arr_operation_get_list(operation, &list, &error), ARR_OK);
    CHECK_STATUS(arr_session_list_count(list, &count, &error), ARR_OK);
    CHECK(count == 0);
    arr_session_list_free(list);
    arr_operation_free(operation);
    arr_client_free(client);
}

int main(void)
{
    arr_error_info_init(&error, sizeof error);
    client = emulator_client();
    a_wake_ends_a_wait();
    an_unusable_journal_fails_the_client();
    a_session_is_used_without_blocking();
    a_failure_has_a_reason_and_a_cancel_takes_effect_at_once();
    a_watched_session_reports_events();
    shutdown_sends_the_promised_stops();
    the_next_client_recovers_what_one_leaves();
    return checks_result("started");
}
