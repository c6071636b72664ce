-- LuaJIT loads all declarations of the header, then runs a life cycle and a frame loop.
-- Arguments: the folder with declarations.h, constants.h, functions.txt and constants.txt; the library.
local ffi = require("ffi")
local folder, library = arg[1], arg[2]

ffi.cdef(assert(io.open(folder .. "/declarations.h")):read("*a"))
local arr = ffi.load(library)
for name in io.lines(folder .. "/functions.txt") do
    assert(arr[name] ~= nil, name)
end
local C = {}
for line in io.lines(folder .. "/constants.h") do
    local name, value = line:match("^#define (ARR_[A-Z0-9_]+) %(?(-?%d+)u?%)?$")
    if name then C[name] = tonumber(value) end
end
for line in io.lines(folder .. "/constants.txt") do
    local name, value = line:match("^(%S+) (%S+)$")
    assert(C[name] == tonumber(value), name)
end

local function made(kind)
    local struct = ffi.new(kind)
    assert(arr[kind .. "_init"](struct, ffi.sizeof(struct)) == C.ARR_OK)
    return struct
end
local info = made("arr_error_info")
local function check(status)
    assert(status == C.ARR_OK, ffi.string(info.message))
end
-- The handle that a call returns through its output pointer.
local function handle(kind, call)
    local place = ffi.new(kind .. "*[1]")
    check(call(place))
    return place[0]
end

local env = os.getenv
local texts = { env("ARR_ACCOUNT_ID"), env("ARR_ACCOUNT_KEY"), env("ARR_ACCOUNT_DOMAIN"), env("ARR_SERVICE_ENDPOINT") }
local options = made("arr_client_options")
options.account_id, options.account_key, options.account_domain, options.service_endpoint = unpack(texts)
options.poll_interval_ms = tonumber(env("ARR_POLL_INTERVAL_MS"))
local client = handle("arr_client", function(place) return arr.arr_client_new(options, place, info) end)
local new = made("arr_session_create_options")
new.max_lease_seconds = 600
local properties, default = made("arr_session_properties"), C.ARR_TIMEOUT_DEFAULT

-- The life cycle.
local session = handle("arr_session", function(place)
    return arr.arr_session_create(client, new, place, nil, default, info)
end)
check(arr.arr_session_wait_until_ready(session, properties, 20000, info))
check(arr.arr_session_get_properties(session, C.ARR_READ_FRESH, properties, default, info))
assert(properties.status == C.ARR_SESSION_STATUS_READY and properties.max_lease_seconds == 600)
assert(#ffi.string(properties.session_id) > 0 and #ffi.string(properties.hostname) > 0)
local gone = ffi.new("int32_t[1]", 7)
check(arr.arr_session_stop(session, gone, default, info))
assert(gone[0] == 0)
arr.arr_session_free(session)
assert(arr.arr_session_stop(session, gone, default, info) == C.ARR_ERROR_INVALID_HANDLE)

-- The frame loop: create, wait and stop, each started when the previous one has ended.
session = nil
local creating, waiting, stopping = 1, 2, 3
local function start(call)
    return handle("arr_operation", call)
end
local operation = start(function(place)
    return arr.arr_session_create_start(client, new, creating, place, default, info)
end)
local event, snapshot, frames, over, was_ready = made("arr_event"), made("arr_snapshot"), 0, false, false
while not over do
    frames = frames + 1
    assert(frames < 20000, "it takes too long")
    -- A millisecond instead of drawing.
    local status = arr.arr_client_next_event(client, event, 1, info)
    if status == C.ARR_OK and event.type == C.ARR_EVENT_OPERATION_ENDED then
        assert(event.operation == operation)
        local ended = tonumber(event.user_data)
        check(arr.arr_operation_get_error(operation, info))
        if ended == creating then
            session = handle("arr_session", function(place)
                return arr.arr_operation_get_session(operation, place, nil, nil, info)
            end)
        end
        arr.arr_operation_free(operation)
        operation = nil
        if ended == creating then
            operation = start(function(place)
                return arr.arr_session_wait_until_ready_start(session, waiting, place, 20000, info)
            end)
        elseif ended == waiting then
            operation = start(function(place)
                return arr.arr_session_stop_start(session, stopping, place, default, info)
            end)
        end
        over = ended == stopping
    else
        assert(status == C.ARR_OK or status == C.ARR_ERROR_TIMEOUT, ffi.string(info.message))
    end
    if session ~= nil then
        check(arr.arr_session_snapshot(session, snapshot, info))
        was_ready = was_ready or snapshot.status == C.ARR_SESSION_STATUS_READY
    end
end
assert(was_ready and snapshot.status ~= C.ARR_SESSION_STATUS_READY)
arr.arr_session_free(session)
check(arr.arr_client_shutdown(client, 10000, info))
arr.arr_client_free(client)
