//! The C ABI, and nothing else: one file per C type. `include/arr_session.h` is generated from this folder. The
//! implementation is the crate `arr-client`.
//!
//! The comments on exported items become the header's, so they address a C programmer. Rules shared by all functions
//! are stated once, at the top of the header (`cbindgen.toml`).

#![allow(unsafe_code, reason = "this is the boundary to C; each block says why it is sound")]
#![allow(non_camel_case_types, reason = "C's names")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the rules for pointers are the same for all functions and stand at the top of the header"
)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("arr-session supports 64-bit targets only: its handles carry slot, generation and type in 64 bits");

mod cancellation;
mod guard;
mod handle;
#[cfg(test)]
mod layout;
mod new_session;
mod structs;
mod text;
mod wiping;

pub mod care;
pub mod client;
pub mod client_end;
pub mod client_options;
pub mod client_start;
pub mod error_info;
pub mod event;
pub mod log;
pub mod operation;
pub mod operation_kind;
pub mod reuse;
pub mod session;
pub mod session_list;
pub mod session_properties;
pub mod session_start;
pub mod snapshot;
pub mod status;
pub mod version;
