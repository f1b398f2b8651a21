//! What is around every page: who sees it and how, where they are, where they can go.

use askama::Template;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::db::counts::Counts;
use crate::domain::profile::{Language, Theme};
use crate::domain::reach::Access;
use crate::domain::role::Permission;

/// A part of the dashboard that has a place in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Overview,
    Nodes,
    Peers,
    Networks,
    Pools,
    Topology,
    Audit,
    Users,
    Settings,
    About,
    /// What is reached from elsewhere, such as one's own profile.
    Nowhere,
}

pub struct Frame {
    /// The language of all texts.
    pub t: Language,
    /// None: as the device is set.
    pub theme: Option<&'static str>,
    pub who: String,
    /// What they may do, and to what.
    pub access: Access,
    /// Shows that a form is ours.
    pub csrf: String,
    /// What was done just before.
    pub flash: Option<String>,
    pub now: DateTime<Utc>,
    pub zone: Tz,
    pub here: Place,
    pub counts: Counts,
}

pub struct MenuGroup {
    pub heading: Option<&'static str>,
    pub places: Vec<MenuPlace>,
}

pub struct MenuPlace {
    pub name: &'static str,
    pub href: &'static str,
    pub is_here: bool,
    pub count: Option<String>,
}

pub struct Choice {
    pub value: &'static str,
    pub name: &'static str,
    pub is_chosen: bool,
}

/// A thing to do or a place to go, with the keys that lead there.
pub struct Command {
    pub name: &'static str,
    pub href: &'static str,
    pub keys: &'static [&'static str],
    needs: Permission,
    /// Whether it is for those too who are limited to a pool or a network.
    is_within: bool,
}

const COMMANDS: [Command; 7] = [
    Command {
        name: "command-create-peer",
        href: "/peers/new",
        keys: &["c", "p"],
        needs: Permission::Write,
        is_within: true,
    },
    Command {
        name: "command-add-node",
        href: "/nodes/new",
        keys: &["c", "n"],
        needs: Permission::Write,
        is_within: false,
    },
    Command {
        name: "command-create-network",
        href: "/networks/new",
        keys: &[],
        needs: Permission::Write,
        is_within: false,
    },
    Command {
        name: "command-create-pool",
        href: "/pools/new",
        keys: &[],
        needs: Permission::Write,
        is_within: false,
    },
    Command {
        name: "command-go-nodes",
        href: "/nodes",
        keys: &["g", "n"],
        needs: Permission::Read,
        is_within: true,
    },
    Command {
        name: "command-go-peers",
        href: "/peers",
        keys: &["g", "p"],
        needs: Permission::Read,
        is_within: true,
    },
    Command {
        name: "command-go-audit",
        href: "/audit",
        keys: &["g", "a"],
        needs: Permission::Admin,
        is_within: false,
    },
];

impl Frame {
    pub fn writes(&self) -> bool {
        self.access.may(Permission::Write)
    }

    pub fn administers(&self) -> bool {
        self.access.may(Permission::Admin)
    }

    pub fn menu(&self) -> Vec<MenuGroup> {
        let place = |place, name, href, count| MenuPlace {
            name,
            href,
            is_here: self.here == place,
            count,
        };
        let count = |count: u64| Some(self.t.number(count));
        let peers = match self.counts.is_rough {
            true => format!("≈\u{202f}{}", self.t.number(self.counts.peers)),
            false => self.t.number(self.counts.peers),
        };
        // Both are for administrators: to others they would be links to a refusal.
        let trust = match self.administers() {
            true => vec![
                place(Place::Audit, "audit", "/audit", None),
                place(Place::Users, "users-and-keys", "/users", None),
            ],
            false => Vec::new(),
        };
        // Likewise for whoever is limited to a part of the fleet.
        let everywhere = self.access.may_everywhere(Permission::Read);
        let whole = |places: Vec<MenuPlace>| places.into_iter().filter(move |_| everywhere);
        let groups = [
            MenuGroup {
                heading: None,
                places: vec![place(Place::Overview, "overview", "/", None)],
            },
            MenuGroup {
                heading: Some("menu-fleet"),
                places: [
                    place(Place::Nodes, "nodes", "/nodes", count(self.counts.nodes)),
                    place(Place::Peers, "peers", "/peers", Some(peers)),
                    place(
                        Place::Networks,
                        "networks",
                        "/networks",
                        count(self.counts.networks),
                    ),
                    place(Place::Pools, "pools", "/pools", count(self.counts.pools)),
                ]
                .into_iter()
                .chain(whole(vec![place(
                    Place::Topology,
                    "topology",
                    "/topology",
                    None,
                )]))
                .collect(),
            },
            MenuGroup {
                heading: Some("menu-trust"),
                places: trust,
            },
            MenuGroup {
                heading: Some("menu-system"),
                places: whole(vec![place(Place::Settings, "settings", "/settings", None)])
                    .chain([place(Place::About, "about", "/about", None)])
                    .collect(),
            },
        ];
        groups
            .into_iter()
            .filter(|group| !group.places.is_empty())
            .collect()
    }

    pub fn commands(&self) -> impl Iterator<Item = &'static Command> {
        let access = self.access;
        COMMANDS
            .iter()
            .filter(move |command| match command.is_within {
                true => access.may(command.needs),
                false => access.may_everywhere(command.needs),
            })
    }

    pub fn themes(&self) -> [Choice; 3] {
        let choice = |theme: Theme, name| Choice {
            value: theme.as_str(),
            name,
            is_chosen: self.theme == shown(theme),
        };
        [
            choice(Theme::System, "theme-system"),
            choice(Theme::Light, "theme-light"),
            choice(Theme::Dark, "theme-dark"),
        ]
    }

    /// "3 s ago", with the moment itself for whoever points at it.
    pub fn ago(&self, at: DateTime<Utc>) -> Moment {
        self.moment(at, self.t.ago(at, self.now), "ago")
    }

    /// "12 d", where the words around say that it is an age.
    pub fn since(&self, at: DateTime<Utc>) -> Moment {
        self.moment(at, self.t.span(self.now - at), "span")
    }

    /// A moment as it is written out: day and time of the zone.
    pub fn absolute(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone)
            .format("%Y-%m-%d %H:%M:%S %Z")
            .to_string()
    }

    /// When this page was made, as the clock on the wall shows it.
    pub fn this_moment(&self) -> Moment {
        let clock = self.now.with_timezone(&self.zone).format("%H:%M:%S");
        Moment {
            kind: None,
            ..self.moment(self.now, clock.to_string(), "")
        }
    }

    fn moment(&self, at: DateTime<Utc>, text: String, kind: &'static str) -> Moment {
        Moment {
            iso: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            title: self.absolute(at),
            text,
            // What is to come is not an age, and stays as it was told.
            kind: (at <= self.now).then_some(kind),
        }
    }
}

/// What the root element says of a theme; nothing leaves it to the device.
pub fn shown(theme: Theme) -> Option<&'static str> {
    (theme != Theme::System).then(|| theme.as_str())
}

#[derive(Debug, Clone, Template)]
#[template(
    source = "<time datetime=\"{{ iso }}\" title=\"{{ title }}\"{% if let Some(kind) = kind %} data-ago=\"{{ kind }}\"{% endif %}>{{ text }}</time>",
    ext = "html"
)]
pub struct Moment {
    iso: String,
    title: String,
    text: String,
    kind: Option<&'static str>,
}
