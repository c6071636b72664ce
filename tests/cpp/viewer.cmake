# The viewer without a screen: it takes its tour, its picture is not empty, and it reports failures.
add_executable(viewer $<TARGET_OBJECTS:viewer-${runs_${compiler}}>)
target_link_libraries(viewer PRIVATE "${shared_library}" SDL2::SDL2 SDL2_ttf::SDL2_ttf)

# Checks its output, in this order, and then its exit code: CTest checks either of them, but not both.
function(add_viewer_test name service command environment)
  list(JOIN ARGN ".*" pattern)
  add_runs(NAME "viewer, ${name}" SERVICES ${service}
    COMMAND sh -c "${command}; echo exit code $?" "$<TARGET_FILE:viewer>" "${CMAKE_CURRENT_BINARY_DIR}/viewer.bmp"
    ENVIRONMENT SDL_VIDEODRIVER=dummy ARR_FRAME_PAUSE_MS=20 ${environment}
    PROPERTIES PASS_REGULAR_EXPRESSION "${pattern}")
endfunction()

# The service is slow, so that short states are drawn even on a busy machine. A picture of a session has more than a thousand
# colours.
add_viewer_test("the tour" slow-http-v1
  [[rm -f "$1"; "$0" --tour "$1" && test $(od -An -v -tx1 -w3 "$1" | sort -u | wc -l) -gt 1000]] ""
  "shows: no session" "shows: requested" "shows: starting, host -, lease 15:00" "says: The session is ready" "lease 30:00"
  "says: The lease was extended by a quarter of an hour" "shows: stopping" "shows: stopped" "at the end: stopped"
  "the library's part" "exit code 0")
# Quitting stops a ready session. The last state is not read, because it may be stopping.
add_viewer_test("a hasty end" https-2021-01-01 [["$0" --hasty-tour]] "" "shows: ready" "at the end: stop" "exit code 0")
# `wrong`, in base64.
add_viewer_test("a wrong key" https-2021-01-01 [["$0" --hasty-tour]] ARR_ACCOUNT_KEY=d3Jvbmc=
  "error: No session\\. " "HTTP 401" "exit code 1")
add_viewer_test("no account" http-v1 [["$0" --hasty-tour]] ARR_ACCOUNT_ID=unknown
  "error: No client\\. arr_client_new: " "exit code 1")
add_viewer_test("an unknown version" http-v1 [["$0" --hasty-tour]] ARR_API_VERSION=v3 "api_version" "exit code 1")
