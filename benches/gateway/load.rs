//! A fixed load on one address: so many requests a second over a few kept-alive connections, so many in all.
//!
//! Fixed and not as fast as possible, because what a request costs depends on how many share one turn of the event loop: at the same
//! rate two gateways are comparable, each at its own highest rate they are not.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};

/// How much is asked of a gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Kept-alive connections, each with one request at a time.
    pub(crate) connections: u32,
    /// Requests a second, over all connections.
    pub(crate) rate: u32,
    /// Requests in all.
    pub(crate) requests: u32,
}

/// What is asked, again and again.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) path: &'static str,
    /// A body of JSON, which makes it a POST; without one it is a GET.
    pub(crate) body: Option<Bytes>,
}

impl Message {
    pub(crate) fn get(path: &'static str) -> Self {
        Self { path, body: None }
    }
}

/// Sends the load and waits for every answer, all of which must have this status. Gives how long each took.
pub(crate) async fn send(
    load: Load,
    to: SocketAddr,
    message: &Message,
    status: u16,
) -> anyhow::Result<Vec<Duration>> {
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        connections.push(tokio::spawn(connection(load, to, message.clone(), status)));
    }
    let mut times = Vec::new();
    for connection in connections {
        times.append(&mut connection.await??);
    }
    Ok(times)
}

async fn connection(
    load: Load,
    to: SocketAddr,
    message: Message,
    status: u16,
) -> anyhow::Result<Vec<Duration>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let mut due = interval(Duration::from_secs(1) * load.connections / load.rate);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut times = Vec::new();
    for _ in 0..load.requests / load.connections {
        due.tick().await;
        let begun = Instant::now();
        let got = tokio::time::timeout(Duration::from_secs(10), exchange(&mut sender, &message))
            .await
            .context("no answer within 10 s")??;
        times.push(begun.elapsed());
        ensure!(got == status, "{to} answered {got} and not {status}");
    }
    driver.abort();
    Ok(times)
}

/// One request as a browser would send it for a script of another origin.
async fn exchange(sender: &mut SendRequest<Full<Bytes>>, message: &Message) -> anyhow::Result<u16> {
    let request = match message.body {
        Some(_) => http::Request::post(message.path).header("content-type", "application/json"),
        None => http::Request::get(message.path),
    };
    let request = request
        .header("host", "api.example.com")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36")
        .header("accept", "application/json, text/plain, */*")
        .header("accept-language", "en-GB,en;q=0.9")
        .header("accept-encoding", "gzip, deflate, br, zstd")
        .header("origin", "https://play.example.com")
        .header("referer", "https://play.example.com/")
        .header("authorization", "Bearer 2YotnFZFEjr1zCsicMWpAA-2YotnFZFEjr1zCsicMWpAA")
        .header("sec-fetch-site", "same-site")
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-dest", "empty")
        .body(Full::new(message.body.clone().unwrap_or_default()))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok(status)
}
