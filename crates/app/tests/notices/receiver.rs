//! A receiver of webhooks that fails now and then, as an ordinary HTTP server of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long it is waited for what has to come.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes it, except every third, which it answers with 503.
    NowAndThen,
    /// Takes the next one and never answers; whoever sent it is about to die.
    TakesAndIsSilent,
    /// Answers 503 to all.
    Down,
}

/// A notice that was taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) key: String,
    pub(crate) body: Value,
    /// Whether the sender was told.
    pub(crate) answered: bool,
}

struct Inner {
    manner: Mutex<Manner>,
    taken: Mutex<Vec<Taken>>,
    asked: Mutex<usize>,
}

/// A running receiver; its thread ends with the process.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let manner = Mutex::new(Manner::NowAndThen);
        let inner = Arc::new(Inner { manner, taken: Mutex::default(), asked: Mutex::default() });
        let receiver = Self { url, inner };
        let serving = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(stream));
            }
        });
        receiver
    }

    pub(crate) fn set(&self, manner: Manner) {
        *locked(&self.inner.manner) = manner;
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        locked(&self.inner.taken).clone()
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        *locked(&self.inner.asked)
    }

    /// Waits until it was asked more often than that.
    pub(crate) fn wait_for_more(&self, than: usize) {
        self.wait("another request", |_| self.asked() > than);
    }

    /// Waits until what was taken is as `enough` says.
    pub(crate) fn wait(&self, what: &str, enough: impl Fn(&[Taken]) -> bool) -> Vec<Taken> {
        let began = Instant::now();
        loop {
            let taken = self.taken();
            if enough(&taken) {
                return taken;
            }
            assert!(began.elapsed() < PATIENCE, "{what} did not come");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Answers the requests of one connection.
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        while let Some((key, body)) = request(&mut reader) {
            let asked = {
                let mut asked = locked(&self.inner.asked);
                *asked += 1;
                *asked
            };
            let manner = *locked(&self.inner.manner);
            let refuses = match manner {
                Manner::NowAndThen => asked.is_multiple_of(3),
                Manner::TakesAndIsSilent => false,
                Manner::Down => true,
            };
            if !refuses {
                let body = serde_json::from_slice(&body).unwrap();
                let answered = manner != Manner::TakesAndIsSilent;
                locked(&self.inner.taken).push(Taken { key, body, answered });
            }
            if manner == Manner::TakesAndIsSilent {
                // The connection stays open until the other side is gone.
                let _ = reader.read(&mut [0]);
                return;
            }
            let status = if refuses { "503 Service Unavailable\r\nRetry-After: 1" } else { "200 OK" };
            if write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").is_err() {
                return;
            }
        }
    }
}

/// The key and the body of the next request.
fn request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let (mut key, mut length) = (String::new(), 0);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        if let Some((name, value)) = text.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "webhook-id" => key = value.trim().to_owned(),
                "content-length" => length = value.trim().parse().ok()?,
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((key, body))
}
