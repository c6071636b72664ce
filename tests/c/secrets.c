/*
 * Once a client has ended, the process's memory has no eight bytes of the account key, a token or the proxy's password,
 * however its requests ended.
 */
#ifdef __linux__
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"
#include "hidden.h"
#include "relay.h"

#include <dirent.h>
#include <sys/wait.h>
#include <time.h>

/* A password may be as long as a token, so that encoding it takes more than one step. */
enum { SOON_MS = 20000, STALL_MS = 200, PASSWORD = 600 };

enum secret { ACCOUNT_KEY, ACCESS_TOKEN, ENTRA_TOKEN, PROXY_PASSWORD, SECRETS };
/* The last is for a proxy: the library asks for its status again. */
enum outcome { SUCCEEDS, IS_REFUSED, STALLS, IS_CUT, OUTCOMES, STALLS_ONCE_REFUSED = OUTCOMES, OUTCOMES_OF_PROXY };
enum ending { SHUT_DOWN_AND_FREED, FREED, FREED_BUT_FOR_A_SESSION, ENDINGS };

static const char *const secret_names[] = {"account key", "access token", "Entra token", "proxy password"};
static const char *const outcome_names[] = {"succeeds", "is refused", "stalls", "is cut", "stalls once refused"};
static const char *const ending_names[] = {"shut down and freed", "freed", "freed while a session handle is held"};

/* Secrets that the service accepts, and those that it refuses. */
static struct hidden good[SECRETS], bad[SECRETS];
static int ports[RELAY_WAYS];
static int tls;

static size_t threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;
    while (readdir(tasks) != NULL) {
        count++;
    }
    closedir(tasks);
    return count - 2; /* . and .. */
}

/* Waits until all of the library's threads have ended, which happens soon. */
static void wait_until_threads_are(size_t wanted)
{
    time_t end = time(NULL) + SOON_MS / 1000;
    while (threads() != wanted && time(NULL) < end) {
        usleep(1000);
    }
    CHECK(threads() == wanted);
}

/* Looks for a secret; for a token only from its second part on, because all tokens have the same first part. */
static void look_for_secret(const struct hidden *hidden)
{
    size_t at = 0;
    while (at < hidden->length && hidden_byte(hidden, at) != '.') {
        at++;
    }
    look_for(hidden, at < hidden->length ? at + 1 : 0);
}

/* A client with this secret, whose requests end this way. */
static arr_client *client_with(enum secret secret, enum outcome outcome)
{
    static const enum relaying ways[] = {RELAY_PASSES, RELAY_PASSES, RELAY_STALLS, RELAY_CUTS,
                                         RELAY_STALLS_ONCE_REFUSED};
    static char text[HIDDEN_MOST], proxy[HIDDEN_MOST + 64];
    const struct hidden *given = outcome == IS_REFUSED ? &bad[secret] : &good[secret];
    char endpoint[64];
    arr_client_options options;
    arr_client *client = NULL;

    emulator_options(&options);
    options.account_key = NULL;
    options.max_retries = ARR_RETRIES_NONE;
    snprintf(endpoint, sizeof endpoint, "%s://127.0.0.1:%d", tls ? "https" : "http", ports[ways[outcome]]);
    options.proxy = "none";
    if (secret == PROXY_PASSWORD) {
        reveal(given, text);
        snprintf(endpoint, sizeof endpoint, "https://arr.test");
        snprintf(proxy, sizeof proxy, "http://%s@127.0.0.1:%d", text,
                 ports[outcome == IS_REFUSED ? RELAY_REFUSES : ways[outcome]]);
        options.proxy = proxy;
        options.poll_interval_ms = 0;
        given = &good[ACCOUNT_KEY];
    }
    options.account_domain = options.service_endpoint = endpoint;
    reveal(given, text);
    *(secret == ACCESS_TOKEN  ? &options.access_token
      : secret == ENTRA_TOKEN ? &options.entra_token
                              : &options.account_key) = text;
    CHECK_STATUS(arr_client_new(&options, &client, NULL), ARR_OK);
    wipe(text, sizeof text);
    wipe(proxy, sizeof proxy);
    return client;
}

static int is_expected(arr_status status, enum secret secret, enum outcome outcome)
{
    switch (outcome) {
    case SUCCEEDS:
        return status == ARR_OK;
    case IS_REFUSED:
        return status == (secret == PROXY_PASSWORD ? ARR_ERROR_FORBIDDEN : ARR_ERROR_UNAUTHORIZED);
    case STALLS:
    case STALLS_ONCE_REFUSED:
        /* On a busy machine the connection, which has half of a create's time, may come too late. */
        return status == ARR_ERROR_TIMEOUT || status == ARR_ERROR_OUTCOME_UNKNOWN || status == ARR_ERROR_NETWORK;
    default:
        return status == ARR_ERROR_NETWORK || status == ARR_ERROR_OUTCOME_UNKNOWN;
    }
}

/* The session handle of the latest call(). */
static arr_session *held;

/* Makes calls of each kind: on this thread, on the library's, and a create, which has its own connection. */
static void call(arr_client *client, enum secret secret, enum outcome outcome)
{
    const uint32_t limit = outcome == STALLS || outcome == STALLS_ONCE_REFUSED ? STALL_MS : SOON_MS;
    arr_session_create_options create;
    arr_session_list *list = NULL;
    arr_operation *operation = NULL;
    arr_operation_state state = ARR_OPERATION_RUNNING;
    arr_error_info error;
    arr_status status[3];
    size_t i;

    arr_error_info_init(&error, sizeof error);
    status[0] = arr_client_list_sessions(client, &list, limit, &error);
    arr_session_list_free(list);
    CHECK_STATUS(arr_client_list_sessions_start(client, 0, &operation, limit, NULL), ARR_OK);
    CHECK_STATUS(arr_operation_wait(operation, &state, ARR_WAIT_FOREVER, NULL), ARR_OK);
    status[1] = arr_operation_get_error(operation, &error);
    arr_operation_free(operation);
    arr_session_create_options_init(&create, sizeof create);
    create.max_lease_seconds = 600;
    status[2] = arr_session_create(client, &create, &held, NULL, limit, &error);
    if (status[2] == ARR_OK) {
        CHECK_STATUS(arr_session_stop(held, NULL, limit, NULL), ARR_OK);
    }
    for (i = 0; i < 3; i++) {
        const int expected = is_expected(status[i], secret, outcome);
        CHECK(expected);
        if (!expected) {
            fprintf(stderr, "call %lu: %s\n", (unsigned long)i, arr_status_name(status[i]));
        }
    }
}

static void nothing_is_left(enum secret secret, enum outcome outcome, enum ending ending)
{
    static struct hidden token;
    static char text[HIDDEN_MOST];
    const size_t before = threads();
    arr_client *client;
    size_t left;

    look_for_nothing();
    look_for_secret(outcome == IS_REFUSED ? &bad[secret] : &good[secret]);
    if (secret == PROXY_PASSWORD) {
        static struct hidden encoded;
        encoded.length = 0;
        hide_base64_of(&encoded, outcome == IS_REFUSED ? &bad[secret] : &good[secret]);
        look_for(&encoded, 0);
        look_for_secret(&good[ACCOUNT_KEY]);
    }
    CHECK(found_in_memory(1) == 0);
    client = client_with(secret, outcome);
    /* The search finds a fragment that is there. */
    CHECK(found_in_memory(0) > 0);
    call(client, secret, outcome);
    if (outcome == SUCCEEDS) {
        token.length = 0;
        CHECK_STATUS(arr_client_get_token(client, text, sizeof text, NULL, NULL, SOON_MS, NULL), ARR_OK);
        hide(&token, text);
        look_for_secret(&token);
    }
    if (ending == SHUT_DOWN_AND_FREED) {
        CHECK_STATUS(arr_client_shutdown(client, SOON_MS, NULL), ARR_OK);
    }
    arr_client_free(client);
    if (ending != FREED_BUT_FOR_A_SESSION) {
        arr_session_free(held);
    }
    wait_until_threads_are(before);
    left = found_in_memory(1);
    CHECK(left == 0);
    if (left != 0) {
        fprintf(stderr, "%s that %s, client %s: %lu fragments\n", secret_names[secret], outcome_names[outcome],
                ending_names[ending], (unsigned long)left);
    }
    if (ending == FREED_BUT_FOR_A_SESSION) {
        arr_session_free(held);
    }
}

/* A replaced token is soon wiped while its client is in use. So is one that is set last, once the client has ended. */
static void a_replaced_token_is_gone(void)
{
    static char text[HIDDEN_MOST];
    const time_t end = time(NULL) + SOON_MS / 1000;
    arr_client *client;
    size_t left;

    look_for_nothing();
    look_for_secret(&good[ACCESS_TOKEN]);
    CHECK(found_in_memory(1) == 0);
    client = client_with(ACCESS_TOKEN, SUCCEEDS);
    CHECK(found_in_memory(0) > 0);
    call(client, ACCESS_TOKEN, SUCCEEDS);
    CHECK_STATUS(arr_client_set_token(client, "h.e30.s", NULL), ARR_OK);
    /* Its connections are closed on another thread. */
    while ((left = found_in_memory(0)) != 0 && time(NULL) < end) {
        usleep(1000);
    }
    CHECK(left == 0);
    if (left != 0) {
        found_in_memory(1);
    }
    reveal(&good[ACCESS_TOKEN], text);
    CHECK_STATUS(arr_client_set_token(client, text, NULL), ARR_OK);
    wipe(text, sizeof text);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, NULL), ARR_OK);
    arr_client_free(client);
    CHECK(found_in_memory(1) == 0);
}

/* A process whose only call this is: nothing that follows overwrites what it leaves on this thread's stack. The first call binds
 * functions late, which saves the vector registers there. */
static int only_call(const char *kind)
{
    static char text[HIDDEN_MOST];
    static struct hidden token;
    arr_client_options options;
    arr_session_create_options create;
    arr_reuse_options reuse;
    arr_client *client = NULL;
    arr_session *session = NULL;
    arr_session_list *list = NULL;
    arr_status status;

    hidden_begin();
    while (read(STDIN_FILENO, text + token.length, 1) == 1) {
        hide_byte(&token, (unsigned char)text[token.length]);
    }
    emulator_options(&options);
    options.account_key = NULL;
    options.access_token = text;
    CHECK_STATUS(arr_client_new(&options, &client, NULL), ARR_OK);
    wipe(text, sizeof text);
    arr_session_create_options_init(&create, sizeof create);
    create.max_lease_seconds = 60;
    arr_reuse_options_init(&reuse, sizeof reuse);
    switch (kind[0]) {
    case 'c':
        status = arr_session_create(client, &create, &session, NULL, SOON_MS, NULL);
        break;
    case 'r':
        status = arr_session_reuse_or_create(client, &create, &reuse, &session, NULL, NULL, SOON_MS, NULL);
        break;
    default:
        status = arr_client_list_sessions(client, &list, SOON_MS, NULL);
    }
    CHECK_STATUS(status, ARR_OK);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, NULL), ARR_OK);
    arr_client_free(client);
    wait_until_threads_are(1);
    look_for_secret(&token);
    CHECK(found_in_memory(1) == 0);
    return checks_result(kind);
}

static void a_single_call_leaves_nothing(void)
{
    static const char *const kinds[] = {"create", "create", "create", "create", "create", "create", "reuse", "list"};
    static char text[HIDDEN_MOST];
    size_t kind;
    int run;

    /* Without the wipe a create leaves something in one of four to twelve runs. */
    for (run = 0; run < 5; run++) {
        for (kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
            int ends[2], outcome = -1;
            pid_t child;
            CHECK(pipe(ends) == 0);
            child = fork();
            if (child == 0) {
                dup2(ends[0], STDIN_FILENO);
                close(ends[0]);
                close(ends[1]);
                execl("/proc/self/exe", "secrets", kinds[kind], (char *)NULL);
                _exit(127);
            }
            close(ends[0]);
            reveal(&good[ACCESS_TOKEN], text);
            CHECK(write(ends[1], text, good[ACCESS_TOKEN].length) == (ssize_t)good[ACCESS_TOKEN].length);
            wipe(text, sizeof text);
            close(ends[1]);
            CHECK(waitpid(child, &outcome, 0) == child && outcome == 0);
        }
    }
}

/* The same letters in another order: looks like the secret, but is not. */
static void turn(const struct hidden *from, struct hidden *to)
{
    size_t begin = from->length, i;
    while (begin > 0 && hidden_byte(from, begin - 1) != '.') {
        begin--;
    }
    for (i = 0; i < from->length; i++) {
        /* The last four contain padding. */
        hide_byte(to, hidden_byte(from, i >= begin && i < begin + 16 ? 2 * begin + 15 - i : i));
    }
}

static void learn_secrets(void)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static char text[HIDDEN_MOST], command[1024];
    unsigned char random[PASSWORD];
    arr_client *client;
    FILE *curl;
    ssize_t count;
    char *token, *end;
    int i, which;

    hide(&good[ACCOUNT_KEY], getenv("ARR_ACCOUNT_KEY"));
    client = client_with(ACCOUNT_KEY, SUCCEEDS);
    CHECK_STATUS(arr_client_get_token(client, text, sizeof text, NULL, NULL, SOON_MS, NULL), ARR_OK);
    hide(&good[ACCESS_TOKEN], text);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, NULL), ARR_OK);
    arr_client_free(client);

    snprintf(command, sizeof command, "curl -q -sS --noproxy '*' -X POST %s%s %s/emulator/entra-token",
             tls ? "--cacert " : "", tls ? from_environment("ARR_CA_FILE") : "", from_environment("ARR_SERVICE_ENDPOINT"));
    curl = popen(command, "r");
    count = read(fileno(curl), text, sizeof text - 1);
    CHECK(pclose(curl) == 0 && count > 0);
    text[count] = '\0';
    token = strstr(text, "ey");
    end = strrchr(text, '"');
    CHECK(token != NULL && end > token);
    *end = '\0';
    hide(&good[ENTRA_TOKEN], token);
    wipe(text, sizeof text);

    for (which = 0; which < 2; which++) {
        struct hidden *password = which == 0 ? &good[PROXY_PASSWORD] : &bad[PROXY_PASSWORD];
        /* The name and its colon are six letters, so base64 encodes the password's letters in whole groups. */
        snprintf(text, sizeof text, "guest:");
        hide(password, text);
        random_bytes(random, sizeof random);
        for (i = 0; i < PASSWORD; i++) {
            hide_byte(password, (unsigned char)letters[random[i] % 36]);
        }
    }
    for (which = ACCOUNT_KEY; which < PROXY_PASSWORD; which++) {
        turn(&good[which], &bad[which]);
    }
}

int main(int argc, char **argv)
{
    const char *endpoint = from_environment("ARR_SERVICE_ENDPOINT");
    int secret, outcome, ending;

    if (getenv("ARR_EMULATED") != NULL) {
        CHECK(getenv("ARR_SLOW") != NULL);
        return checks_result("secrets, skipped: an emulated program can neither search all memory nor start itself again");
    }
    if (argc > 1) {
        return only_call(argv[1]);
    }
    tls = strncmp(endpoint, "https:", 6) == 0;
    relay_start(atoi(strrchr(endpoint, ':') + 1), tls, ports);
    hidden_begin();
    learn_secrets();
    a_single_call_leaves_nothing();
    for (secret = ACCOUNT_KEY; secret < SECRETS; secret++) {
        /* HTTP is used only with this machine, and never through a proxy. */
        const int outcomes = secret != PROXY_PASSWORD ? OUTCOMES : tls ? OUTCOMES_OF_PROXY : 0;
        for (outcome = SUCCEEDS; outcome < outcomes; outcome++) {
            for (ending = 0; ending < ENDINGS; ending++) {
                nothing_is_left((enum secret)secret, (enum outcome)outcome, (enum ending)ending);
            }
        }
    }
    a_replaced_token_is_gone();
    return checks_result("secrets");
}
#else
int main(void) { return 0; }
#endif
