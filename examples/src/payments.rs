//! The second service: charges cards. In life it would be a process of its own; nothing here would change.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use dd_traced::{dd_log, traced};
use serde::{Deserialize, Serialize};

use crate::web;

/// Its routes.
pub fn routes() -> Router {
    web::trace_requests(Router::new().route("/charge", post(post_charge)), "payments")
}

/// What is to be paid, and from where.
#[derive(Debug, Serialize, Deserialize)]
pub struct Charge {
    /// The order it is for.
    pub order_id: u64,
    /// The price.
    pub cents: u64,
    /// Number of the card that pays.
    pub card: String,
}

/// Why it was not paid.
#[derive(Debug, Serialize, Deserialize)]
pub struct Refused {
    reason: String,
}

async fn post_charge(Json(charge): Json<Charge>) -> Result<StatusCode, Refused> {
    charge_card(&charge).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An `Err` marks the span with the error's type and message; nothing has to be done for it.
#[traced(name = "payment.charge", measured, tags(charge.order_id, charge.cents))]
async fn charge_card(charge: &Charge) -> Result<(), Refused> {
    ask_bank(&charge.card).await?;
    dd_log!(info, "{} cents charged", charge.cents);
    Ok(())
}

#[traced]
async fn ask_bank(card: &str) -> Result<(), Refused> {
    tokio::time::sleep(Duration::from_millis(8)).await;
    if card.starts_with('4') { Ok(()) } else { Err(Refused { reason: "the card has expired".to_owned() }) }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for Refused {}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::PAYMENT_REQUIRED, Json(self)).into_response()
    }
}
