/*
 * A relay between a client and the emulator, in a separate process, so that what passes through is not in the client's memory.
 * It is also an HTTP proxy, for clients that begin with CONNECT. Linux only.
 */
#ifndef RELAY_H
#define RELAY_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What happens to a connection after a request; for a proxy, after the request for a tunnel. */
enum relaying { RELAY_PASSES, RELAY_REFUSES, RELAY_STALLS, RELAY_CUTS, RELAY_STALLS_ONCE_REFUSED, RELAY_WAYS };

/* A request is longer than this. The rest of a client's TLS handshake is shorter. */
enum { RELAY_REQUEST = 150 };

static struct sockaddr_in relay_address(int port)
{
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    return address;
}

/* Discards input until the other side closes. */
static void relay_nothing(int from)
{
    char bytes[4096];
    while (read(from, bytes, sizeof bytes) > 0) {
    }
}

/* Forwards at most one read. 0 at the end. */
static size_t relay_some(int from, int to)
{
    char bytes[16384];
    ssize_t count = read(from, bytes, sizeof bytes);
    return count > 0 && write(to, bytes, (size_t)count) == count ? (size_t)count : 0;
}

static void relay_to_server(int client, int port, enum relaying way, int tls)
{
    struct sockaddr_in address = relay_address(port);
    int server = socket(AF_INET, SOCK_STREAM, 0), greeted = !tls;
    size_t asked = 0;
    struct pollfd ends[2];

    if (connect(server, (struct sockaddr *)&address, sizeof address) != 0) {
        return;
    }
    for (;;) {
        ends[0].fd = client;
        ends[1].fd = server;
        ends[0].events = ends[1].events = POLLIN;
        if (poll(ends, 2, -1) < 0) {
            return;
        }
        if (ends[0].revents != 0) {
            size_t count = relay_some(client, server);
            asked += greeted ? count : 0;
            if (count == 0 || (way == RELAY_CUTS && asked > RELAY_REQUEST)) {
                return;
            }
            if (way == RELAY_STALLS && asked > RELAY_REQUEST) {
                relay_nothing(client);
                return;
            }
        }
        if (ends[1].revents != 0) {
            greeted = 1;
            if (relay_some(server, client) == 0) {
                return;
            }
        }
    }
}

static void relay_connection(int client, int port, enum relaying way, int tls)
{
    static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    static const char refused[] =
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    static const char failed[] = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
    char head[4096];
    size_t length = 0;

    if (recv(client, head, 8, MSG_PEEK | MSG_WAITALL) == 8 && memcmp(head, "CONNECT ", 8) == 0) {
        while (length < sizeof head && (length < 4 || memcmp(head + length - 4, "\r\n\r\n", 4) != 0)) {
            if (read(client, head + length, 1) != 1) {
                return;
            }
            length++;
        }
        /* Only the request for the status has an Accept header. */
        if (way == RELAY_STALLS_ONCE_REFUSED && memmem(head, length, "accept:", 7) == NULL &&
            write(client, failed, sizeof failed - 1) > 0) {
            relay_nothing(client);
        }
        if (way == RELAY_STALLS || way == RELAY_STALLS_ONCE_REFUSED) {
            relay_nothing(client);
        }
        if (way == RELAY_REFUSES && write(client, refused, sizeof refused - 1) > 0) {
            relay_nothing(client);
        }
        if (way != RELAY_PASSES || write(client, established, sizeof established - 1) < 0) {
            return;
        }
    }
    relay_to_server(client, port, way, tls);
}

/* Starts the relay, which ends with its parent. Connections to ports[way] go to the emulator's port in that way. */
static void relay_start(int port, int tls, int ports[RELAY_WAYS])
{
    struct pollfd listeners[RELAY_WAYS];
    pid_t parent = getpid();
    int way;

    for (way = 0; way < RELAY_WAYS; way++) {
        struct sockaddr_in address = relay_address(0);
        socklen_t size = sizeof address;
        listeners[way].fd = socket(AF_INET, SOCK_STREAM, 0);
        listeners[way].events = POLLIN;
        if (bind(listeners[way].fd, (struct sockaddr *)&address, size) != 0 || listen(listeners[way].fd, 16) != 0 ||
            getsockname(listeners[way].fd, (struct sockaddr *)&address, &size) != 0) {
            perror("the relay");
            exit(EXIT_FAILURE);
        }
        ports[way] = ntohs(address.sin_port);
    }
    if (fork() != 0) {
        for (way = 0; way < RELAY_WAYS; way++) {
            close(listeners[way].fd);
        }
        return;
    }
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (getppid() == parent && poll(listeners, RELAY_WAYS, 1000) >= 0) {
        for (way = 0; way < RELAY_WAYS; way++) {
            int client = listeners[way].revents != 0 ? accept(listeners[way].fd, NULL, NULL) : -1;
            if (client >= 0 && fork() == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                relay_connection(client, port, (enum relaying)way, tls);
                _exit(0);
            }
            if (client >= 0) {
                close(client);
            }
        }
    }
    _exit(0);
}

#endif
