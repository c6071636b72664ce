/*
 * The same work by hand: libcurl and cJSON, one handle, one connection, every reply parsed.
 *
 *   curl calls N | curl lists N | curl lifecycle
 */
#include <cjson/cJSON.h>
#include <curl/curl.h>

#include "cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef struct {
    char *data;
    size_t length, capacity;
} reply_body;

static CURL *curl;
static struct curl_slist *headers;
static reply_body body;
static char base[512];

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

static size_t collect(char *data, size_t size, size_t count, void *unused)
{
    size_t length = size * count;
    (void)unused;
    if (body.length + length + 1 > body.capacity) {
        body.capacity = 2 * (body.length + length) + 1024;
        body.data = realloc(body.data, body.capacity);
    }
    memcpy(body.data + body.length, data, length);
    body.length += length;
    body.data[body.length] = '\0';
    return length;
}

/* Sends a request and returns the parsed reply; NULL if it has no body. */
static cJSON *request(const char *method, const char *url, const char *json)
{
    long status = 0;
    cJSON *parsed = NULL;
    body.length = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (json != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    }
    if (curl_easy_perform(curl) != CURLE_OK) {
        fail("curl_easy_perform failed");
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 != 2) {
        fail("the service refused a request");
    }
    if (body.length > 0) {
        parsed = cJSON_ParseWithLength(body.data, body.length);
        if (parsed == NULL) {
            fail("a reply is not JSON");
        }
    }
    return parsed;
}

static const char *text(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(member) ? member->valuestring : "";
}

static void fetch_token(void)
{
    char url[512], header[8192];
    cJSON *reply;
    snprintf(url, sizeof url, "%s/accounts/%s/token", getenv("ARR_ACCOUNT_DOMAIN"), getenv("ARR_ACCOUNT_ID"));
    snprintf(header, sizeof header, "Authorization: Bearer %s:%s", getenv("ARR_ACCOUNT_ID"), getenv("ARR_ACCOUNT_KEY"));
    headers = curl_slist_append(NULL, header);
    reply = request("GET", url, NULL);
    snprintf(header, sizeof header, "Authorization: Bearer %s", text(reply, "AccessToken"));
    cJSON_Delete(reply);
    curl_slist_free_all(headers);
    headers = curl_slist_append(NULL, header);
    headers = curl_slist_append(headers, "Content-Type: application/json");
}

/* Reads the members that arr_session_properties has; returns whether the session is ready. */
static int read_entry(const cJSON *entry)
{
    static const char *const TEXTS[] = {
        "sessionId", "sessionHostname", "sessionElapsedTime", "sessionMaxLeaseTime", "sessionSize", "message",
    };
    static char copies[6][300];
    size_t i;
    for (i = 0; i < 6; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", text(entry, TEXTS[i]));
    }
    return strcasecmp(text(entry, "sessionStatus"), "ready") == 0;
}

static int properties(const char *id)
{
    char url[1024];
    cJSON *reply;
    int ready;
    snprintf(url, sizeof url, "%s/%s/properties", base, id);
    reply = request("GET", url, NULL);
    ready = read_entry(reply);
    cJSON_Delete(reply);
    return ready;
}

static void list(void)
{
    cJSON *reply = request("GET", base, NULL);
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(reply, "sessions")) {
        read_entry(entry);
    }
    cJSON_Delete(reply);
}

static void lifecycle(void)
{
    char url[1024], id[64];
    cJSON *reply;
    snprintf(url, sizeof url, "%s/create", base);
    reply = request("POST", url, "{\"maxLeaseTime\":\"01:00:00\",\"size\":\"standard\"}");
    snprintf(id, sizeof id, "%s", text(reply, "sessionId"));
    cJSON_Delete(reply);
    while (!properties(id)) {
        usleep((useconds_t)atoi(getenv("ARR_POLL_INTERVAL_MS")) * 1000u);
    }
    properties(id);
    snprintf(url, sizeof url, "%s/%s", base, id);
    cJSON_Delete(request("PATCH", url, "{\"maxLeaseTime\":\"02:00:00\"}"));
    list();
    cJSON_Delete(request("DELETE", url, NULL));
}

static void one(int lists)
{
    if (lists) {
        list();
    } else {
        properties("00000000-0000-4000-8000-000000000000");
    }
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    int count = argc > 2 ? atoi(argv[2]) : 0, lists = strcmp(work, "lists") == 0, i;
    double before;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_CAINFO, getenv("ARR_CA_FILE"));
    snprintf(base, sizeof base, "%s/v1/accounts/%s/sessions", getenv("ARR_SERVICE_ENDPOINT"), getenv("ARR_ACCOUNT_ID"));
    fetch_token();
    if (strcmp(work, "lifecycle") == 0) {
        lifecycle();
        return EXIT_SUCCESS;
    }
    one(lists);
    before = cpu_us(RUSAGE_SELF);
    for (i = 0; i < count; i++) {
        one(lists);
    }
    print("cpu_us", (cpu_us(RUSAGE_SELF) - before) / count);
    return EXIT_SUCCESS;
}
