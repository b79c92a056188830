//! A small HTTP server on this machine that misbehaves as it is told to, and counts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A call as the server sees it.
pub struct Call {
    /// Headers by lower-case name.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: Value,
    /// Which try of this prompt it is, from 0.
    pub tries: u64,
}

impl Call {
    /// What the last message says.
    pub fn prompt(&self) -> String {
        self.body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned()
    }
}

/// What the server does with a call.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer with usage, after a while.
    Says(String, Duration),
    /// A status, further headers, a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Closes the connection at once.
    Hangs,
    /// Promises more than it sends, then closes.
    Truncated(String),
    /// Sends this much of an answer, then nothing, and keeps the connection.
    Stalls(String),
    /// Sends a body without end.
    Endless,
}

impl Reply {
    pub fn says(text: &str) -> Self {
        Self::Says(text.to_owned(), Duration::ZERO)
    }

    pub fn body(body: impl ToString) -> Self {
        Self::Status(200, Vec::new(), body.to_string())
    }

    pub fn status(status: u16, message: &str) -> Self {
        Self::Status(status, Vec::new(), json!({ "error": { "message": message } }).to_string())
    }
}

/// What the server counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// Calls that came.
    pub asked: AtomicU64,
    /// Whole answers it sent, and the tokens it charges for them.
    pub said: AtomicU64,
    pub read: AtomicU64,
    pub written: AtomicU64,
    /// Calls by prompt.
    pub prompts: Mutex<HashMap<String, u64>>,
    /// The last `Authorization` it saw.
    pub authorization: Mutex<Option<String>>,
}

impl Counts {
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn said(&self) -> u64 {
        self.said.load(Ordering::SeqCst)
    }

    /// Tokens read and written.
    pub fn tokens(&self) -> (u64, u64) {
        (self.read.load(Ordering::SeqCst), self.written.load(Ordering::SeqCst))
    }
}

/// Tokens that the server charges for a text: another count than the client's guess.
pub fn charge(text: &str) -> u64 {
    text.len() as u64 + 3
}

type Handler = dyn Fn(&Call) -> Reply + Send + Sync;

/// A running server; ends when dropped.
pub struct Server {
    /// Base URL.
    pub url: String,
    /// What it counted.
    pub counts: Arc<Counts>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    pub fn start(handler: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let counts = Arc::new(Counts::default());
        let (handler, counted): (Arc<Handler>, _) = (Arc::new(handler), counts.clone());
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, counts) = (handler.clone(), counted.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &*handler, &counts).await;
                });
            }
        });
        Self { url, counts, runtime: Some(runtime) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Waits, so that nobody listens any more.
        self.runtime.take().unwrap().shutdown_timeout(Duration::from_secs(5));
    }
}

async fn serve(stream: TcpStream, handler: &Handler, counts: &Counts) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(call) = read(&mut stream, counts).await? {
        let reply = handler(&call);
        if !answer(stream.get_mut(), reply, &call, counts).await? {
            break;
        }
    }
    Ok(())
}

async fn read(stream: &mut BufReader<TcpStream>, counts: &Counts) -> std::io::Result<Option<Call>> {
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => drop(headers.insert(name.to_lowercase(), value.to_owned())),
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).await?;
    let mut call = Call { headers, body: serde_json::from_slice(&body).unwrap(), tries: 0 };
    counts.asked.fetch_add(1, Ordering::SeqCst);
    *counts.authorization.lock().unwrap() = call.headers.get("authorization").cloned();
    let mut prompts = counts.prompts.lock().unwrap();
    let tries = prompts.entry(call.prompt()).or_default();
    call.tries = *tries;
    *tries += 1;
    Ok(Some(call))
}

/// Whether the connection stays open.
async fn answer(stream: &mut TcpStream, reply: Reply, call: &Call, counts: &Counts) -> std::io::Result<bool> {
    match reply {
        Reply::Says(text, wait) => {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let (read, written) = (charge(&call.prompt()), charge(&text));
            let body = completion(&text, read, written);
            // Counted first: whoever has the answer finds it counted.
            counts.said.fetch_add(1, Ordering::SeqCst);
            counts.read.fetch_add(read, Ordering::SeqCst);
            counts.written.fetch_add(written, Ordering::SeqCst);
            stream.write_all(&http(200, &[], &body)).await?;
        }
        Reply::Status(status, headers, body) => stream.write_all(&http(status, &headers, &body)).await?,
        Reply::Hangs => return Ok(false),
        Reply::Truncated(part) => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n";
            stream.write_all(format!("{head}{part}").as_bytes()).await?;
            return Ok(false);
        }
        Reply::Stalls(part) => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n";
            let head = if part.is_empty() { String::new() } else { format!("{head}{part}") };
            stream.write_all(head.as_bytes()).await?;
            stream.flush().await?;
            // Until the client gives up.
            let mut one = [0];
            let _ = stream.read(&mut one).await;
            return Ok(false);
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            let part = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
            loop {
                stream.write_all(part.as_bytes()).await?;
            }
        }
    }
    stream.flush().await?;
    Ok(true)
}

fn completion(text: &str, read: u64, written: u64) -> String {
    let choice = json!({ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" });
    let usage = json!({ "prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written });
    json!({ "id": "x", "object": "chat.completion", "choices": [choice], "usage": usage }).to_string()
}

fn http(status: u16, headers: &[(&str, String)], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}
