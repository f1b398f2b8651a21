//! The bare server: what HTTP and signatures cost with no agent behind them.
//!
//! It is this program once more, so that it shares the processors with the clients as the agent does.
//! The same server library, the same number of threads, the same settings.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitCode, Stdio};

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use protocol::signing::{RawHeaders, Secret, SignedHeaders, WINDOW_S, sign_response};

use crate::http;

/// The argument with which this program becomes the bare server.
pub(crate) const ROLE: &str = "bare-server";

pub(crate) struct Floor {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Floor {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(ROLE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        Self {
            address: line.trim().parse().unwrap(),
            child,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Answers a GET with as many bytes as its path says, and a POST that verifies with a signature.
#[expect(clippy::print_stdout, reason = "the parent reads the address there")]
pub(crate) fn serve() -> ExitCode {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let secret = web::Data::new(http::secret());
    let app = move || {
        App::new()
            .app_data(secret.clone())
            .default_service(web::to(answer))
    };
    let server = HttpServer::new(app)
        .workers(workers.min(4))
        .tcp_nodelay(true)
        .listen(listener)
        .unwrap();
    println!("{address}");
    actix_web::rt::System::new().block_on(server.run()).unwrap();
    ExitCode::SUCCESS
}

async fn answer(request: HttpRequest, body: web::Bytes, secret: web::Data<Secret>) -> HttpResponse {
    let length = request.path().trim_start_matches('/').parse().unwrap();
    let answer = vec![b'x'; length];
    if *request.method() == Method::GET {
        return HttpResponse::Ok()
            .content_type("application/json")
            .body(answer);
    }
    let headers = signed_headers(request.headers());
    let now = http::now();
    let verified = headers.verifies(&secret, request.method().as_str(), request.path(), &body)
        && headers.is_fresh(now, WINDOW_S);
    assert!(verified, "the benchmark signs wrongly");
    let signature = sign_response(&secret, 201, &answer, now, &headers.signature);
    HttpResponse::Created()
        .content_type("application/json")
        .insert_header(("X-Signature", signature.to_string()))
        .insert_header(("X-Timestamp", now.to_string()))
        .body(answer)
}

fn signed_headers(headers: &HeaderMap) -> SignedHeaders {
    let one = |name: &str| headers.get(name).map(|value| value.as_bytes());
    let (signature, timestamp) = (one("x-signature"), one("x-timestamp"));
    let (nonce, key_id) = (one("x-nonce"), one("x-key-id"));
    SignedHeaders::parse(RawHeaders {
        signature: signature.as_slice(),
        timestamp: timestamp.as_slice(),
        nonce: nonce.as_slice(),
        key_id: key_id.as_slice(),
    })
    .unwrap()
}
