/*
 * Keeps a secret in a form that a search of this process's memory does not find, and searches the memory. Linux only.
 */
#ifndef HIDDEN_H
#define HIDDEN_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HIDDEN_MOST = 4096, FRAGMENT = 8, FRAGMENT_SLOTS = 16384 };

/* Each byte is masked. */
struct hidden {
    size_t length;
    unsigned char bytes[HIDDEN_MOST];
};

/* Random and never 0, so the hidden form never contains a fragment of the secret. */
static unsigned char hidden_mask[FRAGMENT];

/* Random bytes from the system. */
static void random_bytes(unsigned char *bytes, size_t count)
{
    int file = open("/dev/urandom", O_RDONLY);
    if (read(file, bytes, count) != (ssize_t)count) {
        exit(EXIT_FAILURE);
    }
    close(file);
}

static void hidden_begin(void)
{
    size_t i;
    random_bytes(hidden_mask, sizeof hidden_mask);
    for (i = 0; i < FRAGMENT; i++) {
        hidden_mask[i] = (unsigned char)(hidden_mask[i] | 0x80u);
    }
}

static void wipe(char *text, size_t size)
{
    volatile char *place = text;
    while (size-- > 0) {
        *place++ = 0;
    }
}

static void hide_byte(struct hidden *hidden, unsigned char byte)
{
    hidden->bytes[hidden->length] = (unsigned char)(byte ^ hidden_mask[hidden->length % FRAGMENT]);
    hidden->length += hidden->length < HIDDEN_MOST - 1;
}

/* Hides the text and wipes the original. */
static void hide(struct hidden *hidden, char *text)
{
    /* Byte by byte: strlen would leave the text in vector registers, which a late-bound call saves on the stack. */
    volatile char *end = text;
    while (*end != '\0') {
        hide_byte(hidden, (unsigned char)*end++);
    }
    wipe(text, (size_t)(end - text));
}

static unsigned char hidden_byte(const struct hidden *hidden, size_t at)
{
    return (unsigned char)(hidden->bytes[at] ^ hidden_mask[at % FRAGMENT]);
}

/* Restores the text for a call. The caller wipes it. */
static void reveal(const struct hidden *hidden, char *text)
{
    size_t i;
    for (i = 0; i < hidden->length; i++) {
        text[i] = (char)hidden_byte(hidden, i);
    }
    text[i] = '\0';
}

/* The same in base64. */
static void hide_base64_of(struct hidden *hidden, const struct hidden *plain)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at, i;
    for (at = 0; at + 3 <= plain->length; at += 3) {
        unsigned long bits = 0;
        for (i = 0; i < 3; i++) {
            bits = bits << 8 | hidden_byte(plain, at + i);
        }
        for (i = 0; i < 4; i++) {
            hide_byte(hidden, (unsigned char)digits[bits >> (18 - 6 * i) & 63u]);
        }
    }
}

/* All fragments to search for, each masked like the start of a secret. 0 is an empty slot. */
static uint64_t fragments[FRAGMENT_SLOTS];

static uint64_t *fragment_slot(uint64_t masked)
{
    uint64_t at = masked * 0x9e3779b97f4a7c15u >> 50;
    while (fragments[at] != 0 && fragments[at] != masked) {
        at = (at + 1) % FRAGMENT_SLOTS;
    }
    return &fragments[at];
}

static void look_for_nothing(void)
{
    memset(fragments, 0, sizeof fragments);
}

/* Adds the fragments of the secret from this byte on. Unmasks no byte. */
static void look_for(const struct hidden *hidden, size_t from)
{
    size_t i;
    for (; from + FRAGMENT <= hidden->length; from++) {
        unsigned char masked[FRAGMENT];
        uint64_t fragment;
        for (i = 0; i < FRAGMENT; i++) {
            masked[i] = (unsigned char)(hidden->bytes[from + i] ^ (hidden_mask[(from + i) % FRAGMENT] ^ hidden_mask[i]));
        }
        memcpy(&fragment, masked, sizeof fragment);
        *fragment_slot(fragment) = fragment;
    }
}

/* A part of the searched memory, with the first bytes of the next part. */
static unsigned char hidden_part[(1u << 20) + FRAGMENT];

/* The number of places in [from, to) that have a fragment. Clears `read_all` if the memory cannot be read. */
static size_t found_between(int memory, uint64_t from, uint64_t to, int *read_all)
{
    const size_t most = sizeof hidden_part - FRAGMENT;
    uint64_t mask, here;
    size_t found = 0, i;

    memcpy(&mask, hidden_mask, sizeof mask);
    for (; from < to; from += most) {
        size_t wanted = to - from < sizeof hidden_part ? (size_t)(to - from) : sizeof hidden_part;
        ssize_t count = pread(memory, hidden_part, wanted, (off_t)from);
        *read_all = *read_all && count == (ssize_t)wanted;
        for (i = 0; count >= FRAGMENT && i <= (size_t)count - FRAGMENT && i < most; i++) {
            memcpy(&here, hidden_part + i, sizeof here);
            found += here != 0 && here != mask && *fragment_slot(here ^ mask) != 0;
        }
    }
    memset(hidden_part, 0, sizeof hidden_part);
    return found;
}

/* The number of places in this process's memory that have a fragment: heap, stacks, also those of ended threads, and data. Only
 * read-only mappings of files are skipped. With `print`, prints the places. */
static size_t found_in_memory(int print)
{
    const uint64_t own = (uint64_t)(uintptr_t)hidden_part, own_end = own + sizeof hidden_part;
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY), read_all = maps != NULL && memory >= 0;
    char line[4400];
    size_t all = 0;

    while (read_all && fgets(line, sizeof line, maps) != NULL) {
        unsigned long long from, to, inode;
        char mode[8];
        size_t found;
        int fields = sscanf(line, "%llx-%llx %7s %*s %*s %llu", &from, &to, mode, &inode);
        if (fields != 4 || mode[0] != 'r' || (inode != 0 && mode[1] != 'w') || strstr(line, "[v") != NULL) {
            continue;
        }
        if (from <= own && own < to) {
            found = found_between(memory, from, own, &read_all) + found_between(memory, own_end, to, &read_all);
        } else {
            found = found_between(memory, from, to, &read_all);
        }
        if (found != 0 && print) {
            fprintf(stderr, "%lu fragments in %s", (unsigned long)found, line);
        }
        all += found;
    }
    fclose(maps);
    close(memory);
    return read_all ? all : (size_t)-1;
}

#endif
