//! Text formats of the REST API.

pub(crate) mod correlation_vector;
pub(crate) mod date_time;
pub(crate) mod guid;
pub(crate) mod lenient_json;
pub(crate) mod timespan;
