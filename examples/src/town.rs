//! Everything running, and somebody who comes by.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::shop::{Order, Shop};
use crate::{payments, shipping};

/// The shop, its payments and its shipping.
#[derive(Debug)]
pub struct Town {
    shop: Server,
    payments: Server,
    shipping: thread::JoinHandle<()>,
}

/// A request of the visitor, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Method and path.
    pub request: &'static str,
    /// How the shop answered.
    pub status: StatusCode,
}

impl Town {
    /// Opens all of it on free ports of this machine.
    ///
    /// # Errors
    ///
    /// No port or no thread is to be had.
    pub async fn open() -> Result<Self, Box<dyn Error>> {
        let (parcels, shipping) = shipping::start()?;
        let payments = Server::start(payments::routes()).await?;
        let shop = Shop::new(local_client()?, format!("http://{}", payments.address), parcels);
        Ok(Self { shop: Server::start(shop.routes()).await?, payments, shipping })
    }

    /// Where the shop listens.
    pub fn shop_address(&self) -> SocketAddr {
        self.shop.address
    }

    /// Looks at the items, orders with a good card and with an expired one, and asks for the shop's health.
    ///
    /// # Errors
    ///
    /// The shop can not be reached.
    pub async fn visit(&self) -> reqwest::Result<Vec<Visit>> {
        let client = local_client()?;
        let at = |path| format!("http://{}{path}", self.shop.address);
        let order = |item: &str, count, card: &str| {
            let order = Order { item: item.to_owned(), count, card: card.to_owned() };
            client.post(at("/orders")).json(&order)
        };
        let requests = [
            ("GET /items", client.get(at("/items"))),
            ("POST /orders", order("tea", 2, "4242")),
            ("POST /orders", order("kettle", 1, "5105")),
            ("GET /health", client.get(at("/health"))),
        ];
        let mut visits = Vec::new();
        for (request, sent) in requests {
            visits.push(Visit { request, status: sent.send().await?.status() });
        }
        Ok(visits)
    }

    /// Answers what was asked, ships what was ordered, and closes.
    ///
    /// # Errors
    ///
    /// A server failed, or the shipping thread panicked.
    pub async fn close(self) -> Result<(), Box<dyn Error>> {
        self.shop.stop().await?;
        self.payments.stop().await?;
        tokio::task::spawn_blocking(|| self.shipping.join()).await?.map_err(|_| "shipping broke down")?;
        Ok(())
    }
}

/// A client for addresses of this machine, which no proxy reaches.
fn local_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().build()
}

#[derive(Debug)]
struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    async fn start(routes: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let serve = axum::serve(listener, routes).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        Ok(Self { address, stop, task: tokio::spawn(async { serve.await }) })
    }

    async fn stop(self) -> Result<(), Box<dyn Error>> {
        drop(self.stop);
        Ok(self.task.await??)
    }
}
