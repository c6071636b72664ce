/* NULL, freed, forged and foreign handles are errors, never undefined behaviour; freeing them is harmless. */
#include "check.h"

/* Every function that takes a session fails in the same way for an invalid handle. */
static void every_session_function_refuses(arr_session *bad)
{
    arr_error_info error;
    arr_session_properties properties;
    char text[8];
    size_t needed = 77;
    int32_t gone = 77;

    arr_error_info_init(&error, sizeof error);
    arr_session_properties_init(&properties, sizeof properties);
    CHECK_STATUS(arr_session_get_id(bad, text, sizeof text, &needed, &error), ARR_ERROR_INVALID_HANDLE);
    CHECK(strncmp(error.message, "arr_session_get_id: ", 20) == 0);
    CHECK(error.category == ARR_CATEGORY_USAGE && error.retryable == 0 && error.http_status == 0);
    CHECK_STATUS(arr_session_get_reply(bad, NULL, 0, NULL, &error), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_session_get_message(bad, text, sizeof text, &needed, &error), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_session_get_properties(bad, ARR_READ_FRESH, &properties, 1000, &error), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_session_update_lease(bad, 60, &properties, 1000, &error), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_session_wait_until_ready(bad, &properties, ARR_WAIT_FOREVER, &error), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_session_stop(bad, &gone, 1000, &error), ARR_ERROR_INVALID_HANDLE);
    CHECK(needed == 77 && gone == 77);
    {
        arr_operation *operation = (arr_operation *)&gone;
        arr_snapshot snapshot;
        arr_snapshot_init(&snapshot, sizeof snapshot);
        CHECK_STATUS(arr_session_snapshot(bad, &snapshot, &error), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_session_watch(bad, NULL, 0, &error), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_session_keep_alive(bad, NULL, &error), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_session_touch(bad, &error), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_session_get_properties_start(bad, 0, &operation, 1000, &error), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_session_update_lease_start(bad, 60, 0, &operation, 1000, &error), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_session_wait_until_ready_start(bad, 0, &operation, 1000, &error), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_session_stop_start(bad, 0, &operation, 1000, &error), ARR_ERROR_INVALID_HANDLE);
    }
    arr_session_free(bad);
}

static void every_client_function_refuses(arr_client *bad)
{
    arr_session_create_options options;
    arr_session *session = (arr_session *)&options;
    arr_session_list *list = (arr_session_list *)&options;
    arr_log_entry entry;
    char token[8] = "same";
    size_t needed = 77;

    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 60;
    CHECK_STATUS(arr_session_create(bad, &options, &session, NULL, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK(session == NULL);
    session = (arr_session *)&options;
    CHECK_STATUS(arr_session_open(bad, "x", &session, NULL, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK(session == NULL);
    CHECK_STATUS(arr_client_list_sessions(bad, &list, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK(list == NULL);
    CHECK_STATUS(arr_client_stop_all(bad, ARR_STOP_SCOPE_OWN, NULL, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_client_get_token(bad, token, sizeof token, &needed, NULL, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK(needed == 77 && strcmp(token, "same") == 0);
    {
        arr_operation *operation = (arr_operation *)&options;
        arr_event event;
        arr_event_init(&event, sizeof event);
        CHECK_STATUS(arr_session_create_start(bad, &options, 0, &operation, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK(operation == NULL);
        CHECK_STATUS(arr_session_open_start(bad, "x", 0, &operation, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_get_token_start(bad, 0, &operation, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_list_sessions_start(bad, 0, &operation, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_recover_sessions_start(bad, 0, &operation, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_stop_all_start(bad, ARR_STOP_SCOPE_OWN, 0, &operation, 1000, NULL),
                     ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_recover_sessions(bad, &list, 1000, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_next_event(bad, &event, ARR_WAIT_FOREVER, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_suspend(bad, 0, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_resume(bad, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_wake(bad, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_shutdown(bad, ARR_WAIT_FOREVER, NULL), ARR_ERROR_INVALID_HANDLE);
        CHECK_STATUS(arr_client_set_token(bad, "a.b.c", NULL), ARR_ERROR_INVALID_HANDLE);
    }
    arr_log_entry_init(&entry, sizeof entry);
    CHECK_STATUS(arr_client_next_log(bad, &entry, ARR_WAIT_FOREVER, NULL), ARR_ERROR_INVALID_HANDLE);
    arr_client_free(bad);
}

static void every_operation_function_refuses(arr_operation *bad)
{
    arr_session_properties properties;
    arr_operation_state state = 77;
    arr_session *session = (arr_session *)&state;
    arr_session_list *list = (arr_session_list *)&state;
    int32_t gone = 77;
    char token[8];

    arr_session_properties_init(&properties, sizeof properties);
    CHECK_STATUS(arr_operation_poll(bad, &state, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_wait(bad, &state, ARR_WAIT_FOREVER, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_cancel(bad, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_get_error(bad, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_get_kind(bad, &state, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_get_session(bad, &session, NULL, NULL, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_get_properties(bad, &properties, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_get_list(bad, &list, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_get_token(bad, token, sizeof token, NULL, NULL, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_get_stop(bad, &gone, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_operation_get_stop_all(bad, NULL, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK(state == 77 && gone == 77 && session == NULL && list == NULL);
    arr_operation_free(bad);
}

static void every_list_function_refuses(arr_session_list *bad)
{
    arr_session_properties properties;
    size_t count = 77;

    arr_session_properties_init(&properties, sizeof properties);
    CHECK_STATUS(arr_session_list_count(bad, &count, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK_STATUS(arr_session_list_get(bad, 0, &properties, NULL), ARR_ERROR_INVALID_HANDLE);
    CHECK(count == 77);
    arr_session_list_free(bad);
}

static void forged_handles_are_refused(void)
{
    static const uint64_t bits[] = {0u, 1u, 8u, 0xdeadbeefu, 0x0100000001000000u, 0x02000000ff000000u, 0x7fffffffffffffffu,
                                    UINT64_MAX};
    size_t i;
    for (i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        every_session_function_refuses((arr_session *)(uintptr_t)bits[i]);
        every_list_function_refuses((arr_session_list *)(uintptr_t)bits[i]);
        every_operation_function_refuses((arr_operation *)(uintptr_t)bits[i]);
    }
    every_client_function_refuses(NULL);
    every_client_function_refuses((arr_client *)(uintptr_t)0xdeadbeefu);
}

static void live_handles_differ_and_freed_ones_stay_invalid(void)
{
    arr_client *client = emulator_client();
    arr_client *other = emulator_client();
    arr_session_create_options options;
    arr_session *session = NULL;

    CHECK(client != NULL && client != other);
    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 60;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK(session != NULL);

    every_session_function_refuses((arr_session *)client);
    every_client_function_refuses((arr_client *)session);
    every_list_function_refuses((arr_session_list *)session);
    every_operation_function_refuses((arr_operation *)session);
    {
        arr_session_list *list = NULL;
        CHECK_STATUS(arr_client_list_sessions(client, &list, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
        every_session_function_refuses((arr_session *)list);
        arr_session_list_free(list);
        arr_session_list_free(list);
        every_list_function_refuses(list);
    }

    /* The free functions of other types freed nothing. */
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    arr_session_free(session);
    arr_session_free(session);
    every_session_function_refuses(session);

    /* A new session in the same slot is not found by the old handle. */
    {
        arr_session *again = NULL;
        CHECK_STATUS(arr_session_create(client, &options, &again, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
        CHECK(again != session);
        every_session_function_refuses(session);
        CHECK_STATUS(arr_session_stop(again, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
        arr_session_free(again);
    }
    arr_client_free(client);
    arr_client_free(client);
    every_client_function_refuses(client);
    arr_client_free(other);
}

static void a_session_outlives_its_clients_handle_safely(void)
{
    arr_client *client = emulator_client();
    arr_session_create_options options;
    arr_session_properties properties;
    arr_snapshot snapshot;
    arr_session *session = NULL;
    arr_error_info error;
    size_t needed = 0;
    char id[257];

    arr_error_info_init(&error, sizeof error);
    arr_session_properties_init(&properties, sizeof properties);
    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 60;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    arr_client_free(client);
    CHECK_STATUS(arr_session_get_id(session, id, sizeof id, NULL, NULL), ARR_OK);
    CHECK_STATUS(arr_session_wait_until_ready(session, NULL, ARR_WAIT_FOREVER, &error), ARR_ERROR_SHUT_DOWN);
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_SHUT_DOWN);
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_CACHED, &properties, 1000, &error), ARR_ERROR_SHUT_DOWN);
    /* Cached state can still be read. */
    arr_snapshot_init(&snapshot, sizeof snapshot);
    CHECK_STATUS(arr_session_snapshot(session, &snapshot, &error), ARR_OK);
    CHECK(snapshot.max_lease_seconds == 60);
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_KNOWN, &properties, 0, &error), ARR_OK);
    CHECK(strcmp(properties.session_id, id) == 0);
    CHECK_STATUS(arr_session_get_message(session, NULL, 0, &needed, NULL), ARR_ERROR_BUFFER_TOO_SMALL);
    CHECK(needed == 1);
    CHECK_STATUS(arr_session_get_reply(session, NULL, 0, &needed, NULL), ARR_ERROR_BUFFER_TOO_SMALL);
    CHECK_STATUS(arr_session_touch(session, &error), ARR_OK);
    arr_session_free(session);

    /* Another client opens it by its id, and stops it. */
    client = emulator_client();
    CHECK_STATUS(arr_session_open(client, id, &session, &properties, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    CHECK(strcmp(properties.session_id, id) == 0);
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_OK);
    arr_session_free(session);
    arr_client_free(client);
}

int main(void)
{
    arr_client_free(NULL);
    arr_session_free(NULL);
    arr_session_list_free(NULL);
    arr_operation_free(NULL);
    forged_handles_are_refused();
    live_handles_differ_and_freed_ones_stay_invalid();
    a_session_outlives_its_clients_handle_safely();
    return checks_result("handles");
}
