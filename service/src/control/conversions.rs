//! The control calls for conversions (`docs/emulator.md`, "Control calls").

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::routes::JsonBody;
use crate::conversion::{ConversionStatus, ConversionStatusRefused, ConversionView};
use crate::http::conversion_param::ConversionParam;
use crate::http::reply;
use crate::state::ServiceState;

/// `POST /emulator/conversions/{conversion}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForceConversion {
    status: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// The conversions of all accounts.
#[derive(Serialize)]
struct ConversionsReply {
    conversions: Vec<ConversionSummary>,
}

/// One conversion.
#[derive(Serialize)]
struct ConversionSummary {
    id: String,
    account_id: String,
    status: &'static str,
    input: String,
    output_asset_uri: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

impl From<ConversionView> for ConversionSummary {
    fn from(conversion: ConversionView) -> ConversionSummary {
        let (code, message) = conversion.error.map(|error| (error.code, error.message)).unzip();
        ConversionSummary {
            id: conversion.id,
            account_id: conversion.account_id,
            status: conversion.status.as_str(),
            input: conversion.input,
            output_asset_uri: conversion.output_asset_uri,
            code,
            message,
        }
    }
}

pub(super) async fn list(State(state): State<Arc<ServiceState>>) -> Response {
    let (mut conversions, at) = state.conversions();
    let conversions = conversions.views(at.now).into_iter().map(Into::into).collect();
    reply::json(StatusCode::OK, &ConversionsReply { conversions })
}

pub(super) async fn force(
    State(state): State<Arc<ServiceState>>,
    ConversionParam(id): ConversionParam,
    JsonBody(body): JsonBody<ForceConversion>,
) -> Response {
    let Some(status) = ConversionStatus::parse(&body.status) else {
        let text = "status must be NotStarted, Running, Cancelled, Failed or Succeeded";
        return reply::error(StatusCode::BAD_REQUEST, text);
    };
    let (mut conversions, at) = state.conversions();
    match conversions.force(at.now, &id, status, body.code.as_deref(), body.message.as_deref()) {
        Ok(view) => reply::json(StatusCode::OK, &ConversionSummary::from(view)),
        Err(refused) => reply::error(status_of(&refused), &refused.to_string()),
    }
}

fn status_of(refused: &ConversionStatusRefused) -> StatusCode {
    match refused {
        ConversionStatusRefused::NoConversion(_) => StatusCode::NOT_FOUND,
        ConversionStatusRefused::Impossible { .. } => StatusCode::CONFLICT,
        ConversionStatusRefused::NoPlaceForError(_) => StatusCode::BAD_REQUEST,
    }
}
