//! One sequence on one agent: each step taken, each answer judged by the books.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Abilities;
use super::books::{Books, Content, Request};
use super::rows::{Rows, expected_rows, held, is_shown, rows, text};
use super::steps::{FOREIGN_FROM, Plan, Step, foreign_content, foreign_prefix, on_the_wire};
use crate::bed::{Backend, Bed, Response, Setup, public_key};

pub(super) struct Run {
    bed: Bed,
    books: Books,
    abilities: Abilities,
    /// A cursor, and what a reader who has followed the changes until then knows.
    reader: Option<(String, Rows)>,
}

impl Run {
    pub(super) fn start(abilities: Abilities) -> Self {
        let bed = Bed::with(Setup {
            program: abilities.kill,
            ..Setup::default()
        });
        Self {
            bed,
            books: Books::new(),
            abilities,
            reader: None,
        }
    }

    pub(super) fn take(&mut self, step: &Step) {
        match step {
            Step::Request(plan) => {
                let request = plan.resolve(&self.books);
                let (method, target, body) = on_the_wire(&self.bed, &request);
                let response = self.bed.client.call(method, &target, &body);
                self.judge(&request, &response);
            }
            Step::Burst(plans) => {
                for (request, response) in self.burst(plans, || {}) {
                    self.judge(&request, &response.expect("nobody killed the agent"));
                }
            }
            Step::Crash {
                burst,
                after_us,
                torn,
            } if self.abilities.kill => self.crash(burst, *after_us, *torn),
            Step::Restart | Step::Crash { .. } => {
                self.have_daemon();
                self.bed.restart();
                self.books.restore(self.forgets_device());
                self.expect_full_dump();
            }
            Step::DumpSince => self.dump_since(),
            Step::ForeignPut(n) => self.put_foreign(*n),
            Step::ForeignRemove(n) => {
                if self.abilities.hand && self.books.present {
                    self.bed.hand.remove(&public_key(*n));
                    self.books.device.remove(n);
                }
            }
            Step::Vanish => {
                if self.abilities.hand && self.books.present {
                    self.bed.hand.vanish();
                    self.books.vanish();
                }
            }
            Step::Return => self.come_back(),
        }
    }

    fn judge(&mut self, request: &Request, response: &Response) {
        let before = self.books.clone();
        let expected = self.books.apply(request);
        let (status, code) = response.code();
        assert!(
            expected.contains(&(status, code.as_str())),
            "{request:?} got {status} {code}, not one of {expected:?}, on {before:?}"
        );
    }

    /// Sends requests that have nothing to do with each other, all at once.
    fn burst(&self, plans: &[Plan], meanwhile: impl FnOnce()) -> Vec<(Request, Option<Response>)> {
        let mut footprints = std::collections::BTreeSet::new();
        let mut requests = Vec::new();
        for plan in plans {
            let request = plan.resolve(&self.books);
            let footprint = self.books.footprint(&request);
            if footprints.is_disjoint(&footprint) {
                footprints.extend(footprint);
                requests.push(request);
            }
        }
        std::thread::scope(|scope| {
            let sent: Vec<_> = requests
                .into_iter()
                .map(|request| {
                    let (method, target, body) = on_the_wire(&self.bed, &request);
                    let client = self.bed.client.clone();
                    let sent = scope.spawn(move || client.try_call(method, &target, &body));
                    (request, sent)
                })
                .collect();
            meanwhile();
            let receive = |(request, sent): (Request, std::thread::ScopedJoinHandle<'_, _>)| {
                (request, sent.join().unwrap())
            };
            sent.into_iter().map(receive).collect()
        })
    }

    fn crash(&mut self, plans: &[Plan], after_us: u64, torn: bool) {
        self.have_daemon();
        let agent = self.bed.take_host();
        let answered = self.burst(plans, || {
            std::thread::sleep(Duration::from_micros(after_us));
            agent.kill();
        });
        let mut open = Vec::new();
        for (request, response) in answered {
            match response {
                Some(response) => self.judge(&request, &response),
                None => open.push(request),
            }
        }
        let mut candidates = vec![self.books.clone()];
        for request in open {
            let mut with = candidates.clone();
            for books in &mut with {
                books.apply(&request);
            }
            candidates.extend(with);
        }
        if torn {
            self.tear_journal();
        }
        self.bed.run();
        let mut device_is_new = self.forgets_device();
        if !self.books.present {
            // Removals are taken without an interface too; whether they were shows once it is back.
            self.bed.hand.come_back();
            device_is_new = true;
        }
        for books in &mut candidates {
            books.present = true;
            books.restore(device_is_new);
        }
        self.adopt(&candidates);
        self.expect_full_dump();
    }

    /// The end of the journal as a machine leaves it that dies while writing.
    fn tear_journal(&self) {
        let mut journal = std::fs::OpenOptions::new()
            .append(true)
            .open(self.bed.journal())
            .unwrap();
        journal
            .write_all(br#"0123456789abcdef {"put":[{"public_key":"#)
            .unwrap();
    }

    fn put_foreign(&mut self, n: u32) {
        let prefix = foreign_prefix(n);
        let content = foreign_content(n);
        let claims = |held: &Content| held.config.allowed_ips == content.config.allowed_ips;
        let others = self.books.managed.iter().chain(&self.books.device);
        let taken = others.filter(|(m, _)| **m != n).any(|(_, held)| {
            held.config
                .allowed_ips
                .iter()
                .any(|cidr| content.config.allowed_ips.iter().any(|own| own == cidr))
        });
        // A peer that was removed might be removed again after a crash: that is not foreign to the agent.
        let gone_before = self.books.departed.contains(&n);
        let known = self.books.managed.contains_key(&n)
            || self.books.device.get(&n).is_some_and(|held| !claims(held));
        if !self.abilities.hand || !self.books.present || taken || gone_before || known {
            return;
        }
        assert!(n >= FOREIGN_FROM);
        self.bed.hand.put_foreign(&public_key(n), &[&prefix]);
        self.books.device.entry(n).or_insert(content);
    }

    fn come_back(&mut self) {
        if self.books.present {
            return;
        }
        self.bed.hand.come_back();
        let mut books = self.books.clone();
        books.present = true;
        books.restore(true);
        self.adopt(&[books]);
    }

    /// Finds out which of the possible states it is. An interface that came back is noticed, and its
    /// peers put back, without anybody asking.
    fn adopt(&mut self, candidates: &[Books]) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let dump = self.bed.client.get(&self.bed.path("/dump"));
            let found = candidates
                .iter()
                .find(|books| dump.status == 200 && is_shown(books, &dump.json()));
            if let Some(books) = found {
                self.books = books.clone();
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{} is none of {candidates:?}",
                dump.text()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A userspace device is made by its daemon, which an agent starts if it finds none.
    fn have_daemon(&mut self) {
        if self.bed.backend == Backend::Userspace {
            self.come_back();
        }
    }

    fn forgets_device(&self) -> bool {
        self.bed.backend == Backend::Memory && self.abilities.kill
    }

    fn dump_since(&mut self) {
        if !self.books.present {
            return;
        }
        let Some((cursor, mut known)) = self.reader.take() else {
            let dump = self.bed.dump();
            self.reader = Some((text(&dump["cursor"]), rows(&dump)));
            return;
        };
        let changes = self.bed.get(&format!("/dump?since={cursor}"));
        if changes["full"] == true {
            known.clear();
        }
        known.extend(rows(&changes));
        for removed in changes["removed"].as_array().unwrap() {
            known.remove(removed.as_str().unwrap());
        }
        assert_eq!(known, rows(&self.bed.dump()), "after {changes}");
        self.reader = Some((text(&changes["cursor"]), known));
    }

    /// A cursor of an earlier life is recognised as one.
    fn expect_full_dump(&mut self) {
        if let Some((cursor, _)) = self.reader.take()
            && self.books.present
        {
            let changes = self.bed.get(&format!("/dump?since={cursor}"));
            assert_eq!(changes["full"], true);
            self.reader = Some((text(&changes["cursor"]), rows(&changes)));
        }
    }

    /// Compares everything that can be seen with the books.
    pub(super) fn check(&self) {
        let (bed, books) = (&self.bed, &self.books);
        if !books.present {
            for path in ["/dump", "/digest"] {
                let response = bed.client.get(&bed.path(path));
                assert_eq!(response.code(), (503, "interface_missing".into()));
            }
            return;
        }
        let dump = bed.dump();
        let expected = expected_rows(books);
        assert_eq!(rows(&dump), expected, "the dump differs from the books");
        let in_sync = json!({
            "generation": books.generation, "digest": books.digest(), "peers": expected.len(),
        });
        assert_eq!(bed.digest(), in_sync);
        assert_eq!(dump["digest"], in_sync["digest"]);
        assert_eq!(dump["generation"], in_sync["generation"]);
        if self.abilities.hand {
            let held: BTreeMap<_, _> = books
                .device
                .iter()
                .map(|(n, content)| (public_key(*n), held(content)))
                .collect();
            assert_eq!(bed.hand.peers(), held, "the device differs from the books");
        }
    }
}
