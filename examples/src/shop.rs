//! The shop: lists items, takes orders.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use dd_traced::{active_span, dd_log, traced};
use serde::{Deserialize, Serialize};

use crate::payments::{Charge, Refused};
use crate::shipping::Parcel;
use crate::web;

/// What the handlers share.
#[derive(Debug)]
pub struct Shop {
    client: reqwest::Client,
    payments_url: String,
    shipping: Sender<Parcel>,
    orders: AtomicU64,
}

impl Shop {
    /// A shop that charges at `payments_url`, by `client`, and hands its parcels to `shipping`.
    pub fn new(client: reqwest::Client, payments_url: String, shipping: Sender<Parcel>) -> Self {
        Self { client, payments_url, shipping, orders: AtomicU64::new(0) }
    }

    /// Its routes.
    pub fn routes(self) -> Router {
        let routes = Router::new()
            .route("/items", get(get_items))
            .route("/orders", post(post_order))
            .route("/health", get(get_health))
            .with_state(Arc::new(self));
        web::trace_requests(routes, "shop")
    }
}

/// Something to buy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    name: String,
    cents: u64,
}

/// What a visitor asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// Name of the item.
    pub item: String,
    /// How many of it.
    pub count: u64,
    /// Number of the card that pays.
    pub card: String,
}

/// What a visitor gets for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Receipt {
    order_id: u64,
    cents: u64,
}

async fn get_items() -> Json<Vec<Item>> {
    Json(list_items().await)
}

async fn post_order(
    State(shop): State<Arc<Shop>>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, Json<Receipt>), OrderError> {
    let receipt = place_order(&shop, &order).await.inspect_err(|error| dd_log!(warn, "no order: {error}"))?;
    Ok((StatusCode::CREATED, Json(receipt)))
}

/// Asked every second by somebody who does not read traces: not kept.
async fn get_health() -> &'static str {
    active_span().reject();
    "ok"
}

#[traced]
async fn list_items() -> Vec<Item> {
    let items = all_items().await;
    active_span().set_tag("items.count", items.len());
    items
}

/// Only the tags named here are recorded; the card's number is not among them.
#[traced(tags(order.item, order.count))]
async fn place_order(shop: &Shop, order: &Order) -> Result<Receipt, OrderError> {
    dd_log!(info, "{} × {} ordered", order.count, order.item);
    let items = all_items().await;
    let item = items.iter().find(|item| item.name == order.item).ok_or(OrderError::NoSuchItem)?;
    let cents = total(item, order.count)?;

    let order_id = shop.orders.fetch_add(1, Ordering::Relaxed) + 1;
    charge(shop, Charge { order_id, cents, card: order.card.clone() }).await?;
    ship(shop, order_id);
    dd_log!(info, "order {order_id} accepted");
    Ok(Receipt { order_id, cents })
}

#[traced(tags(item.name, item.cents, count))]
fn total(item: &Item, count: u64) -> Result<u64, OrderError> {
    item.cents.checked_mul(count).filter(|cents| *cents > 0).ok_or(OrderError::OddCount(count))
}

#[traced(name = "payment.order", tags(charge.cents, charge.order_id))]
async fn charge(shop: &Shop, charge: Charge) -> Result<(), OrderError> {
    let request = shop.client.post(format!("{}/charge", shop.payments_url)).json(&charge).build()?;
    let response = web::send(&shop.client, request).await?;
    match response.status() {
        StatusCode::PAYMENT_REQUIRED => Err(OrderError::Refused(response.json().await?)),
        _ => response.error_for_status().map(drop).map_err(OrderError::Payments),
    }
}

/// Leaves the parcel to the shipping thread, together with the place in the trace where its span belongs.
fn ship(shop: &Shop, order_id: u64) {
    let parcel = Parcel { order_id, context: active_span().context() };
    if shop.shipping.send(parcel).is_err() {
        dd_log!(error, "order {order_id} stays here: nobody ships");
    }
}

/// What a database would answer.
#[traced(
    name = "db.query",
    service = "shop-db",
    span_type = "sql",
    kind = "client",
    resource = "SELECT name, cents FROM items"
)]
async fn all_items() -> Vec<Item> {
    tokio::time::sleep(Duration::from_millis(3)).await;
    let items = [("tea", 450), ("cup", 1_200), ("kettle", 3_900)];
    items.map(|(name, cents)| Item { name: name.to_owned(), cents }).to_vec()
}

/// Why there is no order.
#[derive(Debug)]
enum OrderError {
    NoSuchItem,
    OddCount(u64),
    Refused(Refused),
    Payments(reqwest::Error),
}

impl From<reqwest::Error> for OrderError {
    fn from(error: reqwest::Error) -> Self {
        Self::Payments(error)
    }
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchItem => f.write_str("no such item"),
            Self::OddCount(count) => write!(f, "nobody can buy {count} of it"),
            Self::Refused(refused) => write!(f, "payment refused: {refused}"),
            Self::Payments(_) => f.write_str("payments can not be reached"),
        }
    }
}

impl Error for OrderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoSuchItem | Self::OddCount(_) => None,
            Self::Refused(refused) => Some(refused),
            Self::Payments(error) => Some(error),
        }
    }
}

impl IntoResponse for OrderError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoSuchItem => StatusCode::NOT_FOUND,
            Self::OddCount(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused(_) => StatusCode::PAYMENT_REQUIRED,
            Self::Payments(_) => StatusCode::BAD_GATEWAY,
        };
        (status, self.to_string()).into_response()
    }
}
