"""Python's cffi loads all declarations of the header, then runs a life cycle and a frame loop.

Arguments: the folder with declarations.h, constants.h, functions.txt and constants.txt; the library.
"""

import os
import pathlib
import re
import sys

import cffi

folder, library = pathlib.Path(sys.argv[1]), sys.argv[2]
ffi = cffi.FFI()
ffi.cdef((folder / "declarations.h").read_text())
arr = ffi.dlopen(library)
for name in (folder / "functions.txt").read_text().split():
    getattr(arr, name)
defined = re.findall(r"^#define (ARR_[A-Z0-9_]+) \(?(-?\d+)u?\)?$", (folder / "constants.h").read_text(), re.M)
C = {name: int(value) for name, value in defined}
for line in (folder / "constants.txt").read_text().splitlines():
    name, value = line.split()
    assert C[name] == int(value), name


def made(kind):
    struct = ffi.new(kind + "*")
    assert getattr(arr, kind + "_init")(struct, ffi.sizeof(struct[0])) == C["ARR_OK"]
    return struct


info = made("arr_error_info")


def check(status):
    assert status == C["ARR_OK"], ffi.string(info.message)


def handle(kind, call):
    """The handle that a call returns through its output pointer."""
    place = ffi.new(kind + "**")
    check(call(place))
    return place[0]


options = made("arr_client_options")
texts = {
    field: ffi.new("char[]", os.environ["ARR_" + field.upper()].encode())
    for field in ("account_id", "account_key", "account_domain", "service_endpoint")
}
for field, text in texts.items():
    setattr(options, field, text)
options.poll_interval_ms = int(os.environ["ARR_POLL_INTERVAL_MS"])
client = handle("arr_client", lambda place: arr.arr_client_new(options, place, info))
new = made("arr_session_create_options")
new.max_lease_seconds = 600
properties, default = made("arr_session_properties"), C["ARR_TIMEOUT_DEFAULT"]

# The life cycle.
session = handle(
    "arr_session", lambda place: arr.arr_session_create(client, new, place, ffi.NULL, default, info)
)
check(arr.arr_session_wait_until_ready(session, properties, 20000, info))
check(arr.arr_session_get_properties(session, C["ARR_READ_FRESH"], properties, default, info))
assert (properties.status, properties.max_lease_seconds) == (C["ARR_SESSION_STATUS_READY"], 600)
assert ffi.string(properties.session_id) and ffi.string(properties.hostname)
gone = ffi.new("int32_t*", 7)
check(arr.arr_session_stop(session, gone, default, info))
assert gone[0] == 0
arr.arr_session_free(session)
assert arr.arr_session_stop(session, gone, default, info) == C["ARR_ERROR_INVALID_HANDLE"]

# The frame loop: create, wait and stop, each started when the previous one has ended.
CREATING, WAITING, STOPPING = 1, 2, 3
session = ffi.NULL
operation = handle(
    "arr_operation",
    lambda place: arr.arr_session_create_start(client, new, CREATING, place, default, info),
)
event, snapshot = made("arr_event"), made("arr_snapshot")
frames, over, was_ready = 0, False, False
while not over:
    frames += 1
    assert frames < 20000, "it takes too long"
    # A millisecond instead of drawing.
    status = arr.arr_client_next_event(client, event, 1, info)
    if status == C["ARR_OK"] and event.type == C["ARR_EVENT_OPERATION_ENDED"]:
        assert event.operation == operation
        check(arr.arr_operation_get_error(operation, info))
        if event.user_data == CREATING:
            session = handle(
                "arr_session",
                lambda place: arr.arr_operation_get_session(operation, place, ffi.NULL, ffi.NULL, info),
            )
        arr.arr_operation_free(operation)
        if event.user_data == CREATING:
            operation = handle(
                "arr_operation",
                lambda place: arr.arr_session_wait_until_ready_start(session, WAITING, place, 20000, info),
            )
        elif event.user_data == WAITING:
            operation = handle(
                "arr_operation",
                lambda place: arr.arr_session_stop_start(session, STOPPING, place, default, info),
            )
        over = event.user_data == STOPPING
    else:
        assert status in (C["ARR_OK"], C["ARR_ERROR_TIMEOUT"]), ffi.string(info.message)
    if session != ffi.NULL:
        check(arr.arr_session_snapshot(session, snapshot, info))
        was_ready |= snapshot.status == C["ARR_SESSION_STATUS_READY"]
assert was_ready and snapshot.status != C["ARR_SESSION_STATUS_READY"]
arr.arr_session_free(session)
check(arr.arr_client_shutdown(client, 10000, info))
arr.arr_client_free(client)
