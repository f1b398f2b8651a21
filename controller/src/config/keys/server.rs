//! What the controller is to others: where it listens, what it rests on, whom it trusts.

use super::{Group, Key, number, with_default, without_default};

pub(super) const TOP: Group = Group {
    name: "",
    about: "",
    keys: &[
        with_default(
            "listen",
            "\"127.0.0.1:8000\"",
            "Where pages and API are served. On loopback, plain HTTP. Elsewhere HTTPS, with the files of [tls] or \
             else a certificate that the controller makes and whose fingerprint it logs; only where trusted_proxies \
             is set is plain HTTP spoken to them.",
        ),
        without_default(
            "base_url",
            "\"https://vpn.example.org\"",
            "How people reach the controller, without a path: for links, and for the origin that a browser must \
             name. Without it, the address of each request is taken.",
        ),
        with_default(
            "trusted_proxies",
            "[]",
            "Networks of the proxies in front of the controller. Only from them are X-Forwarded-For and \
             X-Forwarded-Proto believed.",
        ),
        with_default(
            "data_dir",
            "\"/var/lib/wgfleet\"",
            "What the controller keeps on this machine: its own Postgres, the key made at the first start, the \
             certificate it made.",
        ),
        without_default(
            "database_url",
            "\"postgres://wgfleet:password@db.example.org/wgfleet\"",
            "The Postgres to use. Without it the controller starts one of its own in data_dir.",
        )
        .over("DATABASE_URL")
        .secret(),
        number(
            "database_connections",
            16,
            (2, 1000),
            "Connections to Postgres that are open at most.",
        ),
        without_default(
            "postgres_bin_dir",
            "\"/usr/lib/postgresql/17/bin\"",
            "Where the programs of Postgres are, for the controller's own. Without it the newest installed is found.",
        ),
        without_default(
            "master_key_file",
            "\"/etc/wgfleet/master.key\"",
            "Holds the key that encrypts secrets in the database: 32 bytes in hex or base64, made with \
             `openssl rand -hex 32`, the file's mode 0600. WGFLEET_MASTER_KEY may hold the key itself. Without either, \
             one is made at the first start in data_dir/master.key: keep a copy, nothing replaces it.",
        )
        .over("WGFLEET_MASTER_KEY_FILE"),
        with_default(
            "log",
            "\"info,actix_server=warn\"",
            "What is logged: error, warn, info, debug or trace; or per module, as in \"warn,controller=debug\".",
        ),
        with_default(
            "log_format",
            "\"text\"",
            "How it is logged: text for people, json with one object per line for programs.",
        ),
    ],
};

pub(super) const TLS: Group = Group {
    name: "tls",
    about: "HTTPS with a certificate of your own. Files in PEM; replaced files are taken over without a restart.",
    keys: &[
        without_default(
            "cert_file",
            "\"/etc/wgfleet/tls/cert.pem\"",
            "The certificate, followed by those that lead to its authority.",
        ),
        without_default(
            "key_file",
            "\"/etc/wgfleet/tls/key.pem\"",
            "Its private key, the file's mode 0600 or 0640.",
        ),
        number(
            "reload_s",
            5,
            (1, 86_400),
            "How often the files are looked at for a change. SIGHUP makes it look at once.",
        ),
    ],
};

pub(super) const AGENTS: Group = Group {
    name: "agents",
    about: "How agents are met that listen with HTTPS.",
    keys: &[
        without_default(
            "ca_file",
            "\"/etc/wgfleet/agents/ca.pem\"",
            "The authority of their certificates. Without it, those that this machine trusts.",
        ),
        without_default(
            "client_cert_file",
            "\"/etc/wgfleet/agents/controller.pem\"",
            "The certificate shown to agents that ask for one.",
        ),
        without_default(
            "client_key_file",
            "\"/etc/wgfleet/agents/controller.key\"",
            "Its private key, the file's mode 0600 or 0640.",
        ),
    ],
};

const MIB: u64 = 1 << 20;

pub(super) const API: Group = Group {
    name: "api",
    about: "How requests are served.",
    keys: API_KEYS,
};

const API_KEYS: &[Key] = &[
    number(
        "body_limit_bytes",
        16 * MIB,
        (1024, 1024 * MIB),
        "The body of a request.",
    ),
    number(
        "idempotency_keep_h",
        24,
        (1, 24 * 365),
        "How long the answer to a request with an Idempotency-Key is kept for its repetition.",
    ),
    number(
        "request_timeout_ms",
        30_000,
        (100, 3_600_000),
        "How long a request may take before it is given up.",
    ),
    number("workers", 2, (1, 1024), "Threads that serve requests."),
];
