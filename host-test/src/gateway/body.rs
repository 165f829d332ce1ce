//! A body that another task writes, a few pieces ahead at most.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::stream::Part;
use crate::wire;

/// Pieces between writer and reader. What one event in a stream gives is at most [`PARTS_OF_AN_EVENT`].
const PIECES: usize = 8;
/// Body, trailers, and the end.
const PARTS_OF_AN_EVENT: usize = 3;

/// A body as hyper reads it. Cut off without an end it is an error, so that nobody takes half for the whole.
pub(super) struct Body {
    pieces: Option<mpsc::Receiver<Piece>>,
}

enum Piece {
    Frame(Frame<Bytes>),
    End,
}

/// The other end of a [`Body`].
pub(super) struct Writer(mpsc::Sender<Piece>);

impl Body {
    pub(super) fn empty() -> Self {
        Self { pieces: None }
    }

    pub(super) fn channel() -> (Writer, Self) {
        let (sender, receiver) = mpsc::channel(PIECES);
        (
            Writer(sender),
            Self {
                pieces: Some(receiver),
            },
        )
    }
}

impl Writer {
    /// Waits until an event's parts have room.
    pub(super) async fn room(&self) {
        // An error means that the reader is gone, which the next write finds out.
        let _ = self.0.reserve_many(PARTS_OF_AN_EVENT).await;
    }

    /// Waits until nobody reads any more.
    pub(super) async fn closed(&self) {
        self.0.closed().await;
    }

    /// Passes a part on, headers excepted; says whether the reader takes more.
    pub(super) fn write(&self, part: Part) -> bool {
        let (frame, end) = match part {
            Part::Headers { .. } => return true,
            Part::Body { bytes, end } => (Frame::data(Bytes::from(bytes)), end),
            Part::Trailers(trailers) => match wire::field_lines(&trailers) {
                Ok(trailers) => (Frame::trailers(trailers), true),
                Err(_) => return false,
            },
        };
        // The end goes along as a piece of its own: a writer that is just dropped has been cut off.
        self.0.try_send(Piece::Frame(frame)).is_ok()
            && (!end || self.0.try_send(Piece::End).is_ok())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(pieces) = &mut self.pieces else {
            return Poll::Ready(None);
        };
        let piece = match pieces.poll_recv(context) {
            Poll::Ready(piece) => piece,
            Poll::Pending => return Poll::Pending,
        };
        match piece {
            Some(Piece::Frame(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Piece::End) => {
                self.pieces = None;
                Poll::Ready(None)
            }
            None => {
                self.pieces = None;
                Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.pieces.is_none() {
            SizeHint::with_exact(0)
        } else {
            SizeHint::default()
        }
    }
}
