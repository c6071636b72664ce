//! The texts that the REST API is made of, as the service writes and reads them.

pub(crate) mod correlation_vector;
pub(crate) mod date_time;
pub(crate) mod guid;
pub(crate) mod lenient_json;
pub(crate) mod timespan;
