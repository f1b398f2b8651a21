//! The work that goes on without anybody asking: how often, how many at once, how long.

use super::{Group, number};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_S: u64 = 86_400;

pub(super) const POLL: Group = Group {
    name: "poll",
    about: "How nodes are watched.",
    keys: &[
        number(
            "every_ms",
            10_000,
            (100, HOUR_MS),
            "How often each node is asked.",
        ),
        number(
            "timeout_ms",
            5000,
            (10, HOUR_MS),
            "How long it may take to answer.",
        ),
        number(
            "good_for_online",
            2,
            (1, 100),
            "Good answers in a row that make a node online.",
        ),
        number(
            "bad_for_offline",
            3,
            (1, 100),
            "Bad answers in a row that make a node offline.",
        ),
        number(
            "concurrency",
            64,
            (1, 10_000),
            "Nodes that are asked at once.",
        ),
        number(
            "placement_grace_s",
            60,
            (0, DAY_S),
            "For so long a node that stopped answering still gets new peers.",
        ),
        number(
            "jitter_percent",
            10,
            (0, 50),
            "How much each pause is stretched or cut by chance, so that nodes are not asked all together.",
        ),
        number(
            "lease_s",
            30,
            (1, 3600),
            "How long a controller holds a node that it asks. After that another may ask it.",
        ),
        number(
            "give_up_after",
            6,
            (1, 1000),
            "After so many polls in a row that reached nobody, a node is only probed.",
        ),
        number(
            "probe_every_ms",
            30_000,
            (100, 24 * HOUR_MS),
            "How often a node is probed that nobody reaches.",
        ),
        number(
            "learn_every_s",
            300,
            (1, DAY_S),
            "How often a node's keys and own addresses are read again.",
        ),
        number(
            "clock_tolerance_s",
            30,
            (1, 300),
            "How far a node's clock may be off before somebody is told.",
        ),
    ],
};

pub(super) const APPLY: Group = Group {
    name: "apply",
    about: "How changes are brought to the nodes.",
    keys: &[
        number(
            "lease_s",
            30,
            (1, 3600),
            "How long a controller holds an interface that it works on. After that another may take it over.",
        ),
        number(
            "timeout_ms",
            10_000,
            (10, HOUR_MS),
            "How long a node may take to answer.",
        ),
        number(
            "backoff_base_ms",
            250,
            (1, HOUR_MS),
            "Pause after a first failure; it doubles with each further one.",
        ),
        number(
            "backoff_cap_ms",
            30_000,
            (1, HOUR_MS),
            "The longest such pause.",
        ),
        number(
            "concurrency",
            32,
            (1, 10_000),
            "Interfaces that are worked on at once.",
        ),
        number(
            "tick_ms",
            1000,
            (10, MINUTE_MS),
            "How often waiting work is looked for when nothing announced it.",
        ),
    ],
};

pub(super) const MEND: Group = Group {
    name: "mend",
    about: "Interfaces that do not hold what they should.",
    keys: &[
        number(
            "concurrency",
            4,
            (1, 1000),
            "Interfaces that are compared peer by peer at once.",
        ),
        number(
            "backoff_base_ms",
            10_000,
            (1, HOUR_MS),
            "How long one is left alone that differs again right after it was mended; doubles each time.",
        ),
        number(
            "backoff_cap_ms",
            300_000,
            (1, HOUR_MS),
            "The longest such pause.",
        ),
    ],
};

pub(super) const UPKEEP: Group = Group {
    name: "upkeep",
    about: "What has to be done now and then.",
    keys: &[number(
        "every_ms",
        1000,
        (10, HOUR_MS),
        "How often it is looked for peers whose time has come and for what may be forgotten.",
    )],
};

pub(super) const ADDRESSES: Group = Group {
    name: "addresses",
    about: "The addresses of peers.",
    keys: &[number(
        "rest_s",
        DAY_S,
        (0, 365 * DAY_S),
        "How long an address that was given back is not given to another peer.",
    )],
};

pub(super) const SAMPLES: Group = Group {
    name: "samples",
    about: "Traffic and health over time.",
    keys: &[
        number(
            "every_s",
            60,
            (1, 3600),
            "How often the figures are written down.",
        ),
        number(
            "keep_minutes_h",
            24,
            (1, 24 * 365),
            "Hours that figures per minute are kept.",
        ),
        number(
            "keep_hours_d",
            30,
            (1, 3650),
            "Days that figures per hour are kept.",
        ),
        number(
            "keep_days_d",
            730,
            (1, 36_500),
            "Days that figures per day are kept.",
        ),
    ],
};

pub(super) const PEER_SESSIONS: Group = Group {
    name: "peer_sessions",
    about: "When peers were in touch with nodes.",
    keys: &[number(
        "keep_d",
        90,
        (1, 3650),
        "Days that a session is kept after it ended.",
    )],
};

pub(super) const EVENTS: Group = Group {
    name: "events",
    about: "What happened, as pages and webhooks are told.",
    keys: &[number("keep_d", 7, (1, 3650), "Days that events are kept.")],
};

pub(super) const LIVE: Group = Group {
    name: "live",
    about: "What open pages hear of changes.",
    keys: &[
        number(
            "ping_every_ms",
            15_000,
            (100, HOUR_MS),
            "How often a page without news hears that the connection stands.",
        ),
        number(
            "gather_ms",
            500,
            (1, HOUR_MS),
            "How long news are gathered before a page is told.",
        ),
        number(
            "check_every_ms",
            2_000,
            (10, HOUR_MS),
            "How often sessions are looked at: pages of one that is over hear nothing after that.",
        ),
        number(
            "streams_per_session",
            5,
            (1, 100),
            "Pages of one session that are live at once; the oldest fall silent.",
        ),
    ],
};

pub(super) const WEBHOOKS: Group = Group {
    name: "webhooks",
    about: "How events are delivered to others.",
    keys: &[
        number(
            "timeout_ms",
            10_000,
            (10, HOUR_MS),
            "How long a receiver may take to answer.",
        ),
        number(
            "backoff_base_ms",
            1000,
            (1, HOUR_MS),
            "Pause after a first failure; it doubles with each further one.",
        ),
        number(
            "backoff_cap_ms",
            HOUR_MS,
            (1, 24 * HOUR_MS),
            "The longest such pause.",
        ),
        number(
            "give_up_after_h",
            72,
            (1, 24 * 365),
            "Hours after which a delivery is given up.",
        ),
    ],
};
