//! A node: the agent itself, in this process, with one WireGuard device in memory.

use std::fs;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::JoinHandle;

use controller::agent::Target;
use node_agent::config::Config;
use node_agent::device::{Device, Memory};
use node_agent::startup::{Assembled, Door, Stopper};

use super::{SECRET, private_key, target, wg0};

pub(crate) struct Node {
    pub(crate) memory: Memory,
    pub(crate) target: Target,
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Node {
    /// One whose interface has a key and is up.
    pub(crate) fn start() -> Self {
        let memory = Memory::new(&wg0());
        let device = Device::Memory(memory.clone());
        let index = device.index().unwrap().unwrap();
        device.set_private_key(index, &private_key(0)).unwrap();
        device.set_up(true).unwrap();
        Self::with(memory, "")
    }

    pub(crate) fn with(memory: Memory, interface: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("secret"), format!("{SECRET}\n")).unwrap();
        fs::create_dir(path("state")).unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\nsecret_file = {:?}\nstate_dir = {:?}\n\
             [timing]\nobserve_s = 1\nwatch_ms = 50\nretry_ms = 50\n\
             [[interface]]\nname = \"wg0\"\nbackend = \"memory\"\n{interface}\n",
            path("secret"),
            path("state"),
        );
        fs::write(path("config.toml"), text).unwrap();
        for file in ["secret", "config.toml"] {
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(path(file), private).unwrap();
        }
        let loaded = Config::load_with_secret(&path("config.toml"), None);
        let (config, secret) = loaded.unwrap_or_else(|err| panic!("{err:?}"));
        let listener = TcpListener::bind(config.listen).unwrap();
        let address = listener.local_addr().unwrap();
        let devices = vec![Device::Memory(memory.clone())];
        let assembled = Assembled::new(config, &secret, devices, Vec::new()).unwrap();
        let (started, stopper) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let door = Door::plain(listener);
            let serving = assembled.serve(door, |stopper| started.send(stopper).unwrap());
            serving.unwrap();
        });
        Self {
            memory,
            target: target(&format!("http://{address}")),
            stopper: Some(stopper.recv().unwrap()),
            thread: Some(thread),
            _folder: folder,
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let (Some(stopper), Some(thread)) = (self.stopper.take(), self.thread.take()) {
            stopper.stop();
            assert!(thread.join().is_ok() || std::thread::panicking());
        }
    }
}
