//! The memory layout of the C ABI's structs. `abi/layout.txt` records it, and the other languages are checked against
//! it.

use super::care::{arr_keep_alive_options, arr_watch_options};
use super::client::arr_stop_all_result;
use super::client_options::arr_client_options;
use super::error_info::arr_error_info;
use super::event::arr_event;
use super::log::arr_log_entry;
use super::reuse::arr_reuse_options;
use super::session::arr_session_create_options;
use super::session_properties::arr_session_properties;
use super::snapshot::arr_snapshot;
use std::fmt::Write;
use std::fs;
use std::mem::offset_of;
use std::path::Path;

const HEAD: &str = "\
# How the structs of include/arr_session.h lie in memory, on every 64-bit target.
# Written by `cargo xtask header` from src. Rust, C, C++ and C# are compared with it by `cargo xtask test`.
#
# struct NAME SIZE ALIGNMENT
#   FIELD OFFSET SIZE
";

/// The size of a field, given a function that accesses it.
fn size_of_field<Struct, Field>(_: fn(&Struct) -> &Field) -> usize {
    size_of::<Field>()
}

/// Writes the lines of each struct. Its fields must be listed here in order.
macro_rules! describe {
    ($text:ident: $($name:ident { $($field:ident),+ $(,)? })+) => { $(
        // Destructures without `..`: a missing field does not compile.
        let _ = |whole: $name| { let $name { $($field: _),+ } = whole; };
        writeln!($text, "\nstruct {} {} {}", stringify!($name), size_of::<$name>(), align_of::<$name>()).unwrap();
        let mut end = 0;
        $(
            let (offset, size) = (offset_of!($name, $field), size_of_field(|whole: &$name| &whole.$field));
            assert_eq!(offset, end, "{}.{} follows the field before it", stringify!($name), stringify!($field));
            end = offset + size;
            writeln!($text, "  {} {offset} {size}", stringify!($field).trim_start_matches("r#")).unwrap();
        )+
        assert_eq!(end, size_of::<$name>(), "{} has no padding at its end", stringify!($name));
    )+ };
}

fn described() -> String {
    let mut text = HEAD.to_owned();
    describe! { text:
        arr_error_info {
            struct_size, status, category, http_status, retry_after_ms, retryable, outcome_unknown,
            message_length, service_code, correlation_vector, message,
        }
        arr_log_entry {
            struct_size, level, unix_time_ms, lost, message_length, reserved, correlation_vector,
            message,
        }
        arr_client_options {
            struct_size, api_version, account_id, account_domain, service_endpoint, account_key,
            entra_token, access_token, ca_file, ca_pem, proxy, user_agent_suffix, journal_folder,
            trusted_endpoints, trust, log_level, call_timeout_ms, attempt_timeout_ms, connect_timeout_ms, poll_interval_ms,
            ready_poll_interval_ms, max_retries, retry_delay_ms, token_on_request,
        }
        arr_stop_all_result { struct_size, stopped, already_gone, failed }
        arr_session_properties {
            struct_size, status, size, arr_inspector_port, handshake_port, max_lease_seconds,
            elapsed_seconds, remaining_seconds, message_length, age_ms, known_to_client, claim,
            creation_time_unix_ms, teraflops, session_id, hostname, error_code, message, reserved_tail,
        }
        arr_session_create_options {
            struct_size, size, max_lease_seconds, reserved, session_id, models, model_count, extra_json,
        }
        arr_event {
            struct_size, r#type, user_data, operation, session, status, index, count, session_status,
            max_lease_seconds, remaining_seconds, operation_kind, reserved, lost, session_id, reserved_tail,
        }
        arr_snapshot {
            struct_size, status, size, arr_inspector_port, handshake_port, max_lease_seconds,
            elapsed_seconds, remaining_seconds, age_ms, starting_for_ms, revision,
        }
        arr_watch_options {
            struct_size, warn_before_seconds, stop_on_shutdown, on_suspend, suspend_lease_seconds,
            reserved,
        }
        arr_keep_alive_options {
            struct_size, threshold_seconds, amount_seconds, cap_seconds, liveness_ms, reserved,
        }
        arr_reuse_options { struct_size, min_remaining_seconds, session_id }
    }
    text
}

#[test]
fn the_committed_layout_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("abi/layout.txt");
    let described = described();
    // `cargo xtask header` checks the text before it replaces the file.
    if let Some(elsewhere) = std::env::var_os("ARR_LAYOUT_TO") {
        return fs::write(elsewhere, described).unwrap();
    }
    // A checkout on Windows may have changed the line ends.
    let committed = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let mut lines = described.lines().zip(committed.lines());
    let differing = lines.find(|(is, committed)| is != committed);
    assert!(
        committed == described,
        "abi/layout.txt is not the layout of the structs of src: run `cargo xtask header` and commit it{}",
        differing.map_or(String::new(), |(is, committed)| format!("\nfirst difference: `{is}`, not `{committed}`"))
    );
}
