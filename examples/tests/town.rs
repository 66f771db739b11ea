//! The town works the same where nobody started a tracer.

use axum::http::StatusCode;
use dd_traced_examples::logger;
use dd_traced_examples::town::{Town, Visit};

#[tokio::test]
async fn visitor_is_served_without_a_tracer() {
    logger::install();
    let town = Town::open().await.unwrap();
    let visits = town.visit().await.unwrap();
    town.close().await.unwrap();
    let expected = [
        ("GET /items", StatusCode::OK),
        ("POST /orders", StatusCode::CREATED),
        ("POST /orders", StatusCode::PAYMENT_REQUIRED),
        ("GET /health", StatusCode::OK),
    ];
    assert_eq!(visits, expected.map(|(request, status)| Visit { request, status }));
}
