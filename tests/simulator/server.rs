//! One HTTP server in front of all agents, which are told apart by the port that a request came to.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::{Server as ActixServer, ServerHandle};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use node_agent::api::{self, Agent};

/// As the agent's own server has it.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

type Agents = HashMap<u16, web::Data<Agent>>;

pub(super) struct Server {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(doors: Vec<(TcpListener, web::Data<Agent>)>, workers: usize) -> Self {
        let (started, handle) = mpsc::channel();
        let serve = move || {
            actix_web::rt::System::new().block_on(async {
                let server = build(doors, workers);
                started.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        };
        let thread = std::thread::Builder::new().name("server".into());
        let thread = thread.spawn(serve).unwrap();
        Self {
            handle: handle.recv().unwrap(),
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The future only waits; asking is done by the call.
        drop(self.handle.stop(false));
        let ended = self.thread.take().map(JoinHandle::join);
        // What went wrong there was told there; a second panic would hide the first.
        drop(ended);
    }
}

fn build(doors: Vec<(TcpListener, web::Data<Agent>)>, workers: usize) -> ActixServer {
    let ports = doors
        .iter()
        .map(|(listener, agent)| (listener.local_addr().unwrap().port(), agent.clone()));
    let agents: Arc<Agents> = Arc::new(ports.collect());
    let app = move || {
        App::new()
            .app_data(web::Data::from(Arc::clone(&agents)))
            .default_service(web::to(handle))
    };
    let server = HttpServer::new(app)
        .workers(workers)
        .tcp_nodelay(true)
        .keep_alive(KEEP_ALIVE)
        .disable_signals();
    doors
        .into_iter()
        .fold(server, |server, (listener, _)| {
            server.listen(listener).unwrap()
        })
        .run()
}

async fn handle(
    request: HttpRequest,
    payload: web::Payload,
    agents: web::Data<Agents>,
) -> HttpResponse {
    let port = request.app_config().local_addr().port();
    api::handle(request, payload, agents[&port].clone()).await
}
