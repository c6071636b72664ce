//! Status numbers never change. New ones are added at the end of their group.

mod common;

/// As released. Changing a line breaks existing programs.
const STATUSES: [(&str, i32); 29] = [
    ("ARR_OK", 0),
    ("ARR_ERROR_INVALID_ARGUMENT", -100),
    ("ARR_ERROR_INVALID_HANDLE", -101),
    ("ARR_ERROR_BUFFER_TOO_SMALL", -102),
    ("ARR_ERROR_UNSUPPORTED", -103),
    ("ARR_ERROR_FORKED", -104),
    ("ARR_ERROR_SHUT_DOWN", -200),
    ("ARR_ERROR_TIMEOUT", -201),
    ("ARR_ERROR_CANCELLED", -202),
    ("ARR_ERROR_PENDING", -203),
    ("ARR_ERROR_UNAUTHORIZED", -300),
    ("ARR_ERROR_FORBIDDEN", -301),
    ("ARR_ERROR_INVALID_TOKEN", -302),
    ("ARR_ERROR_NETWORK", -400),
    ("ARR_ERROR_NAME_RESOLUTION", -401),
    ("ARR_ERROR_TLS", -402),
    ("ARR_ERROR_BAD_REQUEST", -500),
    ("ARR_ERROR_NOT_FOUND", -501),
    ("ARR_ERROR_CONFLICT", -502),
    ("ARR_ERROR_THROTTLED", -503),
    ("ARR_ERROR_SERVICE_FAILURE", -504),
    ("ARR_ERROR_UNEXPECTED_REPLY", -505),
    ("ARR_ERROR_OUTCOME_UNKNOWN", -506),
    ("ARR_ERROR_SERVICE_FULL", -507),
    ("ARR_ERROR_SESSION_ENDED", -600),
    ("ARR_ERROR_SESSION_FAILED", -601),
    ("ARR_ERROR_STORAGE", -700),
    ("ARR_ERROR_OUT_OF_RESOURCES", -800),
    ("ARR_ERROR_INTERNAL", -900),
];

#[test]
fn the_header_has_exactly_these_statuses() {
    let header = std::fs::read_to_string(common::root().join("include/arr_session.h")).unwrap();
    let mut found: Vec<(&str, i32)> = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
        .filter(|(name, _)| *name == "ARR_OK" || name.starts_with("ARR_ERROR_"))
        .filter(|(name, _)| !name.ends_with("_SIZE_V1"))
        .map(|(name, number)| (name, number.trim_matches(['(', ')']).parse().unwrap()))
        .collect();
    found.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    assert_eq!(found, STATUSES);
}
