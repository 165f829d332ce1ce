//! Many clients at once, each answer told apart: what it takes to make the worker threads of a gateway race.
//!
//! Over kept-alive connections, each of which asks again as soon as it is answered; the kernel deals the connections out to the
//! workers. One thread does all of it, so that a machine with few cores has some left for the gateway.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One answer.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// Who asked, as told in X-Forwarded-For.
    pub client: Ipv4Addr,
    /// The status code.
    pub status: u16,
    /// When the request was sent, from the beginning of the flood.
    pub sent: Duration,
    /// How long it then took until all of the answer was there.
    pub took: Duration,
}

/// Sends `GET path` once for each of the clients, over so many connections, and waits for every answer. Answers of one connection
/// stand in their order, connections one after the other.
///
/// # Errors
/// If a connection fails, or an answer takes more than 30 seconds.
pub fn flood(
    to: SocketAddr,
    path: &str,
    connections: usize,
    clients: impl Iterator<Item = Ipv4Addr> + Send + 'static,
) -> anyhow::Result<Vec<Answered>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let clients = Arc::new(Mutex::new(clients));
    let path: Arc<str> = path.into();
    runtime.block_on(async {
        let mut all = JoinSet::new();
        let mut open = Vec::new();
        // Connected first: none has a head start.
        for _ in 0..connections {
            let stream = TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            // Ends with its sender.
            tokio::spawn(connection);
            open.push(sender);
        }
        let begun = Instant::now();
        for mut sender in open {
            let (clients, path) = (Arc::clone(&clients), Arc::clone(&path));
            all.spawn(async move {
                let mut answers = Vec::new();
                loop {
                    let next = clients
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .next();
                    let Some(client) = next else {
                        return anyhow::Ok(answers);
                    };
                    let sent = begun.elapsed();
                    let status =
                        tokio::time::timeout(PATIENCE, exchange(&mut sender, &path, client))
                            .await
                            .with_context(|| format!("no answer within {} s", PATIENCE.as_secs()))?
                            .with_context(|| format!("no answer from {to}"))?;
                    answers.push(Answered {
                        client,
                        status,
                        sent,
                        took: begun.elapsed().saturating_sub(sent),
                    });
                }
            });
        }
        let mut answers = Vec::new();
        while let Some(one) = all.join_next().await {
            answers.append(&mut one??);
        }
        Ok(answers)
    })
}

async fn exchange(
    sender: &mut SendRequest<Empty<Bytes>>,
    path: &str,
    client: Ipv4Addr,
) -> anyhow::Result<u16> {
    let request = http::Request::get(path)
        .header("host", "api.example.com")
        .header("x-forwarded-for", client.to_string())
        .body(Empty::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok(status)
}
