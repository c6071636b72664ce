/*
 * Structs of every size: older, newer and wrong. Each is at the end of a page, and the next page is inaccessible: reading or
 * writing one byte too many ends the program.
 */
#ifndef _WIN32
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, with the strictest C */
#endif

#include "check.h"

#ifdef _WIN32
#include <windows.h>

static unsigned char *guarded_pages(size_t size)
{
    DWORD old;
    unsigned char *pages = (unsigned char *)VirtualAlloc(NULL, 2 * size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (pages == NULL || !VirtualProtect(pages + size, size, PAGE_NOACCESS, &old)) {
        exit(EXIT_FAILURE);
    }
    return pages;
}
#else
#include <sys/mman.h>

static unsigned char *guarded_pages(size_t size)
{
    void *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect((unsigned char *)pages + size, size, PROT_NONE) != 0) {
        perror("guarded pages");
        exit(EXIT_FAILURE);
    }
    return (unsigned char *)pages;
}
#endif

#define PAGES (128u * 1024u)
#define LONGEST (64u * 1024u)

static unsigned char *pages;

/* Room for exactly `size` bytes, filled with a pattern. */
static void *room(size_t size)
{
    memset(pages, 0xa5, PAGES);
    return pages + PAGES - size;
}

static int is_zero(const void *bytes, size_t from, size_t to)
{
    const unsigned char *byte = (const unsigned char *)bytes;
    size_t i;
    for (i = from; i < to; i++) {
        if (byte[i] != 0) {
            return 0;
        }
    }
    return 1;
}

static uint32_t struct_size(const void *structure)
{
    uint32_t size;
    memcpy(&size, structure, sizeof size);
    return size;
}

/* The sizes of version 1 never change. */
static void sizes_match_the_header(void)
{
    CHECK(sizeof(arr_error_info) == ARR_ERROR_INFO_SIZE_V1);
    CHECK(sizeof(arr_client_options) == ARR_CLIENT_OPTIONS_SIZE_V1);
    CHECK(sizeof(arr_session_create_options) == ARR_SESSION_CREATE_OPTIONS_SIZE_V1);
    CHECK(sizeof(arr_session_properties) == ARR_SESSION_PROPERTIES_SIZE_V1);
    CHECK(sizeof(arr_stop_all_result) == ARR_STOP_ALL_RESULT_SIZE_V1);
    CHECK(sizeof(arr_log_entry) == ARR_LOG_ENTRY_SIZE_V1);
    CHECK(sizeof(arr_event) == ARR_EVENT_SIZE_V1);
    CHECK(sizeof(arr_snapshot) == ARR_SNAPSHOT_SIZE_V1 && sizeof(arr_snapshot) <= 64);
    CHECK(sizeof(arr_watch_options) == ARR_WATCH_OPTIONS_SIZE_V1);
    CHECK(sizeof(arr_keep_alive_options) == ARR_KEEP_ALIVE_OPTIONS_SIZE_V1);
    CHECK(sizeof(arr_reuse_options) == ARR_REUSE_OPTIONS_SIZE_V1);
    CHECK(offsetof(arr_error_info, message) == 8 * 4 + 64 + 128);
    CHECK(offsetof(arr_client_options, trust) == 8 + 12 * 8);
    CHECK(offsetof(arr_session_create_options, session_id) == 4 * 4);
    CHECK(offsetof(arr_session_properties, creation_time_unix_ms) == 12 * 4);
    CHECK(offsetof(arr_session_properties, session_id) == 12 * 4 + 2 * 8);
    CHECK(offsetof(arr_session_properties, hostname) == 12 * 4 + 2 * 8 + 257);
    CHECK(offsetof(arr_session_properties, message) == 12 * 4 + 2 * 8 + 257 + 256 + 64);
    CHECK(offsetof(arr_event, operation) == 2 * 8);
    CHECK(offsetof(arr_event, lost) == 10 * 4 + 3 * 8);
    CHECK(offsetof(arr_event, session_id) == 10 * 4 + 4 * 8);
    CHECK(offsetof(arr_snapshot, revision) == 10 * 4);
    CHECK(offsetof(arr_reuse_options, session_id) == 2 * 4);
    CHECK(offsetof(arr_log_entry, message) == 4 * 4 + 2 * 8 + 128);
}

/* A struct type of the header: its size in version 1, and its init function. */
typedef arr_status (*init_function)(void *structure, size_t size);

static arr_status init_error_info(void *p, size_t size) { return arr_error_info_init((arr_error_info *)p, size); }
static arr_status init_client_options(void *p, size_t size) { return arr_client_options_init((arr_client_options *)p, size); }
static arr_status init_create_options(void *p, size_t size)
{
    return arr_session_create_options_init((arr_session_create_options *)p, size);
}
static arr_status init_properties(void *p, size_t size)
{
    return arr_session_properties_init((arr_session_properties *)p, size);
}
static arr_status init_result(void *p, size_t size) { return arr_stop_all_result_init((arr_stop_all_result *)p, size); }
static arr_status init_entry(void *p, size_t size) { return arr_log_entry_init((arr_log_entry *)p, size); }
static arr_status init_event(void *p, size_t size) { return arr_event_init((arr_event *)p, size); }
static arr_status init_snapshot(void *p, size_t size) { return arr_snapshot_init((arr_snapshot *)p, size); }
static arr_status init_watch(void *p, size_t size) { return arr_watch_options_init((arr_watch_options *)p, size); }
static arr_status init_keep(void *p, size_t size) { return arr_keep_alive_options_init((arr_keep_alive_options *)p, size); }
static arr_status init_reuse(void *p, size_t size) { return arr_reuse_options_init((arr_reuse_options *)p, size); }

static const struct {
    init_function init;
    uint32_t size_v1;
} types[] = {
    {init_error_info, ARR_ERROR_INFO_SIZE_V1},
    {init_client_options, ARR_CLIENT_OPTIONS_SIZE_V1},
    {init_create_options, ARR_SESSION_CREATE_OPTIONS_SIZE_V1},
    {init_properties, ARR_SESSION_PROPERTIES_SIZE_V1},
    {init_result, ARR_STOP_ALL_RESULT_SIZE_V1},
    {init_entry, ARR_LOG_ENTRY_SIZE_V1},
    {init_event, ARR_EVENT_SIZE_V1},
    {init_snapshot, ARR_SNAPSHOT_SIZE_V1},
    {init_watch, ARR_WATCH_OPTIONS_SIZE_V1},
    {init_keep, ARR_KEEP_ALIVE_OPTIONS_SIZE_V1},
    {init_reuse, ARR_REUSE_OPTIONS_SIZE_V1},
};

static void init_writes_exactly_its_size(void)
{
    size_t i;
    for (i = 0; i < sizeof types / sizeof types[0]; i++) {
        uint32_t v1 = types[i].size_v1;
        const uint32_t good[] = {v1, v1 + 4, v1 + 4096, LONGEST};
        const uint32_t bad[] = {0, 4, v1 - 1, LONGEST + 1, UINT32_MAX};
        size_t k;
        for (k = 0; k < sizeof good / sizeof good[0]; k++) {
            unsigned char *structure = (unsigned char *)room(good[k]);
            CHECK_STATUS(types[i].init(structure, good[k]), ARR_OK);
            CHECK(struct_size(structure) == good[k]);
            CHECK(is_zero(structure, v1, good[k]));
            CHECK(structure[-1] == 0xa5);
        }
        for (k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            unsigned char *structure = (unsigned char *)room(bad[k] < PAGES ? bad[k] : PAGES);
            CHECK_STATUS(types[i].init(structure, bad[k]), ARR_ERROR_INVALID_ARGUMENT);
            CHECK(bad[k] == 0 || structure[0] == 0xa5);
        }
    }
}

static void error_info_of_any_size_is_filled_to_its_end(void)
{
    const uint32_t sizes[] = {ARR_ERROR_INFO_SIZE_V1, ARR_ERROR_INFO_SIZE_V1 + 8, LONGEST};
    size_t i;
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        arr_error_info *error = (arr_error_info *)room(sizes[i]);
        CHECK_STATUS(arr_error_info_init(error, sizes[i]), ARR_OK);
        memset((unsigned char *)error + ARR_ERROR_INFO_SIZE_V1, 0x5a, sizes[i] - ARR_ERROR_INFO_SIZE_V1);
        CHECK_STATUS(arr_session_stop(NULL, NULL, 0, error), ARR_ERROR_INVALID_HANDLE);
        CHECK(error->status == ARR_ERROR_INVALID_HANDLE && error->struct_size == sizes[i]);
        CHECK(error->message_length == strlen(error->message));
        CHECK(is_zero(error, ARR_ERROR_INFO_SIZE_V1, sizes[i]));
    }
}

static void uninitialized_error_info_is_refused_and_unchanged(void)
{
    const uint32_t sizes[] = {0, ARR_ERROR_INFO_SIZE_V1 - 1, LONGEST + 1, UINT32_MAX};
    size_t i;
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *structure = (unsigned char *)room(sizeof(arr_error_info));
        memcpy(structure, &sizes[i], sizeof sizes[i]);
        CHECK_STATUS(arr_session_stop(NULL, NULL, 0, (arr_error_info *)(void *)structure), ARR_ERROR_INVALID_ARGUMENT);
        CHECK(structure[4] == 0xa5 && structure[sizeof(arr_error_info) - 1] == 0xa5);
    }
}

static void newer_options_are_accepted_if_the_new_fields_are_zero(void)
{
    const uint32_t size = ARR_CLIENT_OPTIONS_SIZE_V1 + 24;
    arr_client_options known;
    arr_client_options *options = (arr_client_options *)room(size);
    arr_client *client = NULL;
    unsigned char *new_field = (unsigned char *)options + size - 1;

    emulator_options(&known);
    CHECK_STATUS(arr_client_options_init(options, size), ARR_OK);
    memcpy((unsigned char *)options + 4, (unsigned char *)&known + 4, sizeof known - 4);
    CHECK_STATUS(arr_client_new(options, &client, NULL), ARR_OK);
    arr_client_free(client);
    *new_field = 1;
    CHECK_STATUS(arr_client_new(options, &client, NULL), ARR_ERROR_UNSUPPORTED);
    CHECK(client == NULL);
}

static void version_1_structs_work_between_guard_pages(void)
{
    arr_client *client;
    arr_client_options *options = (arr_client_options *)room(ARR_CLIENT_OPTIONS_SIZE_V1);
    arr_session_create_options *create;
    arr_session_properties *properties;
    arr_session *session = NULL;

    emulator_options(options);
    options->struct_size = ARR_CLIENT_OPTIONS_SIZE_V1;
    CHECK_STATUS(arr_client_new(options, &client, NULL), ARR_OK);

    create = (arr_session_create_options *)room(ARR_SESSION_CREATE_OPTIONS_SIZE_V1);
    CHECK_STATUS(arr_session_create_options_init(create, ARR_SESSION_CREATE_OPTIONS_SIZE_V1), ARR_OK);
    create->max_lease_seconds = 600;
    CHECK_STATUS(arr_session_create(client, create, &session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);

    properties = (arr_session_properties *)room(ARR_SESSION_PROPERTIES_SIZE_V1);
    CHECK_STATUS(arr_session_properties_init(properties, ARR_SESSION_PROPERTIES_SIZE_V1), ARR_OK);
    CHECK_STATUS(arr_session_wait_until_ready(session, properties, 60000, NULL), ARR_OK);
    CHECK(properties->struct_size == ARR_SESSION_PROPERTIES_SIZE_V1);
    CHECK(properties->status == ARR_SESSION_STATUS_READY && properties->max_lease_seconds == 600);
    CHECK(strlen(properties->session_id) == 36 && strlen(properties->hostname) > 10);

    /* A wrong size is refused before anything is sent. */
    properties->struct_size = ARR_SESSION_PROPERTIES_SIZE_V1 - 1;
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_FRESH, properties, ARR_TIMEOUT_DEFAULT, NULL), ARR_ERROR_INVALID_ARGUMENT);
    create = (arr_session_create_options *)room(ARR_SESSION_CREATE_OPTIONS_SIZE_V1);
    memset(create, 0, sizeof *create);
    {
        arr_session *other = NULL;
        CHECK_STATUS(arr_session_create(client, create, &other, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_ERROR_INVALID_ARGUMENT);
    }
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    arr_session_free(session);
    arr_client_free(client);
}

int main(void)
{
    pages = guarded_pages(PAGES);
    sizes_match_the_header();
    init_writes_exactly_its_size();
    error_info_of_any_size_is_filled_to_its_end();
    uninitialized_error_info_is_refused_and_unchanged();
    newer_options_are_accepted_if_the_new_fields_are_zero();
    version_1_structs_work_between_guard_pages();
    return checks_result("struct_sizes");
}
